import { randomUUID } from 'node:crypto'

/** For instances and groups that must not be mistaken for others; nothing that is learned depends on it. */
export const uniqueName = (): string => randomUUID()
