/**
 * Log loss: mean of -log p of what happened, natural logarithm, p clipped to [1e-7, 1 - 1e-7]. Normalised entropy is
 * log loss divided by the entropy of the observed rate: below 1 the model knows more than the average does, whatever the
 * rate is (He et al. 2014, Practical lessons from predicting clicks on ads at Facebook). Undefined with one class only.
 */
const FLOOR = 1e-7

export function clipProbability(probability: number): number {
  return Math.min(Math.max(probability, FLOOR), 1 - FLOOR)
}

export class LogLoss {
  static readonly size = 3
  /** summed loss, labels, positives */
  readonly #sums: Float64Array

  constructor(sums: Float64Array) {
    this.#sums = sums
  }

  /** loss: -log of the probability given to what happened. positive: 0 or 1. */
  add(loss: number, positive: number): void {
    const sums = this.#sums
    sums[0] = (sums[0] ?? 0) + loss
    sums[1] = (sums[1] ?? 0) + 1
    sums[2] = (sums[2] ?? 0) + positive
  }

  get count(): number {
    return this.#sums[1] ?? 0
  }

  get positives(): number {
    return this.#sums[2] ?? 0
  }

  logLoss(): number | undefined {
    return this.count > 0 ? (this.#sums[0] ?? 0) / this.count : undefined
  }

  normalisedEntropy(): number | undefined {
    const loss = this.logLoss()
    const rate = this.positives / this.count
    if (loss === undefined || rate === 0 || rate === 1) return undefined
    return loss / -(rate * Math.log(rate) + (1 - rate) * Math.log(1 - rate))
  }
}
