/**
 * Which rows of a KeyIndex have changed since they were last taken, and a checksum of all of them; both at the cost of
 * the rows that change, whatever the number of rows.
 *
 * Of a row only some words count; where they lie the owner says (RowWords). The owner calls created() behind an insert, changing() before the words
 * of rows change, removing() before a removal; takeChanges() or takeAll() gives what a reader needs and starts anew.
 * A reader's copy, of the same words at other places maybe, follows with apply(), in slices if it has other things to do.
 *
 * The checksum is the sum modulo 2^64 of a hash of each row's key and words, so it does not depend on where rows lie or
 * how they came about. A row leaves the sum when it first changes and comes back when it is taken: in between nothing
 * has to be kept of what it was. The sum is that of all rows only right behind a take or an apply.
 *
 * Rows are taken in the order of their numbers, which are part of the index's saved state: equal histories take equal
 * bytes, whatever was saved and restored in between.
 */
import { type KeyIndex, ROW_SLAB_BITS } from './key-index.kernel.js'

const SLAB_MASK = (1 << ROW_SLAB_BITS) - 1
/** Rows between two stops of applySlices(): a fraction of a millisecond. */
const SLICE_ROWS = 256
/** As taken; changed since; made since. */
const CLEAN = 0
const CHANGED = 1
const NEW = 2

export interface RowChanges {
  /** [n, 2] low word, high word. */
  keys: Uint32Array
  /** [n, places] */
  words: Uint32Array
  /** [m, 2] keys that are gone. A key may be in both: it went, and came back as another row. */
  removed: Uint32Array
}

/** The words of rows that count. */
export interface RowWords {
  readonly width: number
  /** Copies a row's words to `into` from `at` on. */
  read(row: number, into: Uint32Array, at: number): void
  /** The row is in the index; its words may have no place yet. */
  write(row: number, from: Uint32Array, at: number): void
}

/** Words at these places of the index's own records of `stride` words. */
export function recordWords(index: KeyIndex, stride: number, places: Int32Array): RowWords {
  const width = places.length
  return {
    width,
    read(row, into, at) {
      const slab = index.slabs[row >>> ROW_SLAB_BITS]!
      const record = (row & SLAB_MASK) * stride
      for (let p = 0; p < width; p++) into[at + p] = slab[record + places[p]!]!
    },
    write(row, from, at) {
      const slab = index.slabs[row >>> ROW_SLAB_BITS]!
      const record = (row & SLAB_MASK) * stride
      for (let p = 0; p < width; p++) slab[record + places[p]!] = from[at + p]!
    },
  }
}

export interface ChangedRowsState {
  /** Row numbers times two, plus one if the row was made since. */
  changed: Uint32Array
  removed: Uint32Array
  sum: [lo: number, hi: number]
}

export class ChangedRows {
  readonly #index: KeyIndex
  readonly #words: RowWords
  /** One row's words. */
  readonly #scratch: Uint32Array
  #marks = new Uint8Array(1024)
  /** Every row that is not clean, in any order, some twice, some of them clean again. */
  #rows = new Int32Array(256)
  #count = 0
  #removed = new Uint32Array(64)
  #removedWords = 0
  #sumLo = 0
  #sumHi = 0
  #hashLo = 0
  #hashHi = 0

  constructor(index: KeyIndex, words: RowWords) {
    this.#index = index
    this.#words = words
    this.#scratch = new Uint32Array(words.width)
  }

  /** The checksum: sixteen hexadecimal digits. */
  get digest(): string {
    return this.#sumHi.toString(16).padStart(8, '0') + this.#sumLo.toString(16).padStart(8, '0')
  }

  /** Words that count. */
  get width(): number {
    return this.#words.width
  }

  created(row: number): void {
    this.#note(row, NEW)
  }

