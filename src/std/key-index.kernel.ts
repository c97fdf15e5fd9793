/**
 * Open-addressing map from a 64-bit key to a dense row number; the structure under every table of the project.
 *
 * The index itself holds row numbers only; keys lie by row, so that a row costs 8 bytes of key plus 4 bytes divided by
 * the load. Linear probing, backward-shift deletion (no tombstones: a table that lives for months must not rot), doubled
 * at 3/4 load. Freed rows are reused last-freed first. Row numbers and the free list are part of the saved state, so a
 * restored index behaves, and saves, exactly like the one that was saved. Key (0, 0) is not allowed: it means "no key".
 *
 * A row's header is its key and, if the owner asks for 4 words, two more that the owner reads and writes through
 * `headers`: they lie in the cache line that every lookup touches anyway. A new row's are zero.
 */
/** Rows lie in slabs of 2^ROW_SLAB_BITS; columns beside the index may follow the same cut. */
export const ROW_SLAB_BITS = 16
const SLAB_BITS = ROW_SLAB_BITS
const SLAB = 1 << SLAB_BITS
const SLAB_MASK = SLAB - 1
const EMPTY = -1

export class KeyIndex {
  #buckets: Int32Array
  #mask: number
  /** Slabs of [SLAB, words]: low word, high word, the owner's words. Never moved; one is added at a time. */
  readonly headers: Uint32Array[] = []
  readonly #shift: number
  #free: number[] = []
  #rows = 0 // rows ever handed out and not returned past the end
  #size = 0
  /** Whether the last insert() made a new row. */
  inserted = false

  constructor(expectedRows = 1024, words: 2 | 4 = 2) {
    this.#shift = words >> 1
    let buckets = 1024
    while (buckets * 0.75 < expectedRows) buckets *= 2
    this.#buckets = new Int32Array(buckets).fill(EMPTY)
    this.#mask = buckets - 1
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
    return this.headers[row >>> SLAB_BITS]![(row & SLAB_MASK) << this.#shift]!
  }

  keyHi(row: number): number {
    return this.headers[row >>> SLAB_BITS]![((row & SLAB_MASK) << this.#shift) + 1]!
  }

  /** A freed row has key (0, 0). */
  isLive(row: number): boolean {
    return row < this.#rows && (this.keyLo(row) | this.keyHi(row)) !== 0
  }

  /** Row of the key, or -1. */
  find(lo: number, hi: number): number {
    const buckets = this.#buckets
    const mask = this.#mask
    let at = home(lo, hi) & mask
    for (;;) {
      const row = buckets[at]!
      if (row === EMPTY) return -1
      const keys = this.headers[row >>> SLAB_BITS]!
      const key = (row & SLAB_MASK) << this.#shift
      if (keys[key] === lo && keys[key + 1] === hi) return row
      at = (at + 1) & mask
    }
  }

  /** Row of the key, made if absent; `inserted` says which. */
  insert(lo: number, hi: number): number {
    const found = this.find(lo, hi)
    this.inserted = found < 0
    if (found >= 0) return found
    if ((this.#size + 1) * 4 > this.#buckets.length * 3) this.#rehash(this.#buckets.length * 2)
    const row = this.#free.pop() ?? this.#rows++
    if (row >>> SLAB_BITS === this.headers.length) this.headers.push(new Uint32Array(SLAB << this.#shift))
    const keys = this.headers[row >>> SLAB_BITS]!
    const key = (row & SLAB_MASK) << this.#shift
    keys[key] = lo
    keys[key + 1] = hi
    this.#place(row, lo, hi)
    this.#size++
    return row
  }

  /** Frees the key's row; -1 if the key is absent, else the row that was freed. */
  remove(lo: number, hi: number): number {
    const buckets = this.#buckets
    const mask = this.#mask
    let at = home(lo, hi) & mask
    let row = buckets[at]!
    while (row !== EMPTY && !(this.keyLo(row) === lo && this.keyHi(row) === hi)) {
      at = (at + 1) & mask
      row = buckets[at]!
    }
    if (row === EMPTY) return -1
    // Close the gap: move back every later entry of the run whose home lies at or before the gap.
    let gap = at
    let next = (gap + 1) & mask
    for (;;) {
      const other = buckets[next]!
      if (other === EMPTY) break
      const wanted = home(this.keyLo(other), this.keyHi(other)) & mask
      if (((next - wanted) & mask) >= ((next - gap) & mask)) {
        buckets[gap] = other
        gap = next
      }
      next = (next + 1) & mask
    }
    buckets[gap] = EMPTY
    const keys = this.headers[row >>> SLAB_BITS]!
    const key = (row & SLAB_MASK) << this.#shift
    keys.fill(0, key, key + (1 << this.#shift))
    this.#free.push(row)
    this.#size--
    return row
  }

  saveState(): { meta: { rows: number; size: number }; arrays: { keys: Uint32Array[]; free: Uint32Array } } {
    const keys: Uint32Array[] = []
    for (let first = 0; first < this.#rows; first += SLAB) {
      keys.push(this.headers[first >>> SLAB_BITS]!.subarray(0, Math.min(SLAB, this.#rows - first) << this.#shift))
    }
    return { meta: { rows: this.#rows, size: this.#size }, arrays: { keys, free: Uint32Array.from(this.#free) } }
  }

  /** keys: [rows, words]. Copied. */
  loadState(rows: number, keys: Uint32Array, free: Uint32Array): void {
    this.#rows = rows
    this.#free = Array.from(free)
    this.#size = rows - free.length
    this.headers.length = 0
    for (let first = 0; first < rows; first += SLAB) {
      const slab = new Uint32Array(SLAB << this.#shift)
      slab.set(keys.subarray(first << this.#shift, Math.min(rows, first + SLAB) << this.#shift))
      this.headers.push(slab)
    }
    let buckets = 1024
    while (this.#size * 4 > buckets * 3) buckets *= 2
    this.#rehash(buckets)
  }

  /** Bytes held, for the memory figures. */
  get bytes(): number {
    return this.#buckets.byteLength + this.headers.length * (SLAB << this.#shift) * 4 + this.#free.length * 8
  }

  #rehash(length: number): void {
    this.#buckets = new Int32Array(length).fill(EMPTY)
    this.#mask = length - 1
    for (let row = 0; row < this.#rows; row++) {
      const lo = this.keyLo(row)
      const hi = this.keyHi(row)
      if ((lo | hi) !== 0) this.#place(row, lo, hi)
    }
  }

  #place(row: number, lo: number, hi: number): void {
    let at = home(lo, hi) & this.#mask
    while (this.#buckets[at] !== EMPTY) at = (at + 1) & this.#mask
    this.#buckets[at] = row
  }
}

/** Keys are hashes already, but mixing the words costs nothing and forgives weak ones. */
function home(lo: number, hi: number): number {
  return (lo ^ Math.imul(hi, 0x9e3779b1)) >>> 0
}
