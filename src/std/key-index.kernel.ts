/**
 * Open-addressing map from a 64-bit key to a dense row number; the structure under every table of the project.
 *
 * A row is a record of 32-bit words: its key (low, high), then what the owner keeps there, reached through `slabs`. So a
 * lookup and what follows it touch one place in memory. Rows are stable; growth adds a slab and moves no record. A new
 * row's words are zero but for the key.
 *
 * The buckets hold a row number and five more bits of the key's hash, so that a probe seldom reads a record in vain and
 * the load may be high (DENSE: 1/2 to 7/8 while small, 0.7 to 7/8 when large: about 5 bytes a row). Linear probing,
 * backward-shift deletion (no tombstones: a table that lives for months must not rot). Growing rebuilds the buckets.
 *
 * Freed rows are reused last-freed first. Row numbers and the free list are part of the saved state, so a restored index
 * behaves, and saves, exactly like the one that was saved. Key (0, 0) is not allowed: it means "no key".
 */
/** Rows lie in slabs of 2^ROW_SLAB_BITS. */
export const ROW_SLAB_BITS = 14
const SLAB = 1 << ROW_SLAB_BITS
const SLAB_MASK = SLAB - 1
const EMPTY = -1
/** A bucket is tag << ROW_BITS | row. */
const ROW_BITS = 26
const ROW_MASK = 2 ** ROW_BITS - 1
const TAG_MASK = 31
/** Loads of the buckets: for tables that grow, and for those whose keys come and go. */
const DENSE = 7 / 8
export const LOOSE = 1 / 2
const LARGE = 1 << 16
/** Few enough that what was read ahead is still in the first cache. */
export const READ_AHEAD = 128
const LINE_WORDS = 16
const HASH_RANGE = 4294967296

export class KeyIndex {
  /** [SLAB, words] each: low word, high word, the owner's words. Never moved; one is added at a time. */
  readonly slabs: Uint32Array[] = []
  readonly #words: number
  readonly #maxLoad: number
  #buckets: Int32Array
  #capacity: number
  #free = new Int32Array(16)
  #freed = 0
  #rows = 0
  #size = 0
  /** What was read ahead: kept, or the compiler would drop the reads. */
  wasRead = 0
  /** Whether the last insert() made a new row. */
  inserted = false

  /**
   * words: 32-bit words a row, key included. maxLoad: removing walks to the end of a run and reads the key of every
   * row in it, and runs get long beyond 1/2; where keys come and go, leave room (LOOSE).
   */
  constructor(expectedRows = 1024, words = 2, maxLoad = DENSE) {
    this.#words = words
    this.#maxLoad = maxLoad
    this.#capacity = Math.max(16, Math.ceil(expectedRows / maxLoad) + 1)
    this.#buckets = new Int32Array(this.#capacity).fill(EMPTY)
  }

  /** Keys in the index. */
  get size(): number {
    return this.#size
  }

  /** One more than the highest row number in use or on the free list: the length that row columns need. */
  get rows(): number {
    return this.#rows
  }

