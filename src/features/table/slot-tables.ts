/**
 * All rows of the model: one table a table name, embeddings, biases and wide weights side by side. Lives in the
 * learning worker. Per step: gather('learn') → forward and backward → update(); at the batch barrier after it
 * maintain(), the only place where rows go. gather('score') may come at any time and changes nothing. A batch whose
 * gradient never comes (the learner stopped) leaves its rows as they were but for their time of last use.
 *
 * Cost depends on the batch, never on how many rows there are. Nothing here depends on wall time or on the order of
 * ids in memory: equal calls give equal rows and equal saved bytes, whatever was saved and restored in between.
 */
import type { Config } from '../../config/schema.js'
import { MillraceError } from '../../domain/errors.js'
import type { Id } from '../../domain/event.js'
import type { LoadedState, PartState, PublishedState, RowEncoding, SnapshotKind, Stateful } from '../../domain/state.js'
import type { ColumnLayout, Slab } from '../columns.js'
import type { FeatureLayout, SlotLayout } from '../layout.js'
import { addRowGradients, poolSlot, stepRows } from './embed.kernel.js'
import { addOffsetGradients, addOffsets, stepBiases, stepWide } from './offset.kernel.js'
import { PendingCounts } from './pending.kernel.js'
import { copyDense, findRows, NO_ROW, SlotKeys, useRows } from './resolve.kernel.js'
import { Retention, type RetentionState } from './retention.js'
import { keysOfUser } from './user-keys.js'
import { LATEST_SECOND, ValueTable } from './value-table.kernel.js'

/** Values that wait for admission are counted in at most so many places of 4 bytes. */
const MAX_PENDING = 1 << 20

export interface TableStats {
  /** Values with a row, and of these: values with biases, values with wide weights. */
  rows: number
  biases: number
  wide: number
  /** Since the beginning: rows made, rows removed by the limit, rows removed by age. */
  admitted: number
  evicted: number
  expired: number
  /** Memory held; for people, not for outputs: after a restore it may differ by how far the indexes had grown. */
  bytes: number
}

type SavedMeta = {
  second: number
  /** Rows of each table, freed ones included. */
  rows: number[]
  retention: RetentionState
  /** If changes are tracked: each table's checksum without the changed rows. */
  sums?: [lo: number, hi: number][]
} & Pick<TableStats, 'admitted' | 'evicted' | 'expired'>

interface BoundSlot {
  layout: SlotLayout
  table: ValueTable
  /** What a value without a row reads: a shared row, or NO_ROW. */
  unknown: number
}

export class SlotTables implements Stateful {
  readonly #tables: ValueTable[]
  readonly #slots: BoundSlot[]
  readonly #layout: FeatureLayout
  readonly #width: number
  readonly #tasks: number
  readonly #optimizer: Config['optimizer']
  readonly #limits: Config['table']
  readonly #pending: PendingCounts | undefined
  readonly #retention: Retention
  /** Event time never runs backwards here, so that a late record can not make rows look old. */
  #second = 0
  #counts = { admitted: 0, evicted: 0, expired: 0 }
  // The last gather: [n, keyPlaces] rows, and for a learn the rows' numbers in the batch.
  #learned = 0
  /** Multiplies the step sizes of rows and biases in the next updates. */
  rateFactor = 1
  #keyPlaces = 0
  #places = new Int32Array(0)
  #uniques = new Int32Array(0)
  readonly #found = new SlotKeys()
  /** Sums per row of the batch; one table at a time. */
  #sums = new Float64Array(0)

