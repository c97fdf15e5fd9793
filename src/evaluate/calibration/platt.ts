/**
 * Platt scaling (Platt 1999) learned online: logit p' = a · logit p + b, from scores made before their labels were known.
 *
 * One step a label of the logistic posterior in information form, with forgetting:
 *   H ← H + w x xᵀ − w / CAPACITY (H − H0),   (a, b) ← (a, b) + H⁻¹ x (y − p'),   w = p'(1 − p'),   x = (logit p, 1)
 * What is remembered is so much information, not so many labels: a rare event's labels say less each and fade later.
 */
const CAPACITY = 400
const PRIOR = 5
/** Logits beyond these say no more. */
const LIMIT = 16

/** a, b, and H as its three different entries. */
export const PLATT_SIZE = 5

export class Platt {
  readonly #state: Float64Array

  /** state: [PLATT_SIZE], owned by the caller, who saves it. */
  constructor(state: Float64Array) {
    this.#state = state
    if (state[2] === 0) state.set([1, 0, PRIOR, 0, PRIOR])
  }

  apply(probability: number): number {
    return logistic((this.#state[0] ?? 1) * logit(probability) + (this.#state[1] ?? 0))
  }

  /** probability: as the model said it, before apply(). label: 0 or 1. weight: what the label counts. logOdds: by how much those
   * of the labels that are learned are higher than those of all. */
  learn(probability: number, label: number, weight = 1, logOdds = 0): void {
    const [a = 1, b = 0, haa = PRIOR, hab = 0, hbb = PRIOR] = this.#state
    const x = logit(probability)
    const p = logistic(a * x + b + logOdds)
    const information = weight * p * (1 - p)
    const forget = information / CAPACITY
    const aa = haa + forget * (PRIOR - haa) + information * x * x
    const ab = hab - forget * hab + information * x
    const bb = hbb + forget * (PRIOR - hbb) + information
    const determinant = aa * bb - ab * ab
    const error = weight * (label - p)
    this.#state.set([a + (error * (bb * x - ab)) / determinant, b + (error * (aa - ab * x)) / determinant, aa, ab, bb])
  }

  /** What was learned as 0 is 1 after all: the gradient is the difference of both, the information is there. */
  takeBack(probability: number): void {
    const [a = 1, b = 0, aa = PRIOR, ab = 0, bb = PRIOR] = this.#state
    const x = logit(probability)
    const determinant = aa * bb - ab * ab
    this.#state.set([a + (bb * x - ab) / determinant, b + (aa - ab * x) / determinant])
  }
}

function logit(probability: number): number {
  return Math.min(LIMIT, Math.max(-LIMIT, Math.log(probability / (1 - probability))))
}

function logistic(z: number): number {
  return 1 / (1 + Math.exp(-z))
}
