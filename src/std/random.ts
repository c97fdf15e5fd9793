/**
 * Seeded random numbers: xoshiro128** (Blackman & Vigna 2018), state seeded by splitmix32.
 * The state is four 32-bit words, so that it fits in a checkpoint.
 */
export class Random {
  #a = 0
  #b = 0
  #c = 0
  #d = 0

  constructor(seed: number) {
    let s = seed >>> 0
    const next = () => {
      s = (s + 0x9e3779b9) >>> 0
      let z = s
      z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
      z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
      return (z ^ (z >>> 15)) >>> 0
    }
    this.#a = next()
    this.#b = next()
    this.#c = next()
    this.#d = next()
  }

  /** Uniform 32-bit integer. */
  uint32(): number {
    const m = Math.imul(this.#b, 5)
    const result = Math.imul((m << 7) | (m >>> 25), 9) >>> 0
    const t = this.#b << 9
    this.#c ^= this.#a
    this.#d ^= this.#b
    this.#b ^= this.#c
    this.#a ^= this.#d
    this.#c ^= t
    this.#d = (this.#d << 11) | (this.#d >>> 21)
    return result
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    return ((this.uint32() >>> 5) * 67108864 + (this.uint32() >>> 6)) / 9007199254740992
  }

  /** Uniform integer in [0, n). */
  integer(n: number): number {
    return Math.floor(this.uniform() * n)
  }

  /** Standard normal (Box–Muller, one of the pair). */
  normal(): number {
    const u = 1 - this.uniform()
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * this.uniform())
  }

  /** Puts the first `count` items into an order that is drawn evenly from all (Fisher–Yates). Returns the items. */
  shuffle<T>(items: T[], count = items.length): T[] {
    for (let last = count - 1; last > 0; last--) {
      const other = this.integer(last + 1)
      const item = items[last] as T
      items[last] = items[other] as T
      items[other] = item
    }
    return items
  }

  state(): [number, number, number, number] {
    return [this.#a >>> 0, this.#b >>> 0, this.#c >>> 0, this.#d >>> 0]
  }

  restore(state: readonly [number, number, number, number]): void {
    ;[this.#a, this.#b, this.#c, this.#d] = state
  }
}