  constructor(
    layout: FeatureLayout,
    tasks: number,
    model: Pick<Config['model'], 'dim' | 'rowStart' | 'seed'>,
    optimizer: Config['optimizer'],
    table: Config['table'],
    tracksChanges = false,
    encoding: RowEncoding = 'float32',
  ) {
    this.#layout = layout
    this.#width = layout.embeddedSlots * model.dim
    this.#tasks = tasks
    this.#optimizer = optimizer
    this.#limits = table
    const start = {
      seed: model.seed,
      scale: model.rowStart,
      accumulator: optimizer.rows.accumulatorStart,
      biasAccumulator: optimizer.biases.accumulatorStart,
    }
    // A slot of the fast part alone has no row here.
    const slots = layout.slots.filter(slot => slot.embedIndex >= 0 || slot.bias || slot.wide)
    const names = [...new Set(slots.map(slot => slot.table))]
    this.#tables = names.map(name => {
      const users = slots.filter(slot => slot.table === name)
      const dim = users.some(slot => slot.embedIndex >= 0) ? model.dim : 0
      const bias = users.some(slot => slot.bias)
      const wide = users.some(slot => slot.wide)
      const owned = users.some(slot => slot.ofUser === 'crossed')
      return new ValueTable({ name, dim, tasks, bias, wide, owned }, start, tracksChanges, encoding)
    })
    const shareUnknown = table.admitAfter > 1
    this.#slots = slots.map((slot, at) => {
      const home = this.#tables[names.indexOf(slot.table)] as ValueTable
      if (!shareUnknown) return { layout: slot, table: home, unknown: NO_ROW }
      // Keys of values are hashes; (slot, 0) is none of them but for one chance in 2^64.
      home.pinned++
      return { layout: slot, table: home, unknown: home.findOrCreate(at + 1, 0) }
    })
    if (shareUnknown) this.#pending = new PendingCounts(Math.min(table.maxRows, MAX_PENDING))
    this.#retention = new Retention(this.#tables, model.seed)
  }

  /**
   * Reads the keys of rows from the shared columns and fills, for n = rows.length:
   * embedded [n, embeddedSlots * dim] (a multi-valued slot: the mean of its present values),
   * offset [n, tasks] (the sum of the values' biases and wide weights), dense [n, columns.dense].
   * 'score' creates nothing: a value without a row reads as zero, or as its slot's shared unknown row if admission is
   * on. 'learn' counts occurrences, admits and makes rows, and remembers the places for update().
   */
  gather(
    slabs: readonly Slab[],
    columns: ColumnLayout,
    rows: Int32Array,
    mode: 'score' | 'learn',
    eventTimeMs: number,
    out: { embedded: Float32Array; dense: Float32Array; offset: Float32Array },
  ): void {
    const n = rows.length
    const { keyPlaces } = columns
    if (this.#places.length < n * keyPlaces) this.#places = new Int32Array(n * keyPlaces * 2)
    if (mode === 'learn') this.#begin(n, keyPlaces, eventTimeMs)
    out.offset.fill(0, 0, n * this.#tasks)
    for (const { layout, table, unknown } of this.#slots) {
      const found = this.#found
      const count = found.find(table, layout, slabs, columns, rows)
      if (mode === 'score') findRows(found, count, layout, keyPlaces, unknown, this.#places)
      else {
        const { admitAfter } = this.#limits
        if (layout.ofUser === 'crossed') found.readOwners(this.#layout.userPlace, slabs, columns, rows)
        this.#counts.admitted += useRows(
          found,
          count,
          table,
          layout,
          keyPlaces,
          unknown,
          this.#pending,
          admitAfter,
          this.#places,
          this.#uniques,
        )
      }
      if (layout.embedIndex >= 0) poolSlot(table, layout, this.#places, keyPlaces, n, out.embedded, this.#width)
      if (layout.bias || layout.wide) {
        addOffsets(table, layout, this.#places, keyPlaces, n, out.offset, this.#optimizer.wide)
      }
    }
    copyDense(slabs, columns, rows, out.dense)
  }

  /**
   * Gradients of the loss summed over the examples of the last learn: embeddedGradient [n, embeddedSlots * dim],
   * offsetGradient [n, tasks]. Summed per row over the batch, then one step a row.
   */
  update(embeddedGradient: Float32Array, offsetGradient: Float32Array): void {
    const { rows, biases, wide } = this.#optimizer
    const n = this.#learned
    const uniques = this.#uniques
    const keyPlaces = this.#keyPlaces
    for (const table of this.#tables) {
      const { dim } = table.shape
      table.noteChanges()
      if (dim > 0) {
        const sums = this.#clearedSums(table.uniques * dim)
        for (const slot of this.#slots) {
          if (slot.table !== table || slot.layout.embedIndex < 0) continue
          addRowGradients(slot.layout, dim, uniques, keyPlaces, n, embeddedGradient, this.#width, sums)
        }
        stepRows(table, sums, rows.rate * this.rateFactor, rows.keep)
      }
      for (const kind of ['bias', 'wide'] as const) {
        if (!table.shape[kind]) continue
        const sums = this.#clearedSums(table.uniques * this.#tasks)
        for (const slot of this.#slots) {
          if (slot.table !== table || !slot.layout[kind]) continue
          addOffsetGradients(slot.layout, this.#tasks, uniques, keyPlaces, n, offsetGradient, sums)
        }
        if (kind === 'bias') stepBiases(table, sums, biases.rate * this.rateFactor)
        else stepWide(table, sums, wide)
      }
      table.settle(this.#second)
    }
    this.#learned = 0
  }

  /** Expiry by event time and the row limit; between batches. Bounded work a call. Returns how many rows went. */
  maintain(eventTimeMs: number): number {
    this.#advance(eventTimeMs)
    let expired = 0
    const { expireAfter, maxRows } = this.#limits
    if (expireAfter !== undefined) expired = this.#retention.expire(this.#second - Math.ceil(expireAfter / 1000))
    const evicted = this.#retention.evict(maxRows)
    this.#counts.expired += expired
    this.#counts.evicted += evicted
    return expired + evicted
  }

  /**
   * Removes the rows of a user: the user's own and those of crosses with the user. Between batches.
   * Returns how many. Counts before admission: the user's own go; those of crosses have no more than a few bits of a hash, and age.
   */
  erase(user: Id): number {
    this.#settle()
    let removed = 0
    const { own, owner } = keysOfUser(this.#layout, user)
    for (const key of own) {
      this.#pending?.forget(key.lo, key.hi)
      const table = this.#tables.find(table => table.shape.name === key.table)
      const row = table?.index.find(key.lo, key.hi) ?? -1
      if (table === undefined || row < 0) continue
      table.remove(row)
      removed++
    }
    if (owner === undefined) return removed
    return this.#tables.reduce((sum, table) => sum + table.removeOf(owner.lo, owner.hi), removed)
  }

  stats(): TableStats {
    const stats = { rows: 0, biases: 0, wide: 0, ...this.#counts, bytes: this.#pending?.bytes ?? 0 }
    for (const table of this.#tables) {
      stats.rows += table.size
      if (table.shape.bias) stats.biases += table.size
      if (table.shape.wide) stats.wide += table.size
      stats.bytes += table.bytes
    }
    return stats
  }

  /** What scoring needs of the rows, by table: all of them, or those that changed since the last publication. */
  publish(kind: SnapshotKind): [table: string, PublishedState][] {
    return this.#tables.map(table => [table.shape.name, table.publish(kind)])
  }

  /** For tables that follow published ones: brings one of them to the next version, in slices. Returns its checksum. */
  apply(name: string, kind: SnapshotKind, state: LoadedState, encoding: string): Generator<void, string> {
    const table = this.#tables.find(table => table.shape.name === name)
    if (table === undefined) throw new MillraceError('SNAPSHOT_CORRUPT', `the configuration has no table '${name}'`)
    return table.apply(kind, state, encoding)
  }

  get tableNames(): string[] {
    return this.#tables.map(table => table.shape.name)
  }

  saveState(): PartState {
    this.#settle()
    const arrays: PartState['arrays'] = {}
    const rows = this.#tables.map(table => {
      const saved = table.saveState()
      arrays[`${table.shape.name}.records`] = saved.records
      arrays[`${table.shape.name}.free`] = saved.free
      return saved.rows
    })
    const sums = this.#tables.flatMap(table => {
      if (table.changes === undefined) return []
      const { changed, removed, sum } = table.changes.saveState()
      arrays[`${table.shape.name}.changed`] = changed
      arrays[`${table.shape.name}.removed`] = removed
      return [sum]
    })
    if (this.#pending !== undefined) arrays.pending = this.#pending.saveState()
    const meta: SavedMeta = {
      second: this.#second,
      rows,
      ...this.#counts,
      retention: this.#retention.saveState(),
      ...(sums.length > 0 ? { sums } : {}),
    }
    return { meta: { ...meta }, arrays }
  }

  loadState({ meta, arrays }: LoadedState): void {
    const { second, rows, retention, sums, ...counts } = meta as unknown as SavedMeta
    this.#second = second
    this.#counts = counts
    this.#retention.loadState(retention)
    const array = (name: string) => {
      const found = arrays[name]
      if (found === undefined) throw new MillraceError('CHECKPOINT_INCOMPATIBLE', `the saved tables lack '${name}'`)
      return found as Uint32Array
    }
    this.#tables.forEach((table, at) => {
      const { name } = table.shape
      table.loadState(rows[at] ?? 0, array(`${name}.records`), array(`${name}.free`))
      // Without sums nothing was tracked, and a full snapshot comes before the next delta.
      const sum = sums?.[at]
      if (sum === undefined) return
      table.changes?.loadState({ changed: array(`${name}.changed`), removed: array(`${name}.removed`), sum })
    })
    this.#pending?.loadState(array('pending'))
  }

  #begin(n: number, keyPlaces: number, eventTimeMs: number): void {
    this.#settle()
    this.#advance(eventTimeMs)
    this.#learned = n
    this.#keyPlaces = keyPlaces
    if (this.#uniques.length < n * keyPlaces) this.#uniques = new Int32Array(n * keyPlaces * 2)
  }

  #settle(): void {
    for (const table of this.#tables) table.settle(this.#second)
    this.#learned = 0
  }

  #advance(eventTimeMs: number): void {
    const second = Math.min(Math.floor(eventTimeMs / 1000), LATEST_SECOND)
    if (second > this.#second) this.#second = second
  }

  #clearedSums(length: number): Float64Array {
    if (this.#sums.length < length) this.#sums = new Float64Array(length * 2)
    else this.#sums.fill(0, 0, length)
    return this.#sums
  }
}
