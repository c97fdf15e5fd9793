/**
 * What makes a score of an example's columns, for the learner and for everybody who scores with what it has published:
 * embedding rows → network → fast part and stack → calibration. It owns the parts and the buffers between them; who
 * learns, learns through the parts.
 *
 * Calls must not overlap.
 */
import type { Backend } from '../backend/backend.js'
import type { Config } from '../config/schema.js'
import { classColumns, type TaskClasses, taskClasses } from '../config/task-classes.js'
import { MillraceError } from '../domain/errors.js'
import type { RowEncoding } from '../domain/state.js'
import { type ColumnLayout, SLAB_ROWS, type Slab } from '../features/columns.js'
import { type FeatureLayout, layoutFeatures } from '../features/layout.js'
import { SlotTables } from '../features/table/slot-tables.js'
import { classProbabilities } from '../model/class-shares.kernel.js'
import { type DeepInput, DeepModel } from '../model/deep-model.js'
import type { ScoreCommand } from '../pipeline/learner.js'
import { Calibrator } from './calibrator.kernel.js'
import { columnsOf, fastNotes } from './columns-of.js'
import { FastPart } from './fast-part.kernel.js'

const NO_ROWS = new Int32Array(0)
/** Of a batch, when it is asked how much the tasks take of the experts. */
const GATED = 128

export class Predictor {
  readonly layout: FeatureLayout
  readonly columns: ColumnLayout
  readonly deep: DeepModel
  readonly tables: SlotTables
  readonly fast: FastPart | undefined
  readonly calibrator: Calibrator | undefined
  readonly #tasks: number
  readonly #dim: number
  readonly #classes: readonly TaskClasses[]
  readonly #classColumns: number
  /** Of an example's notes, where the shares of classes begin. */
  readonly #shareNotes: number
  #capacity = 0
  #gathered = 0
  #input = { embedded: new Float32Array(0), dense: new Float32Array(0), offset: new Float32Array(0) }

