/**
 * What waits in the join, as columns of a growable ring in arrival order, findable by its (user, item) pair.
 *
 * Entries are named by a sequence number that only grows; entry n lies in place n & mask. Entries leave only at the head, but
 * for those of a user who is erased: then the ones behind them move up, and get other numbers.
 * Entries of one pair are linked from the newest arrival to the older ones, and the oldest arrival leaves first, so no
 * link ever has to be mended: a link to a number below the head leads nowhere. Saved in arrival order; links and the
 * index are rebuilt, so neither sequence numbers, places nor rows of the index are part of the state.
 *
 * baseMs is the time from which an entry's waiting is counted: its own time, but never before the watermark at its
 * arrival nor before the entry ahead of it. That keeps the queue sorted without a heap.
 *
 * Used for impressions (labels and bits: what they got so far; one row) and for positives without an impression
 * (labels and bits: what they would give; no bits: they found their impression; the rows of their organic example).
 */
import type { LoadedState, PartState } from '../domain/state.js'
import { KeyIndex, LOOSE } from '../std/key-index.kernel.js'
import type { PairKey } from './pair-key.js'

const NONE = -1

export class PairQueue {
  readonly #tasks: number
  readonly #rowPlaces: number
  #index = new KeyIndex(1024, 2, LOOSE)
  /** By row of the index: the pair's newest entry. */
  #newest = new Float64Array(1024)
  #head = 0
  #tail = 0
  #mask = 0
  #times = new Float64Array(0)
  #bases = new Float64Array(0)
  #older = new Float64Array(0)
  #pairs = new Int32Array(0) // row of the index
  #users = new Uint32Array(0) // [places, 2] hash, for erase()
  #requests = new Uint32Array(0) // [places, 2]
  #bits = new Uint32Array(0)
  #tags = new Uint8Array(0)
  #labels = new Float32Array(0) // [places, tasks]
  #rows = new Int32Array(0) // [places, rowPlaces]
  #rowCounts = new Uint8Array(0)

  constructor(tasks: number, rowPlaces: number) {
    this.#tasks = tasks
    this.#rowPlaces = rowPlaces
    this.#resize(64)
  }

  /** The oldest entry. */
  get head(): number {
    return this.#head
  }

  /** One more than the newest entry. */
  get tail(): number {
    return this.#tail
  }

  get size(): number {
    return this.#tail - this.#head
  }

