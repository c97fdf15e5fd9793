/**
 * The records of the fast part, one a value, shared by all its tasks: found for an example by the keys in its columns,
 * made when the value is first learned, removed by age and by the row limit as embedding rows are.
 *   key lo, key hi, last touch, blocks of the fast part, owner lo, owner hi
 * The owner is the user of a value that is a cross with one; where no slot is, records have no words for it.
 * What the blocks hold is the fast part's own affair; it starts them through `StartRecord`.
 *
 * After find() or use() the public fields say where the example's records lie, the asking side's first, then the
 * answered side's, then those with a bias only. They are valid until the next call. Nothing is allocated for an example.
 */
import type { Config } from '../../config/schema.js'
import { MillraceError } from '../../domain/errors.js'
import type { Id } from '../../domain/event.js'
import type { LoadedState, PartState, PublishedState, RowEncoding, SnapshotKind, Stateful } from '../../domain/state.js'
import { ChangedRows } from '../../std/changed-rows.kernel.js'
import { KeyIndex, ROW_SLAB_BITS } from '../../std/key-index.kernel.js'
import type { ColumnLayout, Slab } from '../columns.js'
import type { FeatureLayout, Side } from '../layout.js'
import { encodedWords, type PublishedNumber } from './encoded-words.kernel.js'
import { removeOwned } from './owned-rows.kernel.js'
import { applyRows, followedEncoding, publishRows } from './published-rows.js'
import { type RetainedTable, Retention, type RetentionState } from './retention.js'
import { startRow } from './row-start.kernel.js'
import { keysOfUser } from './user-keys.js'

const SLAB_MASK = (1 << ROW_SLAB_BITS) - 1
const TOUCHED = 2
/** Where the blocks begin. */
export const FIRST_WORD = 3
const SIDES: readonly Side[] = ['asking', 'answered', 'bias']
const NO_SLAB = new Float32Array(0)

/** What a task has learned of an id is forgotten in part. */
export type ForgetRecord = (record: Float32Array, at: number, task: number) => void

/** A value's record comes into being; startVector(at) draws the start of a factor vector. */
export type StartRecord = (record: Float32Array, at: number, isId: boolean, startVector: (at: number) => void) => void

export interface FastRowStats {
  rows: number
  evicted: number
  expired: number
  bytes: number
}

interface SavedMeta {
  [key: string]: number | number[] | { hands: number[]; random: [number, number, number, number] }
  second: number
  rows: number
  evicted: number
  expired: number
  retention: RetentionState
  forgotten: number[]
  /** If changes are tracked: the checksum without the changed records. */
  sum?: [lo: number, hi: number]
}

export class FastRows implements Stateful, RetainedTable {
  readonly index: KeyIndex
  readonly pinned = 0
  asking = 0
  factored = 0
  count = 0
  readonly slabs: Float32Array[]
  readonly at: Int32Array
  readonly isId: Uint8Array
  /** Of the last example: [places, 2] keys of its values; [places] their rows, -1 where there is none. */
  readonly #keys: Uint32Array
  readonly #rows: Int32Array
  readonly #words: number
  readonly #layout: FeatureLayout
  readonly #ownerWord: number
  readonly #keyPlaces: number
  /** [places] in the order of the sides: place in the example's keys; whether it is an id, or a cross with a user. */
  readonly #places: Int32Array
  readonly #ids: Uint8Array
  readonly #crossed: Uint8Array
  /** Of #places, how many are of the asking side, and of both sides. */
  readonly #bounds: readonly [asking: number, factored: number]
  readonly #floats: Float32Array[] = []
  readonly #start: StartRecord
  readonly #forget: ForgetRecord
  /** By task: what was not touched since is forgotten when it is next. */
  readonly #forgotten: number[]
  readonly #vector: { dim: number; scale: number; seed: number }
  readonly #limits: Pick<Config['table'], 'expireAfter' | 'maxRows'>
  readonly #retention: Retention
  /** Words of a record that predictions need. */
  readonly #published: readonly PublishedNumber[]
  /** Of what it publishes, or follows. */
  #encoding: RowEncoding
  /** Records changed since the last publication; undefined: nobody publishes deltas. */
  #changes: ChangedRows | undefined
  #second = 0
  #removed = { evicted: 0, expired: 0 }

