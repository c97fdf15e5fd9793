/**
 * Exponential decay by event time without touching what decays: a sum holds weights relative to a reference time, new
 * weights grow with time instead of old ones shrinking. When they have grown by 2^20 the owner of the sums multiplies
 * them all by what rebase() returns.
 */
const LARGEST = 2 ** 20

export class Decay {
  readonly #halfLifeMs: number
  #referenceMs: number | undefined

  constructor(halfLifeMs: number) {
    this.#halfLifeMs = halfLifeMs
  }

  /** What something that happens now counts in the sums; 1 for the first. */
  weight(nowMs: number): number {
    this.#referenceMs ??= nowMs
    return 2 ** ((nowMs - this.#referenceMs) / this.#halfLifeMs)
  }

  /** Factor for all sums if it is time to move the reference to now, else 1. */
  rebase(nowMs: number): number {
    const weight = this.weight(nowMs)
    if (weight < LARGEST) return 1
    this.#referenceMs = nowMs
    return 1 / weight
  }

  toJson(): number | null {
    return this.#referenceMs ?? null
  }

  fromJson(referenceMs: number | null): void {
    this.#referenceMs = referenceMs ?? undefined
  }
}
