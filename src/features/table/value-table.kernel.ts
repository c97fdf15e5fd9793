/**
 * The rows of one table. A row is one record in the index's slabs, so that a step touches one place in memory for it:
 *   key lo, key hi, last touch, accumulator, vector [dim], biases [tasks, 2] (weight, accumulator), wide [tasks, 2] (z, n),
 *   owner lo, owner hi
 * the last four as the table's slots ask for them. The owner is the user of a value that is a cross with one. 80 bytes at dim 16. Growth adds a slab and moves nothing.
 *
 * Within a batch every row in use has a number of its own (`unique`), under which its gradients are summed. That number
 * is kept in the row's last-touch word, as IN_BATCH + unique, and replaced by the time when the batch is settled. So
 * finding duplicates costs no map, no sort and no memory, and a row in use can never look old.
 */
import type { LoadedState, PublishedState, RowEncoding, SnapshotKind } from '../../domain/state.js'
import { ChangedRows } from '../../std/changed-rows.kernel.js'
import { KeyIndex, ROW_SLAB_BITS } from '../../std/key-index.kernel.js'
import { encodedWords, type PublishedNumber } from './encoded-words.kernel.js'
import { removeOwned } from './owned-rows.kernel.js'
import { applyRows, followedEncoding, publishRows } from './published-rows.js'
import { startRow } from './row-start.kernel.js'

const SLAB_MASK = (1 << ROW_SLAB_BITS) - 1
const TOUCHED = 2
export const ACCUMULATOR = 3
export const VECTOR = 4
/** Last-touch words from here on are batch numbers; below are seconds of event time (until the year 2101). */
const IN_BATCH = 0xf8000000
export const LATEST_SECOND = IN_BATCH - 1

export interface TableShape {
  name: string
  /** 0 = no vector. */
  dim: number
  tasks: number
  bias: boolean
  wide: boolean
  /** Some values are crosses with a user. */
  owned: boolean
}

export interface RowStart {
  seed: number
  scale: number
  accumulator: number
  biasAccumulator: number
}

export class ValueTable {
  readonly shape: TableShape
  readonly words: number
  /** Where in a record the biases and the wide pairs begin. */
  readonly biasWord: number
  readonly wideWord: number
  readonly #ownerWord: number
  readonly index: KeyIndex
  /** The index's slabs as floats: [rows of a slab, words]. */
  readonly floats: Float32Array[] = []
  /** Rows below are the shared ones of unknown values: never removed. */
  pinned = 0
  /** Rows of the current batch by their number in it. */
  uniqueRows = new Int32Array(1024)
  uniques = 0
  /** Rows changed since the last publication; undefined: nobody publishes deltas. */
  changes: ChangedRows | undefined
  /** Of what it publishes, or follows. */
  #encoding: RowEncoding
  readonly #start: RowStart

  constructor(shape: TableShape, start: RowStart, tracksChanges: boolean, encoding: RowEncoding = 'float32') {
    const { dim, tasks, bias, wide, owned } = shape
    this.shape = shape
    this.#start = start
    this.#encoding = encoding
    this.biasWord = VECTOR + dim
    this.wideWord = this.biasWord + (bias ? tasks * 2 : 0)
    this.#ownerWord = this.wideWord + (wide ? tasks * 2 : 0)
    this.words = this.#ownerWord + (owned ? 2 : 0)
    this.index = new KeyIndex(1024, this.words)
    this.changes = tracksChanges ? this.#newChanges() : undefined
  }

  /** Rows of values, without the shared ones. */
  get size(): number {
    return this.index.size - this.pinned
  }

  /** The key's row, made if there is none (index.inserted). A new record's words are zero: a freed one was wiped. */
  findOrCreate(lo: number, hi: number): number {
    const row = this.index.insert(lo, hi)
    if (!this.index.inserted) return row
    const { dim, tasks, bias } = this.shape
    const start = this.#start
    this.#viewSlabs()
    const floats = this.floats[row >>> ROW_SLAB_BITS]!
    const at = (row & SLAB_MASK) * this.words
    floats[at + ACCUMULATOR] = start.accumulator
    startRow(floats, at + VECTOR, dim, start.scale, start.seed, lo, hi)
    if (bias) for (let task = 0; task < tasks; task++) floats[at + this.biasWord + task * 2 + 1] = start.biasAccumulator
    this.changes?.created(row)
    return row
  }

  /** Of a row that has just been made, in a table that has owners. */
  setOwner(row: number, lo: number, hi: number): void {
    const slab = this.index.slabs[row >>> ROW_SLAB_BITS]!
    const at = (row & SLAB_MASK) * this.words + this.#ownerWord
    slab[at] = lo
    slab[at + 1] = hi
  }