  constructor(
    layout: FeatureLayout,
    columns: ColumnLayout,
    words: number,
    { start, forget, tasks }: { start: StartRecord; forget: ForgetRecord; tasks: number },
    vector: { dim: number; scale: number; seed: number },
    limits: Pick<Config['table'], 'expireAfter' | 'maxRows'>,
    published: { numbers: readonly PublishedNumber[]; encoding: RowEncoding; tracksChanges: boolean },
  ) {
    const places = SIDES.map(side =>
      layout.slots.flatMap(slot =>
        slot.side === side
          ? Array.from({ length: slot.places }, (_, nth) => ({ place: slot.firstPlace + nth, slot }))
          : [],
      ),
    )
    const all = places.flat()
    this.#bounds = [places[0]!.length, places[0]!.length + places[1]!.length]
    this.#places = Int32Array.from(all, ({ place }) => place)
    this.#ids = Uint8Array.from(all, ({ slot }) => (slot.isId ? 1 : 0))
    this.#crossed = Uint8Array.from(all, ({ slot }) => (slot.ofUser === 'crossed' ? 1 : 0))
    this.slabs = all.map(() => NO_SLAB)
    this.at = new Int32Array(all.length)
    this.isId = new Uint8Array(all.length)
    this.#keys = new Uint32Array(all.length * 2)
    this.#rows = new Int32Array(all.length)
    this.#layout = layout
    this.#ownerWord = FIRST_WORD + words
    this.#words = this.#ownerWord + (this.#crossed.includes(1) ? 2 : 0)
    this.#keyPlaces = columns.keyPlaces
    this.#start = start
    this.#forget = forget
    this.#forgotten = new Array<number>(tasks).fill(0)
    this.#vector = vector
    this.#limits = limits
    this.index = new KeyIndex(1024, this.#words)
    this.#published = published.numbers
    this.#encoding = published.encoding
    if (published.tracksChanges) this.#changes = this.#newChanges()
    this.#retention = new Retention([this], vector.seed)
  }

  get size(): number {
    return this.index.size
  }

  /** To predict: records of the values that have one. row: of the slab. */
  find(slab: Slab, row: number): void {
    this.#gather(slab, row)
    this.index.findAll(this.#keys, this.#rows.length, this.#rows)
    this.#collect()
  }

  /**
   * To learn: every value has its record, touched now. isFound: find() was called for this row last. → Whether it was, and
   * the records are what it found: none is new, and nothing was forgotten.
   */
  use(slab: Slab, row: number, isFound: boolean): boolean {
    if (!isFound) this.find(slab, row)
    const keys = this.#keys
    let isSame = isFound
    for (let n = 0; n < this.#rows.length; n++) {
      const lo = keys[n * 2]!
      const hi = keys[n * 2 + 1]!
      if ((lo | hi) === 0) continue
      const known = this.#rows[n]!
      const found = known < 0 ? this.index.insert(lo, hi) : known
      this.#rows[n] = found
      if (known < 0 && this.index.inserted) {
        this.#create(found, lo, hi, n, slab, row)
        isSame = false
      } else {
        this.#changes?.changing(found)
        if (this.#ids[n] === 1 && this.#forgetOld(found)) isSame = false
      }
      this.index.slabs[found >>> ROW_SLAB_BITS]![(found & SLAB_MASK) * this.#words + TOUCHED] = this.#second
    }
    this.#collect()
    return isSame
  }

  /** Event time never runs backwards here, so that a late record can not make rows look old. */
  advance(eventTimeMs: number): void {
    const second = Math.floor(eventTimeMs / 1000)
    if (second > this.#second) this.#second = second
  }

  /** What a task knows of ids counts less: of each as soon as it is learned again. What came in this second is not meant. */
  forget(task: number): void {
    this.#forgotten[task] = this.#second
  }

  /** Expiry and the row limit; bounded work a call. */
  maintain(): void {
    const { expireAfter, maxRows } = this.#limits
    if (expireAfter !== undefined) {
      this.#removed.expired += this.#retention.expire(this.#second - Math.ceil(expireAfter / 1000))
    }
    this.#removed.evicted += this.#retention.evict(maxRows)
  }

  touched(row: number): number {
    return this.index.slabs[row >>> ROW_SLAB_BITS]![(row & SLAB_MASK) * this.#words + TOUCHED]!
  }

  inBatch(): boolean {
    return false
  }

  remove(row: number): void {
    this.#changes?.removing(row)
    this.index.remove(this.index.keyLo(row), this.index.keyHi(row))
  }

  /** Removes the records of a user: the user's own and those of crosses with the user. Returns how many. */
  erase(user: Id): number {
    const { own, owner } = keysOfUser(this.#layout, user)
    let removed = 0
    for (const key of own) {
      const row = this.index.find(key.lo, key.hi)
      if (row < 0) continue
      this.remove(row)
      removed++
    }
    if (owner === undefined || !this.#crossed.includes(1)) return removed
    return removed + removeOwned(this, this.#words, this.#ownerWord, owner.lo, owner.hi)
  }

  stats(): FastRowStats {
    return { rows: this.size, ...this.#removed, bytes: this.index.bytes + (this.#changes?.bytes ?? 0) }
  }

  publish(kind: SnapshotKind): PublishedState {
    // Without a record of changes everything is one.
    return publishRows(this.#changes ?? this.#newChanges(), kind, this.size, {}, this.#encoding)
  }

  /** Reads what publish() wrote. Records get no variances: such rows predict and never learn. */
  *apply(kind: SnapshotKind, state: LoadedState, encoding: string): Generator<void, string> {
    const next = followedEncoding(kind, this.#encoding, encoding)
    if (next !== this.#encoding) {
      this.#encoding = next
      this.#changes = this.#newChanges()
    }
    if (kind === 'full') this.#floats.length = 0
    const digest = yield* applyRows(this.#changes!, kind, state)
    this.#viewSlabs()
    return digest
  }

  saveState(): PartState {
    const { meta, arrays } = this.index.saveState()
    const changes = this.#changes?.saveState()
    const own: SavedMeta = {
      second: this.#second,
      rows: meta.rows,
      ...this.#removed,
      retention: this.#retention.saveState(),
      forgotten: this.#forgotten,
      ...(changes && { sum: changes.sum }),
    }
    const tracked = changes && { changed: changes.changed, removed: changes.removed }
    return { meta: own, arrays: { records: arrays.keys, free: arrays.free, ...tracked } }
  }

  loadState({ meta, arrays }: LoadedState): void {
    const { second, rows, evicted, expired, retention, forgotten = [], sum } = meta as unknown as SavedMeta
    const { records, free, changed, removed } = arrays
    if (records === undefined || free === undefined || records.length !== rows * this.#words) {
      throw new MillraceError('CHECKPOINT_INCOMPATIBLE', 'the saved rows of the fast part have another shape')
    }
    this.#second = second
    this.#removed = { evicted, expired }
    for (const [task, since] of forgotten.entries()) this.#forgotten[task] = since
    this.#retention.loadState(retention)
    this.index.loadState(rows, records as Uint32Array, free as Uint32Array)
    this.#floats.length = 0
    this.#viewSlabs()
    if (sum === undefined || changed === undefined || removed === undefined) return
    this.#changes?.loadState({ changed: changed as Uint32Array, removed: removed as Uint32Array, sum })
  }

  #gather({ keys }: Slab, row: number): void {
    const first = row * this.#keyPlaces
    for (let n = 0; n < this.#places.length; n++) {
      const word = (first + this.#places[n]!) * 2
      this.#keys[n * 2] = keys[word]!
      this.#keys[n * 2 + 1] = keys[word + 1]!
    }
  }

  /** Where the records of #rows lie. */
  #collect(): void {
    const [asking, factored] = this.#bounds
    const places = this.#rows.length
    let count = 0
    for (let n = 0; n < places; n++) {
      if (n === asking) this.asking = count
      if (n === factored) this.factored = count
      const row = this.#rows[n]!
      if (row < 0) continue
      this.slabs[count] = this.#floats[row >>> ROW_SLAB_BITS]!
      this.at[count] = (row & SLAB_MASK) * this.#words
      this.isId[count] = this.#ids[n]!
      count++
    }
    if (asking === places) this.asking = count
    if (factored === places) this.factored = count
    this.count = count
  }

  /** The record of a new row, for the n-th of the places of an example. */
  #create(row: number, lo: number, hi: number, n: number, example: Slab, exampleRow: number): void {
    this.#viewSlabs()
    const at = (row & SLAB_MASK) * this.#words
    const record = this.#floats[row >>> ROW_SLAB_BITS]!
    const { dim, scale, seed } = this.#vector
    this.#start(record, at, this.#ids[n] === 1, to => startRow(record, to, dim, scale, seed, lo, hi))
    if (this.#crossed[n] === 1) {
      const user = (exampleRow * this.#keyPlaces + this.#layout.userPlace) * 2
      const slab = this.index.slabs[row >>> ROW_SLAB_BITS]!
      slab[at + this.#ownerWord] = example.keys[user]!
      slab[at + this.#ownerWord + 1] = example.keys[user + 1]!
    }
    this.#changes?.created(row)
  }

  /** → Whether there was something to forget. */
  #forgetOld(row: number): boolean {
    const touched = this.touched(row)
    let isForgotten = false
    for (let task = 0; task < this.#forgotten.length; task++) {
      if (touched >= this.#forgotten[task]!) continue
      this.#forget(this.#floats[row >>> ROW_SLAB_BITS]!, (row & SLAB_MASK) * this.#words, task)
      isForgotten = true
    }
    return isForgotten
  }

  #newChanges(): ChangedRows {
    return new ChangedRows(this.index, encodedWords(this.index, this.#words, this.#published, this.#encoding))
  }

  #viewSlabs(): void {
    while (this.#floats.length < this.index.slabs.length) {
      this.#floats.push(new Float32Array(this.index.slabs[this.#floats.length]!.buffer))
    }
  }
}