  private constructor(
    config: Config,
    layout: FeatureLayout,
    deep: DeepModel,
    tracksChanges: boolean,
    encoding: RowEncoding,
  ) {
    this.layout = layout
    this.columns = columnsOf(config, layout)
    this.deep = deep
    this.#tasks = config.tasks.length
    this.#dim = config.model.dim
    this.#classes = taskClasses(config.tasks)
    this.#classColumns = classColumns(this.#classes)
    this.#shareNotes = fastNotes(config)
    const { model, optimizer, table } = config
    this.tables = new SlotTables(layout, this.#tasks, model, optimizer, table, tracksChanges, encoding)
    this.fast = config.fast.enabled ? new FastPart(config, layout, this.columns, tracksChanges, encoding) : undefined
    const isCalibrated = config.tasks.some(task => task.calibration !== undefined)
    this.calibrator = isCalibrated ? new Calibrator(config.tasks, this.columns) : undefined
  }

  /** tracksChanges: deltas are published, or followed. encoding: of rows that are published; who follows finds it there. */
  static async create(
    config: Config,
    backend: Backend,
    tracksChanges: boolean,
    encoding: RowEncoding = 'float32',
  ): Promise<Predictor> {
    const layout = layoutFeatures(config.features, config.fast.enabled)
    const spec = {
      tasks: config.tasks,
      slots: layout.embeddedSlots,
      dense: layout.dense.length,
      model: config.model,
      optimizer: config.optimizer.dense,
      weights: config.weights,
    }
    return new Predictor(config, layout, await DeepModel.create(spec, backend), tracksChanges, encoding)
  }

  /** Writes the rows' scores, and what learning needs to know of them later, into their columns. */
  async score(slabs: readonly Slab[], command: ScoreCommand): Promise<void> {
    const { rows, operations, eventTimeMs } = command
    const scored = operations === undefined ? rows : rows.filter((_, i) => operations.fresh[i] === 1)
    const { values, shares } = await this.deep.predict(this.gather(slabs, scored, 'score', eventTimeMs))
    if (this.fast === undefined) {
      for (let i = 0; i < rows.length; i++) this.writeScores(slabs, rows[i] ?? 0, values, i)
    } else this.fast.run(slabs, command, values)
    if (this.#classColumns > 0) for (const [i, row] of scored.entries()) this.writeShares(slabs, row, shares, i)
    for (const row of this.calibrator === undefined ? NO_ROWS : scored) this.calibrator?.apply(slabOf(slabs, row), row)
  }

  /** The network's input; valid until the next call. */
  gather(slabs: readonly Slab[], rows: Int32Array, mode: 'score' | 'learn', eventTimeMs: number): DeepInput {
    this.#reserve(rows.length)
    this.#gathered = rows.length
    this.tables.gather(slabs, this.columns, rows, mode, eventTimeMs, this.#input)
    return { n: rows.length, ...this.#input }
  }

  /**
   * By task, how much it takes of each expert: the mean over the last batch, or the beginning of it. undefined: the
   * architecture has no experts, or there was no batch.
   */
  async gates(): Promise<number[][] | undefined> {
    const n = Math.min(this.#gathered, GATED)
    const gates = await this.deep.gates({ n, ...this.#input })
    if (gates === undefined) return undefined
    const experts = gates.length / (n * this.#tasks)
    const means = Array.from({ length: this.#tasks }, () => new Array<number>(experts).fill(0))
    for (const [at, gate] of gates.entries()) {
      const mean = means[Math.floor(at / experts) % this.#tasks] ?? []
      mean[at % experts] = (mean[at % experts] ?? 0) + gate / n
    }
    return means
  }

  /** [n, tasks] as they stand in the columns. */
  readScores(slabs: readonly Slab[], rows: Int32Array): Float32Array {
    const tasks = this.#tasks
    const values = new Float32Array(rows.length * tasks)
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? 0
      const at = (row % SLAB_ROWS) * tasks
      const { scores } = slabOf(slabs, row)
      for (let task = 0; task < tasks; task++) values[i * tasks + task] = scores[at + task] ?? 0
    }
    return values
  }

  /** Line i of values [n, tasks] becomes the row's score. */
  writeScores(slabs: readonly Slab[], row: number, values: Float32Array, i: number): void {
    const at = (row % SLAB_ROWS) * this.#tasks
    const { scores } = slabOf(slabs, row)
    for (let task = 0; task < this.#tasks; task++) scores[at + task] = values[i * this.#tasks + task] ?? 0
  }

  /** Line i of shares [n, classes] becomes the row's, for readClasses(). */
  writeShares(slabs: readonly Slab[], row: number, shares: Float32Array, i: number): void {
    const columns = this.#classColumns
    const at = (row % SLAB_ROWS) * this.columns.notes + this.#shareNotes
    slabOf(slabs, row).notes.set(shares.subarray(i * columns, (i + 1) * columns), at)
  }

  /** [n, classes] probabilities by the scores as they stand in the columns; undefined: no task is categorical. */
  readClasses(slabs: readonly Slab[], rows: Int32Array): Float32Array | undefined {
    const columns = this.#classColumns
    if (columns === 0) return undefined
    const classes = new Float32Array(rows.length * columns)
    for (const [i, row] of rows.entries()) {
      const { notes, scores } = slabOf(slabs, row)
      const at = row % SLAB_ROWS
      const from = at * this.columns.notes + this.#shareNotes
      classProbabilities(notes, from, scores, at * this.#tasks, this.#classes, classes, i * columns)
    }
    return classes
  }

  async close(): Promise<void> {
    await this.deep.close()
  }

  #reserve(n: number): void {
    if (this.#capacity >= n) return
    this.#capacity = Math.max(n, this.#capacity * 2)
    this.#input = {
      embedded: new Float32Array(this.#capacity * this.layout.embeddedSlots * this.#dim),
      dense: new Float32Array(this.#capacity * this.layout.dense.length),
      offset: new Float32Array(this.#capacity * this.#tasks),
    }
  }
}

export function slabOf(slabs: readonly Slab[], row: number): Slab {
  const slab = slabs[Math.floor(row / SLAB_ROWS)]
  if (slab === undefined) throw new MillraceError('INTERNAL', `there is no slab of row ${row}`)
  return slab
}
