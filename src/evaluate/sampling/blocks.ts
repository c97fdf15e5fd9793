/** What is resampled whole, named by two 32-bit words: a user by the key's, a day (UTC) by its number. */
export type SamplingUnit = 'user' | 'day'

/** Resamplings of everything that has an interval. The ends of 95 % are then the tenth figure from either end. */
export const REPLICATES = 400
const DAY_MS = 86_400_000

export class Blocks {
  /** The block found last. */
  lo = 0
  hi = 0
  readonly #by: SamplingUnit

  constructor(by: SamplingUnit) {
    this.#by = by
  }

  /** Of an example: the user's key, and the time of the impression. */
  find(lo: number, hi: number, eventTimeMs: number): void {
    this.lo = this.#by === 'user' ? lo : Math.floor(eventTimeMs / DAY_MS)
    this.hi = this.#by === 'user' ? hi : 0
  }
}
