/** Between a task's natural units and the latent units in which the fast part and the stack compute. */
export type Link = 'gaussian' | 'logistic'

const LARGEST_LOGIT = 15

export function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-Math.max(-LARGEST_LOGIT, Math.min(LARGEST_LOGIT, z))))
}

/** Of a probability; NaN stays NaN. */
export function logit(p: number): number {
  if (p <= 0) return -LARGEST_LOGIT
  if (p >= 1) return LARGEST_LOGIT
  return Math.max(-LARGEST_LOGIT, Math.min(LARGEST_LOGIT, Math.log(p / (1 - p))))
}