  keyLo(row: number): number {
    return this.slabs[row >>> ROW_SLAB_BITS]![(row & SLAB_MASK) * this.#words]!
  }

  keyHi(row: number): number {
    return this.slabs[row >>> ROW_SLAB_BITS]![(row & SLAB_MASK) * this.#words + 1]!
  }

  /** A freed row has key (0, 0). */
  isLive(row: number): boolean {
    return row < this.#rows && (this.keyLo(row) | this.keyHi(row)) !== 0
  }

  /** Row of the key, or -1. */
  find(lo: number, hi: number): number {
    const buckets = this.#buckets
    const capacity = this.#capacity
    const words = this.#words
    const hash = mix(lo, hi)
    const tag = hash & TAG_MASK
    let at = ((hash / HASH_RANGE) * capacity) | 0
    for (;;) {
      const bucket = buckets[at]!
      if (bucket === EMPTY) return -1
      if (bucket >>> ROW_BITS === tag) {
        const row = bucket & ROW_MASK
        const slab = this.slabs[row >>> ROW_SLAB_BITS]!
        const key = (row & SLAB_MASK) * words
        if (slab[key] === lo && slab[key + 1] === hi) return row
      }
      if (++at === capacity) at = 0
    }
  }

  /**
   * Rows of keys [n, 2] into rows [n]; -1 for a key that is absent, and for (0, 0). In passes over short blocks, each a
   * loop of independent loads: the processor waits for many cache misses at once instead of for one after the other.
   */
  findAll(keys: Uint32Array, n: number, rows: Int32Array): void {
    const buckets = this.#buckets
    const capacity = this.#capacity
    const words = this.#words
    let wasRead = 0
    for (let first = 0; first < n; first += READ_AHEAD) {
      const end = Math.min(n, first + READ_AHEAD)
      for (let i = first; i < end; i++) {
        wasRead ^= buckets[((mix(keys[i * 2]!, keys[i * 2 + 1]!) / HASH_RANGE) * capacity) | 0]!
      }
      for (let i = first; i < end; i++) {
        rows[i] = this.#candidate(keys[i * 2]!, keys[i * 2 + 1]!)
      }
      this.readAhead(rows, first, end)
      for (let i = first; i < end; i++) {
        const row = rows[i]!
        if (row < 0) continue
        const slab = this.slabs[row >>> ROW_SLAB_BITS]!
        const record = (row & SLAB_MASK) * words
        const lo = keys[i * 2]!
        const hi = keys[i * 2 + 1]!
        if (slab[record] !== lo || slab[record + 1] !== hi) rows[i] = this.find(lo, hi)
      }
    }
    this.wasRead = wasRead
  }

  /** Touches every cache line of the records of rows [first, end) (negative: none), all misses at once. */
  readAhead(rows: Int32Array, first: number, end: number): void {
    const words = this.#words
    let wasRead = 0
    for (let i = first; i < end; i++) {
      const row = rows[i]!
      if (row < 0) continue
      const slab = this.slabs[row >>> ROW_SLAB_BITS]!
      const record = (row & SLAB_MASK) * words
      const last = record + words - 1
      for (let word = record; word < last; word += LINE_WORDS) wasRead ^= slab[word]!
      wasRead ^= slab[last]!
    }
    this.wasRead = wasRead
  }

  /** Row of the key, made if absent; `inserted` says which. */
  insert(lo: number, hi: number): number {
    if (this.#size + 1 > this.#capacity * this.#maxLoad) {
      this.#rehash(this.#capacity < LARGE ? this.#capacity * 2 : Math.floor(this.#capacity * 1.25))
    }
    const buckets = this.#buckets
    const capacity = this.#capacity
    const words = this.#words
    const hash = mix(lo, hi)
    const tag = hash & TAG_MASK
    let at = ((hash / HASH_RANGE) * capacity) | 0
    for (;;) {
      const bucket = buckets[at]!
      if (bucket === EMPTY) break
      if (bucket >>> ROW_BITS === tag) {
        const row = bucket & ROW_MASK
        const slab = this.slabs[row >>> ROW_SLAB_BITS]!
        const key = (row & SLAB_MASK) * words
        if (slab[key] === lo && slab[key + 1] === hi) {
          this.inserted = false
          return row
        }
      }
      if (++at === capacity) at = 0
    }
    const row = this.#freed > 0 ? this.#free[--this.#freed]! : this.#rows++
    if (row > ROW_MASK) throw new RangeError(`an index holds at most ${ROW_MASK + 1} rows`)
    if (row >>> ROW_SLAB_BITS === this.slabs.length) this.slabs.push(new Uint32Array(SLAB * words))
    const slab = this.slabs[row >>> ROW_SLAB_BITS]!
    const key = (row & SLAB_MASK) * words
    slab[key] = lo
    slab[key + 1] = hi
    buckets[at] = (tag << ROW_BITS) | row
    this.#size++
    this.inserted = true
    return row
  }

  /** Frees the key's row and zeroes its words; -1 if the key is absent, else the row that was freed. */
  remove(lo: number, hi: number): number {
    const buckets = this.#buckets
    const capacity = this.#capacity
    const row = this.find(lo, hi)
    if (row < 0) return -1
    let gap = this.#home(lo, hi)
    while ((buckets[gap]! & ROW_MASK) !== row || buckets[gap] === EMPTY) if (++gap === capacity) gap = 0
    // Close the gap: move back every later entry of the run whose home lies at or before the gap.
    for (let next = gap; ; ) {
      if (++next === capacity) next = 0
      const bucket = buckets[next]!
      if (bucket === EMPTY) break
      const other = bucket & ROW_MASK
      const home = this.#home(this.keyLo(other), this.keyHi(other))
      if (distance(home, next, capacity) >= distance(gap, next, capacity)) {
        buckets[gap] = bucket
        gap = next
      }
    }
    buckets[gap] = EMPTY
    const key = (row & SLAB_MASK) * this.#words
    this.slabs[row >>> ROW_SLAB_BITS]!.fill(0, key, key + this.#words)
    if (this.#freed === this.#free.length) {
      const longer = new Int32Array(this.#freed * 2)
      longer.set(this.#free)
      this.#free = longer
    }
    this.#free[this.#freed++] = row
    this.#size--
    return row
  }

  saveState(): { meta: { rows: number; size: number }; arrays: { keys: Uint32Array[]; free: Uint32Array } } {
    // A list of no slabs would have no type when it is read back.
    const keys: Uint32Array[] = this.#rows === 0 ? [new Uint32Array(0)] : []
    for (let first = 0; first < this.#rows; first += SLAB) {
      keys.push(this.slabs[first >>> ROW_SLAB_BITS]!.subarray(0, Math.min(SLAB, this.#rows - first) * this.#words))
    }
    const free = Uint32Array.from(this.#free.subarray(0, this.#freed))
    return { meta: { rows: this.#rows, size: this.#size }, arrays: { keys, free } }
  }

  /** keys: [rows, words], the records as saved. Copied. */
  loadState(rows: number, keys: Uint32Array, free: Uint32Array): void {
    this.#rows = rows
    this.#free = Int32Array.from(free.length < 16 ? new Int32Array(16) : free)
    this.#free.set(free)
    this.#freed = free.length
    this.#size = rows - free.length
    this.slabs.length = 0
    for (let first = 0; first < rows; first += SLAB) {
      const slab = new Uint32Array(SLAB * this.#words)
      slab.set(keys.subarray(first * this.#words, Math.min(rows, first + SLAB) * this.#words))
      this.slabs.push(slab)
    }
    this.#rehash(Math.max(this.#capacity, Math.ceil((this.#size * 1.1) / this.#maxLoad)))
  }

  /** Bytes held, for the memory figures. */
  get bytes(): number {
    return this.#buckets.byteLength + this.slabs.length * SLAB * this.#words * 4 + this.#free.byteLength
  }

  /** The first row in the key's run whose tag agrees: nearly always the key's row; -1 if there is none. */
  #candidate(lo: number, hi: number): number {
    const buckets = this.#buckets
    const capacity = this.#capacity
    const hash = mix(lo, hi)
    const tag = hash & TAG_MASK
    let at = ((hash / HASH_RANGE) * capacity) | 0
    for (;;) {
      const bucket = buckets[at]!
      if (bucket === EMPTY) return -1
      if (bucket >>> ROW_BITS === tag) return bucket & ROW_MASK
      if (++at === capacity) at = 0
    }
  }

  #home(lo: number, hi: number): number {
    return ((mix(lo, hi) / HASH_RANGE) * this.#capacity) | 0
  }

  #rehash(capacity: number): void {
    this.#buckets = new Int32Array(capacity).fill(EMPTY)
    this.#capacity = capacity
    for (let row = 0; row < this.#rows; row++) {
      const lo = this.keyLo(row)
      const hi = this.keyHi(row)
      if ((lo | hi) !== 0) this.#place(row, lo, hi)
    }
  }

  #place(row: number, lo: number, hi: number): void {
    let at = this.#home(lo, hi)
    while (this.#buckets[at] !== EMPTY) if (++at === this.#capacity) at = 0
    this.#buckets[at] = ((mix(lo, hi) & TAG_MASK) << ROW_BITS) | row
  }
}

function distance(from: number, to: number, capacity: number): number {
  return to >= from ? to - from : to - from + capacity
}

/** Keys are hashes already, but mixing the words costs little and forgives weak ones. */
function mix(lo: number, hi: number): number {
  let word = lo ^ Math.imul(hi, 0xc2b2ae3d)
  word = Math.imul(word ^ (word >>> 16), 0x21f0aaad)
  return (word ^ (word >>> 15)) >>> 0
}
