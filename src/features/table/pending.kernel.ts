/**
 * How often values without a row have occurred: a cache of fixed size, 4 bytes a value, in sets of eight ordered by
 * recency. A set that is full forgets its longest unseen value, so that ids seen once can never fill the memory or a
 * checkpoint; a value that comes often stays. A set keeps 24 bits of a key's hash: one in two million strangers is
 * taken for a value of its set and admitted an occurrence early.
 */
const WAYS = 8
const COUNT_MASK = 0xff

export class PendingCounts {
  readonly #entries: Uint32Array // [sets, WAYS] tag << 8 | count, newest first; 0 = empty
  readonly #setMask: number

  constructor(capacity: number) {
    let sets = 16
    while (sets * WAYS < capacity) sets *= 2
    this.#entries = new Uint32Array(sets * WAYS)
    this.#setMask = sets - 1
  }

  /** Counts one occurrence; true if it is the nth, and then the value is forgotten here: it has its row. */
  count(lo: number, hi: number, n: number): boolean {
    const entries = this.#entries
    const set = this.#setOf(lo, hi)
    const tag = tagOf(lo, hi)
    let way = 0
    while (way < WAYS - 1 && entries[set + way]! >>> 8 !== tag) way++
    const entry = entries[set + way]!
    const count = entry >>> 8 === tag ? (entry & COUNT_MASK) + 1 : 1
    if (count >= n) {
      this.#remove(set, way)
      return true
    }
    for (; way > 0; way--) entries[set + way] = entries[set + way - 1]!
    entries[set] = (tag << 8) | count
    return false
  }

  /** The value has never occurred. */
  forget(lo: number, hi: number): void {
    const set = this.#setOf(lo, hi)
    const tag = tagOf(lo, hi)
    for (let way = 0; way < WAYS; way++) {
      const entry = this.#entries[set + way]!
      if (entry === 0 || entry >>> 8 !== tag) continue
      this.#remove(set, way)
      return
    }
  }

  get bytes(): number {
    return this.#entries.byteLength
  }

  saveState(): Uint32Array {
    return this.#entries
  }

  loadState(entries: Uint32Array): void {
    this.#entries.set(entries)
  }

  #setOf(lo: number, hi: number): number {
    const hash = Math.imul(lo ^ (hi >>> 15), 0x2c1b3c6d) ^ hi
    return ((hash ^ (hash >>> 16)) & this.#setMask) * WAYS
  }

  /** Closes the gap, so that empty places stay at the end. */
  #remove(set: number, way: number): void {
    const entries = this.#entries
    for (; way < WAYS - 1; way++) entries[set + way] = entries[set + way + 1]!
    entries[set + WAYS - 1] = 0
  }
}

function tagOf(lo: number, hi: number): number {
  return (Math.imul(hi ^ (lo >>> 13), 0x297a2d39) ^ lo) >>> 8
}
