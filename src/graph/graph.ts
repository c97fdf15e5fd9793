export interface Graph {}
