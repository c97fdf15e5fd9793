/**
 * A metric's sums once a replicate. Every metric here is sums that merge by addition, so a resampled metric is the same
 * sums with every example's share times its block's weight; what is made of them afterwards is the metric's own code.
 * Replicates lie side by side: one example changes a few sums in all of them.
 */
export class ReplicatedSums {
  readonly replicates: number
  readonly #heads: number
  readonly #bins: number
  /** [heads, replicates] any sums */
  readonly #sums: Float64Array
  /** [bins, replicates] counts */
  readonly #counts: Uint32Array

  /** heads: sums of anything; bins: counts behind them, of which an example changes one. */
  constructor(heads: number, bins: number, replicates: number) {
    this.replicates = replicates
    this.#heads = heads
    this.#bins = bins
    this.#sums = new Float64Array(heads * replicates)
    this.#counts = new Uint32Array(bins * replicates)
  }

  /** What one example adds: [heads] to the sums, 1 to the bin (-1: to none). weights: [replicates] */
  add(heads: Float64Array, bin: number, weights: Uint8Array): void {
    const { replicates } = this
    for (let head = 0; head < this.#heads; head++) {
      const amount = heads[head]!
      if (amount === 0) continue
      const sums = this.#sums
      for (let r = 0, at = head * replicates; r < replicates; r++, at++) sums[at] = sums[at]! + weights[r]! * amount
    }
    if (bin < 0) return
    const counts = this.#counts
    for (let r = 0, at = bin * replicates; r < replicates; r++, at++) counts[at] = counts[at]! + weights[r]!
  }

  /** One replicate's sums, heads first: [heads + bins] */
  copy(replicate: number, into: Float64Array): void {
    const { replicates } = this
    for (let head = 0; head < this.#heads; head++) into[head] = this.#sums[head * replicates + replicate]!
    for (let bin = 0; bin < this.#bins; bin++) into[this.#heads + bin] = this.#counts[bin * replicates + replicate]!
  }
}