  /** A new entry without labels and rows. floorMs: the watermark. */
  push(key: EntryKey, timeMs: number, floorMs: number): number {
    if (this.size > this.#mask) this.#resize((this.#mask + 1) * 2)
    const entry = this.#tail
    const at = entry & this.#mask
    let baseMs = Math.max(timeMs, floorMs)
    if (entry > this.#head) baseMs = Math.max(baseMs, this.#bases[(entry - 1) & this.#mask]!)
    this.#times[at] = timeMs
    this.#bases[at] = baseMs
    this.#users[at * 2] = key.userLo
    this.#users[at * 2 + 1] = key.userHi
    this.#requests[at * 2] = key.requestLo
    this.#requests[at * 2 + 1] = key.requestHi
    this.#bits[at] = 0
    this.#tags[at] = 0
    this.#rowCounts[at] = 0
    this.#labels.fill(0, at * this.#tasks, (at + 1) * this.#tasks)
    this.#link(entry, key.lo, key.hi)
    this.#tail++
    return entry
  }

  /** Drops the oldest entry. */
  shift(): void {
    const pair = this.#pairs[this.#head & this.#mask]!
    if (this.#newest[pair] === this.#head) this.#index.remove(this.#index.keyLo(pair), this.#index.keyHi(pair))
    this.#head++
  }

  /** Whether the entry is this user's. */
  isOf(entry: number, userLo: number, userHi: number): boolean {
    const at = (entry & this.#mask) * 2
    return this.#users[at] === userLo && this.#users[at + 1] === userHi
  }

  /** Drops all entries of a user, from wherever they are. The others keep their order; the head keeps its number. */
  erase(userLo: number, userHi: number): void {
    const columns = this.#columns()
    const pairs = Uint32Array.from({ length: this.size * 2 }, (_, word) => {
      const entry = this.#head + (word >>> 1)
      return word % 2 === 0 ? this.pairLo(entry) : this.pairHi(entry)
    })
    const end = this.#tail
    this.#index = new KeyIndex(1024, 2, LOOSE)
    this.#tail = this.#head
    for (let entry = this.#head; entry < end; entry++) {
      if (this.isOf(entry, userLo, userHi)) continue
      const from = entry & this.#mask
      const to = this.#tail & this.#mask
      if (from !== to)
        for (const [column, width] of columns) column.copyWithin(to * width, from * width, (from + 1) * width)
      const pair = (entry - this.#head) * 2
      this.#link(this.#tail++, pairs[pair]!, pairs[pair + 1]!)
    }
  }

  /** The newest entry of the pair, or -1. */
  newest(lo: number, hi: number): number {
    const pair = this.#index.find(lo, hi)
    return pair < 0 ? NONE : this.#newest[pair]!
  }

  /** The entry of the same pair that came before, or -1. */
  older(entry: number): number {
    const older = this.#older[entry & this.#mask]!
    return older < this.#head ? NONE : older
  }

  pairLo(entry: number): number {
    return this.#index.keyLo(this.#pairs[entry & this.#mask]!)
  }

  pairHi(entry: number): number {
    return this.#index.keyHi(this.#pairs[entry & this.#mask]!)
  }

  /** What the entry was pushed with. */
  key(entry: number): EntryKey {
    const at = (entry & this.#mask) * 2
    return {
      lo: this.pairLo(entry),
      hi: this.pairHi(entry),
      userLo: this.#users[at]!,
      userHi: this.#users[at + 1]!,
      requestLo: this.#requests[at]!,
      requestHi: this.#requests[at + 1]!,
    }
  }

  timeMs(entry: number): number {
    return this.#times[entry & this.#mask]!
  }

  baseMs(entry: number): number {
    return this.#bases[entry & this.#mask]!
  }

  /** Whether the entry has this request id; (0, 0) = none, which is never equal. */
  hasRequest(entry: number, lo: number, hi: number): boolean {
    const at = (entry & this.#mask) * 2
    return (lo | hi) !== 0 && this.#requests[at] === lo && this.#requests[at + 1] === hi
  }

  requestLo(entry: number): number {
    return this.#requests[(entry & this.#mask) * 2]!
  }

  requestHi(entry: number): number {
    return this.#requests[(entry & this.#mask) * 2 + 1]!
  }

  /** Bit t: task t has a label. */
  bits(entry: number): number {
    return this.#bits[entry & this.#mask]!
  }

  hasLabel(entry: number, task: number): boolean {
    return (this.bits(entry) & (1 << task)) !== 0
  }

  clearBits(entry: number): void {
    this.#bits[entry & this.#mask] = 0
  }

  label(entry: number, task: number): number {
    return this.#labels[(entry & this.#mask) * this.#tasks + task]!
  }

  setLabel(entry: number, task: number, label: number): void {
    const at = entry & this.#mask
    this.#bits[at] = this.#bits[at]! | (1 << task)
    this.#labels[at * this.#tasks + task] = label
  }

  /** A small number for the owner's use. */
  tag(entry: number): number {
    return this.#tags[entry & this.#mask]!
  }

  setTag(entry: number, tag: number): void {
    this.#tags[entry & this.#mask] = tag
  }

  rowCount(entry: number): number {
    return this.#rowCounts[entry & this.#mask]!
  }

  row(entry: number, index: number): number {
    return this.#rows[(entry & this.#mask) * this.#rowPlaces + index]!
  }

  addRow(entry: number, row: number): void {
    const at = entry & this.#mask
    this.#rows[at * this.#rowPlaces + this.#rowCounts[at]!] = row
    this.#rowCounts[at]!++
  }

  clearRows(entry: number): void {
    this.#rowCounts[entry & this.#mask] = 0
  }

  /** Rows of all entries, in arrival order. */
  rows(): Int32Array {
    let count = 0
    for (let entry = this.#head; entry < this.#tail; entry++) count += this.rowCount(entry)
    const rows = new Int32Array(count)
    let at = 0
    for (let entry = this.#head; entry < this.#tail; entry++) {
      for (let index = 0; index < this.rowCount(entry); index++) rows[at++] = this.row(entry, index)
    }
    return rows
  }

  /** Copies; without row numbers. */
  saveArrays(prefix: string): PartState['arrays'] {
    const size = this.size
    const pairs = new Uint32Array(size * 2)
    for (let index = 0; index < size; index++) {
      const pair = this.#pairs[(this.#head + index) & this.#mask]!
      pairs[index * 2] = this.#index.keyLo(pair)
      pairs[index * 2 + 1] = this.#index.keyHi(pair)
    }
    return {
      [`${prefix}.pairs`]: pairs,
      [`${prefix}.times`]: this.#unroll(this.#times, new Float64Array(size), 1),
      [`${prefix}.bases`]: this.#unroll(this.#bases, new Float64Array(size), 1),
      [`${prefix}.users`]: this.#unroll(this.#users, new Uint32Array(size * 2), 2),
      [`${prefix}.requests`]: this.#unroll(this.#requests, new Uint32Array(size * 2), 2),
      [`${prefix}.bits`]: this.#unroll(this.#bits, new Uint32Array(size), 1),
      [`${prefix}.tags`]: this.#unroll(this.#tags, new Uint8Array(size), 1),
      [`${prefix}.labels`]: this.#unroll(this.#labels, new Float32Array(size * this.#tasks), this.#tasks),
      [`${prefix}.rowCounts`]: this.#unroll(this.#rowCounts, new Uint8Array(size), 1),
    }
  }

  /** rows: as rows() gave them. On an empty queue. Returns how many of the rows it took, from `firstRow` on. */
  loadArrays(prefix: string, arrays: LoadedState['arrays'], rows: Int32Array, firstRow: number): number {
    const pairs = arrays[`${prefix}.pairs`] as Uint32Array
    const size = pairs.length / 2
    let places = this.#mask + 1
    while (places < size) places *= 2
    this.#resize(places)
    this.#times.set(arrays[`${prefix}.times`] as Float64Array)
    this.#bases.set(arrays[`${prefix}.bases`] as Float64Array)
    this.#users.set(arrays[`${prefix}.users`] as Uint32Array)
    this.#requests.set(arrays[`${prefix}.requests`] as Uint32Array)
    this.#bits.set(arrays[`${prefix}.bits`] as Uint32Array)
    this.#tags.set(arrays[`${prefix}.tags`] as Uint8Array)
    this.#labels.set(arrays[`${prefix}.labels`] as Float32Array)
    this.#rowCounts.set(arrays[`${prefix}.rowCounts`] as Uint8Array)
    let taken = 0
    for (let entry = 0; entry < size; entry++) {
      this.#link(entry, pairs[entry * 2]!, pairs[entry * 2 + 1]!)
      for (let index = 0; index < this.#rowCounts[entry]!; index++) {
        this.#rows[entry * this.#rowPlaces + index] = rows[firstRow + taken++]!
      }
    }
    this.#tail = size
    return taken
  }

  #link(entry: number, lo: number, hi: number): void {
    const pair = this.#index.insert(lo, hi)
    if (pair >= this.#newest.length) {
      const newest = new Float64Array(this.#newest.length * 2)
      newest.set(this.#newest)
      this.#newest = newest
    }
    this.#older[entry & this.#mask] = this.#index.inserted ? NONE : this.#newest[pair]!
    this.#newest[pair] = entry
    this.#pairs[entry & this.#mask] = pair
  }

  /** Everything of an entry but its links. */
  #columns(): [column: Column, width: number][] {
    return [
      [this.#times, 1],
      [this.#bases, 1],
      [this.#users, 2],
      [this.#requests, 2],
      [this.#bits, 1],
      [this.#tags, 1],
      [this.#labels, this.#tasks],
      [this.#rows, this.#rowPlaces],
      [this.#rowCounts, 1],
    ]
  }

  #resize(places: number): void {
    const grown = <A extends Column>(column: A, made: A, width: number): A => {
      for (let entry = this.#head; entry < this.#tail; entry++) {
        const from = (entry & this.#mask) * width
        const to = (entry & (places - 1)) * width
        for (let index = 0; index < width; index++) made[to + index] = column[from + index]!
      }
      return made
    }
    this.#times = grown(this.#times, new Float64Array(places), 1)
    this.#bases = grown(this.#bases, new Float64Array(places), 1)
    this.#older = grown(this.#older, new Float64Array(places), 1)
    this.#pairs = grown(this.#pairs, new Int32Array(places), 1)
    this.#users = grown(this.#users, new Uint32Array(places * 2), 2)
    this.#requests = grown(this.#requests, new Uint32Array(places * 2), 2)
    this.#bits = grown(this.#bits, new Uint32Array(places), 1)
    this.#tags = grown(this.#tags, new Uint8Array(places), 1)
    this.#labels = grown(this.#labels, new Float32Array(places * this.#tasks), this.#tasks)
    this.#rows = grown(this.#rows, new Int32Array(places * this.#rowPlaces), this.#rowPlaces)
    this.#rowCounts = grown(this.#rowCounts, new Uint8Array(places), 1)
    this.#mask = places - 1
  }

  #unroll<A extends Column>(column: A, made: A, width: number): A {
    const first = (this.#head & this.#mask) * width
    const untilEnd = Math.min(made.length, column.length - first)
    made.set(column.subarray(first, first + untilEnd))
    made.set(column.subarray(0, made.length - untilEnd), untilEnd)
    return made
  }
}

/** As PairKey has it. */
export type EntryKey = Pick<PairKey, 'lo' | 'hi' | 'userLo' | 'userHi' | 'requestLo' | 'requestHi'>

type Column = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array