  /** Few instructions for a row that has changed before. */
  changing(row: number): void {
    if (row < this.#marks.length && this.#marks[row] !== CLEAN) return
    this.#leaveSum(row)
    this.#note(row, CHANGED)
  }

  removing(row: number): void {
    const mark = row < this.#marks.length ? this.#marks[row]! : CLEAN
    if (mark === CLEAN) this.#leaveSum(row)
    else this.#marks[row] = CLEAN
    // Nobody knows of a row that was made since.
    if (mark === NEW) return
    if (this.#removedWords === this.#removed.length) {
      const longer = new Uint32Array(this.#removedWords * 2)
      longer.set(this.#removed)
      this.#removed = longer
    }
    this.#removed[this.#removedWords++] = this.#index.keyLo(row)
    this.#removed[this.#removedWords++] = this.#index.keyHi(row)
  }

  /** What has changed since the last take. */
  takeChanges(): RowChanges {
    const n = this.#sortChanged()
    const changes = this.#copy(this.#rows, n, this.#removed.slice(0, this.#removedWords))
    for (let i = 0; i < n; i++) this.#marks[this.#rows[i]!] = CLEAN
    this.#count = 0
    this.#removedWords = 0
    return changes
  }

  /** All rows. */
  takeAll(): RowChanges {
    const index = this.#index
    const rows = new Int32Array(index.size)
    let n = 0
    for (let row = 0; row < index.rows; row++) if (index.isLive(row)) rows[n++] = row
    this.#forget()
    return this.#copy(rows, n, new Uint32Array(0))
  }

  /** Brings a copy from what it was at the last take to what it was at this one. isAll: the copy had other rows, if any. */
  apply(changes: RowChanges, isAll: boolean): void {
    const slices = this.applySlices(changes, isAll)
    while (slices.next().done !== true);
  }

  /** The same, little by little; in between the copy is of no version. */
  *applySlices({ keys, words, removed }: RowChanges, isAll: boolean): Generator<void, void> {
    const index = this.#index
    if (isAll) {
      index.loadState(0, new Uint32Array(0), new Uint32Array(0))
      this.#forget()
    }
    for (let i = 0; i < removed.length; i += 2) {
      if (i % (SLICE_ROWS * 2) === 0) yield
      const row = index.find(removed[i]!, removed[i + 1]!)
      if (row < 0) continue
      this.#leaveSum(row)
      index.remove(removed[i]!, removed[i + 1]!)
    }
    const { width } = this.#words
    for (let i = 0, from = 0; i < keys.length / 2; i++, from += width) {
      if (i % SLICE_ROWS === 0) yield
      const row = index.insert(keys[i * 2]!, keys[i * 2 + 1]!)
      if (!index.inserted) this.#leaveSum(row)
      this.#words.write(row, words, from)
      this.#enterSum(row, words, from)
    }
  }

  saveState(): ChangedRowsState {
    const n = this.#sortChanged()
    const changed = Uint32Array.from(this.#rows.subarray(0, n), row => row * 2 + (this.#marks[row] === NEW ? 1 : 0))
    return { changed, removed: this.#removed.slice(0, this.#removedWords), sum: [this.#sumLo, this.#sumHi] }
  }

  /** Over an index that is restored already. */
  loadState({ changed, removed, sum: [lo, hi] }: ChangedRowsState): void {
    this.#forget()
    for (const code of changed) this.#note(code >>> 1, (code & 1) === 1 ? NEW : CHANGED)
    this.#removed = Uint32Array.from(removed.length < 64 ? new Uint32Array(64) : removed)
    this.#removed.set(removed)
    this.#removedWords = removed.length
    this.#sumLo = lo
    this.#sumHi = hi
  }

  /** Bytes held, for the memory figures. */
  get bytes(): number {
    return this.#marks.byteLength + this.#rows.byteLength + this.#removed.byteLength
  }

  #note(row: number, mark: number): void {
    if (row >= this.#marks.length) {
      const longer = new Uint8Array(Math.max(row + 1, this.#marks.length * 2))
      longer.set(this.#marks)
      this.#marks = longer
    }
    this.#marks[row] = mark
    if (this.#count === this.#rows.length) {
      const longer = new Int32Array(this.#count * 2)
      longer.set(this.#rows)
      this.#rows = longer
    }
    this.#rows[this.#count++] = row
  }

  /** Leaves each row that is not clean once at the front of #rows, ascending; says how many. */
  #sortChanged(): number {
    const rows = this.#rows.subarray(0, this.#count).sort()
    let n = 0
    for (let i = 0, last = -1; i < rows.length; i++) {
      const row = rows[i]!
      if (row === last || this.#marks[row] === CLEAN) continue
      last = row
      rows[n++] = row
    }
    this.#count = n
    return n
  }

  #forget(): void {
    for (let i = 0; i < this.#count; i++) this.#marks[this.#rows[i]!] = CLEAN
    this.#count = 0
    this.#removedWords = 0
    this.#sumLo = 0
    this.#sumHi = 0
  }

  #copy(rows: Int32Array, n: number, removed: Uint32Array): RowChanges {
    const { width } = this.#words
    const keys = new Uint32Array(n * 2)
    const words = new Uint32Array(n * width)
    for (let i = 0, to = 0; i < n; i++, to += width) {
      const row = rows[i]!
      keys[i * 2] = this.#index.keyLo(row)
      keys[i * 2 + 1] = this.#index.keyHi(row)
      this.#words.read(row, words, to)
      this.#enterSum(row, words, to)
    }
    return { keys, words, removed }
  }

  #enterSum(row: number, words: Uint32Array, at: number): void {
    this.#hash(row, words, at)
    const lo = this.#sumLo + this.#hashLo
    this.#sumLo = lo >>> 0
    this.#sumHi = (this.#sumHi + this.#hashHi + (lo > 0xffffffff ? 1 : 0)) >>> 0
  }

  #leaveSum(row: number): void {
    this.#words.read(row, this.#scratch, 0)
    this.#hash(row, this.#scratch, 0)
    const lo = this.#sumLo - this.#hashLo
    this.#sumLo = lo >>> 0
    this.#sumHi = (this.#sumHi - this.#hashHi - (lo < 0 ? 1 : 0)) >>> 0
  }

  /** Two lanes of murmur3's mixing with different constants. */
  #hash(row: number, words: Uint32Array, at: number): void {
    let a = this.#index.keyLo(row) ^ 0x9e3779b9
    let b = this.#index.keyHi(row) ^ 0x85ebca6b
    a = Math.imul(a ^ (b >>> 15), 0xcc9e2d51)
    b = Math.imul(b ^ (a >>> 13), 0x1b873593)
    for (let p = at; p < at + this.#words.width; p++) {
      const word = words[p]!
      a = Math.imul(a ^ word, 0xcc9e2d51)
      a ^= a >>> 15
      b = Math.imul(b ^ (word + a), 0x1b873593)
      b ^= b >>> 13
    }
    a = Math.imul(a ^ (b >>> 16), 0x85ebca6b)
    b = Math.imul(b ^ (a >>> 13), 0xc2b2ae35)
    this.#hashLo = (a ^ (b >>> 16)) >>> 0
    this.#hashHi = (b ^ (a >>> 15)) >>> 0
  }
}