  /** The row's number in the current batch. */
  use(row: number): number {
    const slab = this.index.slabs[row >>> ROW_SLAB_BITS]!
    const at = (row & SLAB_MASK) * this.words + TOUCHED
    const touched = slab[at]!
    if (touched >= IN_BATCH) return touched - IN_BATCH
    const unique = this.uniques++
    if (unique === this.uniqueRows.length) {
      const longer = new Int32Array(unique * 2)
      longer.set(this.uniqueRows)
      this.uniqueRows = longer
    }
    this.uniqueRows[unique] = row
    slab[at] = IN_BATCH + unique
    return unique
  }

  /** The rows of the batch are about to change. */
  noteChanges(): void {
    if (this.changes === undefined) return
    for (let unique = 0; unique < this.uniques; unique++) this.changes.changing(this.uniqueRows[unique]!)
  }

  /** Ends the batch: its rows were last touched now. */
  settle(second: number): void {
    for (let unique = 0; unique < this.uniques; unique++) {
      const row = this.uniqueRows[unique]!
      this.index.slabs[row >>> ROW_SLAB_BITS]![(row & SLAB_MASK) * this.words + TOUCHED] = second
    }
    this.uniques = 0
  }

  /** Seconds of event time at the last use; a row of the current batch reads as later than any time. */
  touched(row: number): number {
    return this.index.slabs[row >>> ROW_SLAB_BITS]![(row & SLAB_MASK) * this.words + TOUCHED]!
  }

  inBatch(row: number): boolean {
    return this.touched(row) >= IN_BATCH
  }

  remove(row: number): void {
    this.changes?.removing(row)
    this.index.remove(this.index.keyLo(row), this.index.keyHi(row))
  }

  /** Removes the rows of an owner; how many that were. Goes through the whole table. Between batches only. */
  removeOf(lo: number, hi: number): number {
    return this.shape.owned ? removeOwned(this, this.words, this.#ownerWord, lo, hi) : 0
  }

  get bytes(): number {
    return this.index.bytes + (this.changes?.bytes ?? 0)
  }

  /**
   * What scoring needs of a row: vector [dim], the biases' weights [tasks], wide [tasks, 2] (z, n). Wide weights follow from
   * (z, n) in double precision, so publishing those keeps a reader's scores the learner's, to the bit.
   */
  publish(kind: SnapshotKind): PublishedState {
    const { dim, tasks, bias, wide } = this.shape
    const about = { dim, tasks, bias, wide }
    // Without a record of changes everything is one.
    return publishRows(this.changes ?? this.#newChanges(), kind, this.index.size, about, this.#encoding)
  }

  /** Reads what publish() wrote. Rows get no accumulators: such a table scores and never learns. */
  *apply(kind: SnapshotKind, state: LoadedState, encoding: string): Generator<void, string> {
    const next = followedEncoding(kind, this.#encoding, encoding)
    if (next !== this.#encoding) {
      this.#encoding = next
      this.changes = this.#newChanges()
    }
    if (kind === 'full') this.floats.length = 0
    const digest = yield* applyRows(this.changes!, kind, state)
    this.#viewSlabs()
    return digest
  }

  /** Between batches only. Rows as they lie, freed ones included: their order of reuse is part of the future. */
  saveState(): { rows: number; records: Uint32Array[]; free: Uint32Array } {
    const { meta, arrays } = this.index.saveState()
    return { rows: meta.rows, records: arrays.keys, free: arrays.free }
  }

  loadState(rows: number, records: Uint32Array, free: Uint32Array): void {
    this.index.loadState(rows, records, free)
    this.floats.length = 0
    this.#viewSlabs()
  }

  #newChanges(): ChangedRows {
    const { dim, tasks, bias, wide } = this.shape
    const numbers: PublishedNumber[] = []
    for (let d = 0; d < dim; d++) numbers.push({ place: VECTOR + d, what: 'coordinate' })
    if (bias) for (let task = 0; task < tasks; task++) numbers.push({ place: this.biasWord + task * 2, what: 'bias' })
    // An L1 threshold decides about these.
    if (wide) for (let word = 0; word < tasks * 2; word++) numbers.push({ place: this.wideWord + word, what: 'exact' })
    return new ChangedRows(this.index, encodedWords(this.index, this.words, numbers, this.#encoding))
  }

  #viewSlabs(): void {
    while (this.floats.length < this.index.slabs.length) {
      this.floats.push(new Float32Array(this.index.slabs[this.floats.length]!.buffer))
    }
  }
}
