/**
 * The fast part in the worker: two-speed learning over the examples' columns. run() works through a list of operations
 * strictly in order: a row is predicted, a label is learned, or both; so every prediction is made after every label that
 * came before it. The deep part's predictions are made for all rows of the list at once: its weights do not change in
 * between.
 */

import type { Config } from '../config/schema.js'
import type { Id } from '../domain/event.js'
import { MASK_LEARNED } from '../domain/example.js'
import type { LoadedState, PartState, PublishedState, RowEncoding, SnapshotKind, Stateful } from '../domain/state.js'
import { type ColumnLayout, SLAB_ROWS, type Slab } from '../features/columns.js'
import type { FeatureLayout } from '../features/layout.js'
import { FastRows, FIRST_WORD } from '../features/table/fast-rows.kernel.js'
import { FACTOR_START, FACTORS } from '../model/fast/constants.js'
import { TwoSpeed } from '../model/fast/two-speed.kernel.js'
import type { ScoreCommand } from '../pipeline/learner.js'

export class FastPart implements Stateful {
  readonly #columns: ColumnLayout
  readonly #model: TwoSpeed
  readonly #rows: FastRows

  constructor(
    config: Config,
    layout: FeatureLayout,
    columns: ColumnLayout,
    tracksChanges: boolean,
    encoding: RowEncoding = 'float32',
  ) {
    const { tasks, fast, model, table, drift } = config
    this.#columns = columns
    this.#model = new TwoSpeed(tasks, layout.linear, FIRST_WORD)
    this.#rows = new FastRows(
      layout,
      columns,
      TwoSpeed.words(tasks.length),
      {
        start: (record, at, isId, startVector) => this.#model.startRecord(record, at, isId, startVector),
        forget: (record, at, task) => this.#model.forgetRecord(record, at, task, drift.forget),
        tasks: tasks.length,
      },
      { dim: FACTORS, scale: FACTOR_START, seed: model.seed },
      { expireAfter: table.expireAfter, maxRows: fast.maxRows },
      { numbers: this.#model.publishedNumbers(), encoding, tracksChanges },
    )
  }

  /** deep: [rows to score, tasks] natural units. Writes scores and notes into the columns. */
  run(slabs: readonly Slab[], { rows, operations, eventTimeMs }: ScoreCommand, deep: Float32Array): void {
    const { tasks, dense, notes } = this.#columns
    this.#rows.advance(eventTimeMs)
    let scored = 0
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      const slab = slabs[Math.floor(row / SLAB_ROWS)]!
      const at = row % SLAB_ROWS
      const isFresh = operations === undefined || operations.fresh[i] === 1
      if (isFresh) {
        this.#rows.find(slab, at)
        this.#model.predict(
          this.#rows,
          slab.dense,
          at * dense,
          deep,
          scored++ * tasks,
          slab.scores,
          at * tasks,
          slab.notes,
          at * notes,
        )
      }
      if (operations === undefined || !isLabelled(operations.mask, i * tasks, tasks)) continue
      const isPredicted = this.#rows.use(slab, at, isFresh)
      const { labels, mask } = operations
      this.#model.learn(
        this.#rows,
        slab.dense,
        at * dense,
        labels,
        mask,
        i * tasks,
        slab.notes,
        at * notes,
        isPredicted,
      )
    }
  }

  /** By task: what the parts of the row's score have said; see TwoSpeed. */
  contributions(names: readonly string[], slab: Slab, row: number): { name: string; value: number }[][] {
    return this.#model.contributions(names, slab.notes, (row % SLAB_ROWS) * this.#columns.notes)
  }

  /** Between steps. */
  maintain(): void {
    this.#rows.maintain()
  }

  /** Between commands; see FastRows. */
  forget(task: number): void {
    this.#rows.forget(task)
  }

  /** Between commands; see FastRows. */
  erase(user: Id): number {
    return this.#rows.erase(user)
  }

  /** What predictions need: means of values, and what all values share. */
  publish(kind: SnapshotKind): [part: string, PublishedState][] {
    const state = { meta: {}, arrays: this.#model.publishArrays() }
    return [
      ['fast', { form: 'whole', encoding: 'float32', state, rows: 0, changed: 0, removed: 0 }],
      ['fast.rows', this.#rows.publish(kind)],
    ]
  }

  /** Reads what publish() wrote under a name; of the shared values the checksum is that of their bytes. Then it predicts and never learns. */
  *apply(name: string, kind: SnapshotKind, state: LoadedState, encoding: string): Generator<void, string | undefined> {
    if (name === 'fast.rows') return yield* this.#rows.apply(kind, state, encoding)
    this.#model.applyArrays(state.arrays)
    return undefined
  }

  saveState(): PartState {
    const rows = this.#rows.saveState()
    return { meta: rows.meta, arrays: { ...rows.arrays, ...this.#model.saveArrays() } }
  }

  loadState(state: LoadedState): void {
    this.#rows.loadState(state)
    this.#model.loadArrays(state.arrays)
  }
}

function isLabelled(mask: Uint8Array, from: number, tasks: number): boolean {
  for (let t = 0; t < tasks; t++) if ((mask[from + t]! & MASK_LEARNED) !== 0) return true
  return false
}
