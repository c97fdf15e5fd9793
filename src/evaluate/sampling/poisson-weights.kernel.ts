/**
 * Weights of the Poisson bootstrap: how often a block (a user, or a day) is drawn in each replicate. Drawing n blocks
 * with replacement gives each a Binomial(n, 1/n) count; Poisson(1) is its limit, and needs no n, so that a stream can be
 * resampled in one pass (Chamandy, Muralidharan, Najmi & Naidu 2012, Estimating uncertainty for massive data streams).
 *
 * A weight is a hash of block and replicate and of nothing else: all examples of a block share it, whatever their order,
 * and two runs over one log draw the same blocks, which is what makes the interval of their difference a paired one.
 */

/** P(weight ≤ k) of Poisson(1) in 32-bit steps; beyond the last: 8, which comes once in a million. */
const STEPS = [0.36787944117144233, 0.7357588823428847, 0.9196986029286058, 0.9810118431238462]
  .concat([0.9963401531726563, 0.9994058151824183, 0.9999167588507119, 0.9999897508033253])
  .map(share => share * 2 ** 32)

export class PoissonWeights {
  /** [replicates] of the block asked for last. */
  readonly weights: Uint8Array
  #lo = -1
  #hi = -1

  constructor(replicates: number) {
    this.weights = new Uint8Array(replicates)
  }

  /** lo, hi: 32-bit words that name the block. Valid until the next call. */
  of(lo: number, hi: number): Uint8Array {
    const { weights } = this
    if (lo === this.#lo && hi === this.#hi) return weights
    this.#lo = lo
    this.#hi = hi
    const block = scramble(scramble(lo ^ 0x9e3779b9) ^ hi)
    for (let replicate = 0; replicate < weights.length; replicate++) {
      const uniform = scramble(block + Math.imul(replicate + 1, 0x9e3779b9))
      let weight = 0
      while (weight < STEPS.length && uniform >= STEPS[weight]!) weight++
      weights[replicate] = weight
    }
    return weights
  }
}

/** Every bit of the word reaches every bit of the result (the finaliser of splitmix32). */
function scramble(word: number): number {
  let z = word >>> 0
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
  return (z ^ (z >>> 15)) >>> 0
}
