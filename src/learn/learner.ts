/**
 * Everything that learns, in the worker thread: embedding tables, the deep model and progressive validation. One
 * command at a time, in the order given; see pipeline/learner.ts for what the commands mean.
 *
 * A step: look rows up, run the step graph (predict, loss, gradients, dense update), update rows sparsely, judge the
 * scores that were made before the labels were known.
 */
import type { Backend } from '../backend/backend.js'
import type { Config } from '../config/schema.js'
import { MillraceError } from '../domain/errors.js'
import type { LoadedState, PartState, PublishedState, SnapshotKind, StateArray } from '../domain/state.js'
import { type DriftAlarm, DriftWatch } from '../evaluate/drift/drift.js'
import { ProgressiveValidation } from '../evaluate/progressive.js'
import { type ColumnLayout, SLAB_ROWS, type Slab } from '../features/columns.js'
import { type FeatureLayout, layoutFeatures } from '../features/layout.js'
import { SlotTables } from '../features/table/slot-tables.js'
import { DeepModel } from '../model/deep-model.js'
import type {
  CalibrationCurve,
  LearnAnswer,
  LearnCommand,
  MetricsAnswer,
  ScoreAnswer,
  ScoreCommand,
} from '../pipeline/learner.js'
import { Boost } from './boost.js'
import { Calibrator } from './calibrator.kernel.js'
import { columnsOf } from './columns-of.js'
import { FastPart } from './fast-part.kernel.js'

const NO_ALARMS: readonly DriftAlarm[] = []
const NO_ROWS = new Int32Array(0)

export class Learner {
  readonly #tasks: number
  readonly #taskPriors: number[]
  readonly #columns: ColumnLayout
  readonly #layout: FeatureLayout
  readonly #dim: number
  readonly #deep: DeepModel
  readonly #tables: SlotTables
  readonly #validation: ProgressiveValidation
  readonly #fast: FastPart | undefined
  readonly #drift: DriftWatch | undefined
  readonly #calibrator: Calibrator | undefined
  readonly #boost: Boost | undefined
  readonly #slabs: Slab[] = []
  #input = { embedded: new Float32Array(0), dense: new Float32Array(0), offset: new Float32Array(0) }
  #flags = new Uint8Array(0)
  #step = 0
  /** The network as it began, for a restart. */
  readonly #deepStart: LoadedState
  #deepRestarts = 0
  #windowLoss = 0
  #windowSteps = 0
  #weights: Float32Array

  private constructor(config: Config, layout: FeatureLayout, deep: DeepModel, deepStart: LoadedState) {
    this.#tasks = config.tasks.length
    this.#taskPriors = config.tasks.map(task => task.prior)
    this.#layout = layout
    this.#columns = columnsOf(config, layout)
    this.#dim = config.model.dim
    this.#deep = deep
    this.#deepStart = deepStart
    const tracksChanges = config.outputs.deltaEvery !== undefined
    this.#tables = new SlotTables(layout, this.#tasks, config.model, config.optimizer, config.table, tracksChanges)
    this.#validation = new ProgressiveValidation(config.tasks)
    if (config.fast.enabled) this.#fast = new FastPart(config, layout, this.#columns, tracksChanges)
    this.#weights = Float32Array.from(this.#taskPriors)
    const isCalibrated = config.tasks.some(task => task.calibration !== undefined)
    this.#calibrator = isCalibrated ? new Calibrator(config.tasks, this.#columns) : undefined
    this.#drift = config.drift === undefined ? undefined : new DriftWatch(config.drift, config.tasks)
    this.#boost = config.drift === undefined || config.drift.boost === 1 ? undefined : new Boost(config.drift)
  }

  static async create(config: Config, backend: Backend): Promise<Learner> {
    const layout = layoutFeatures(config.features, config.fast.enabled)
    const spec = {
      tasks: config.tasks,
      slots: layout.embeddedSlots,
      dense: layout.dense.length,
      model: config.model,
      optimizer: config.optimizer.dense,
      weights: config.weights,
    }
    const deep = await DeepModel.create(spec, backend)
    return new Learner(config, layout, deep, loaded(await deep.saveState()))
  }

  get columns(): ColumnLayout {
    return this.#columns
  }

  addSlab(slab: Slab): void {
    this.#slabs.push(slab)
  }

  async score(command: ScoreCommand): Promise<ScoreAnswer> {
    const { rows, operations, eventTimeMs } = command
    const scored = operations === undefined ? rows : rows.filter((_, i) => operations.fresh[i] === 1)
    this.#reserve(rows.length)
    this.#tables.gather(this.#slabs, this.#columns, scored, 'score', eventTimeMs, this.#input)
    const deep = await this.#deep.predict({ n: scored.length, ...this.#input })
    if (this.#fast === undefined) {
      for (let i = 0; i < rows.length; i++) this.#writeScores(rows[i] ?? 0, deep, i)
    } else this.#fast.run(this.#slabs, command, deep)
    for (const row of this.#calibrator === undefined ? NO_ROWS : scored) this.#calibrator?.apply(this.#slab(row), row)
    return { values: this.#readScores(rows), modelVersion: this.#step }
  }

  async learn(command: LearnCommand): Promise<LearnAnswer> {
    const { rows, labels, mask, fresh, eventTimeMs } = command
    const n = rows.length
    this.#reserve(n)
    this.#tables.gather(this.#slabs, this.#columns, rows, 'learn', eventTimeMs, this.#input)
    if (this.#boost !== undefined) this.#deep.rateFactor = this.#tables.rateFactor = this.#boost.next()
    const result = await this.#deep.learn({ n, ...this.#input }, labels, mask)
    if (Number.isFinite(result.loss)) {
      this.#tables.update(result.embeddedGradient, result.offsetGradient)
      this.#windowLoss += result.loss
      this.#windowSteps++
    } else await this.#restartDeep(command, result.loss)
    this.#tables.maintain(eventTimeMs)
    this.#fast?.maintain()
    this.#step++
    this.#weights = result.taskWeights

    // What is judged is the score made before the label: the waiting row's own, or this step's for a fresh row.
    for (let i = 0; i < n; i++) {
      const row = rows[i] ?? 0
      if (fresh[i] === 1) {
        this.#writeScores(row, result.values, i)
        this.#calibrator?.apply(this.#slab(row), row)
      }
      this.#flags[i] = this.#slab(row).flags[row % SLAB_ROWS] ?? 0
    }
    const values = this.#readScores(rows)
    this.#validation.setStart(command.countFromMs)
    this.#validation.record(n, values, labels, mask, this.#flags, command.impressionTimesMs)
    this.#calibrator?.learn(this.#slabs, { rows, labels, mask, flags: this.#flags }, command)
    const alarms = this.#drift?.record(n, values, labels, mask) ?? NO_ALARMS
    if (alarms.length > 0) this.#boost?.begin()
    return {
      step: this.#step,
      loss: result.loss,
      values,
      alarms,
      taskLosses: result.taskLosses,
      taskWeights: result.taskWeights,
    }
  }

  metrics(): MetricsAnswer {
    const window = this.#validation.windowMetrics()
    this.#validation.closeWindow()
    const loss = this.#windowSteps === 0 ? 0 : this.#windowLoss / this.#windowSteps
    this.#windowLoss = 0
    this.#windowSteps = 0
    return {
      step: this.#step,
      window,
      totals: [...this.#validation.totals(), ...(this.#calibrator?.totals() ?? [])],
      loss,
      taskWeights: Array.from(this.#weights),
      tables: this.#tables.stats(),
      deepRestarts: this.#deepRestarts,
    }
  }

  /** What the model has reached over all that was judged: 'click.auc' and so on. */
  figures(): Record<string, number> {
    const totals = this.#validation.totals().filter(line => line.split === 'all')
    return Object.fromEntries(
      totals.flatMap(({ task, values }) => Object.entries(values).map(([name, value]) => [`${task}.${name}`, value])),
    )
  }

  /** By part: what a published snapshot holds. Optimiser state, metrics and pending counts stay here. */
  async publish(kind: SnapshotKind): Promise<[part: string, PublishedState][]> {
    const tables = this.#tables.publish(kind)
    return [
      ['model', await this.#deep.publish()],
      ...tables.map(([name, published]): [string, PublishedState] => [`table.${name}`, published]),
      ...(this.#fast?.publish(kind) ?? []),
    ]
  }

  calibration(): CalibrationCurve[] {
    return this.#validation.calibration()
  }

  async saveState(): Promise<Record<string, PartState>> {
    return {
      learner: {
        meta: {
          step: this.#step,
          windowLoss: this.#windowLoss,
          windowSteps: this.#windowSteps,
          deepRestarts: this.#deepRestarts,
          embeddedSlots: this.#layout.embeddedSlots,
          boosted: this.#boost?.stepsLeft ?? 0,
        },
        arrays: { weights: this.#weights },
      },
      model: await this.#deep.saveState(),
      tables: this.#tables.saveState(),
      validation: this.#validation.saveState(),
      ...(this.#fast && { fast: this.#fast.saveState() }),
      ...(this.#calibrator && { calibration: this.#calibrator.saveState() }),
      ...(this.#drift === undefined ? {} : { drift: this.#drift.saveState() }),
    }
  }

  async loadState(part: (name: string) => Promise<LoadedState>): Promise<void> {
    const own = await part('learner')
    const meta = own.meta as {
      step: number
      windowLoss: number
      windowSteps: number
      deepRestarts: number
      boosted: number
    }
    if (this.#boost !== undefined) this.#boost.stepsLeft = meta.boosted
    this.#drift?.loadState(await part('drift'))
    this.#calibrator?.loadState(await part('calibration'))
    this.#step = meta.step
    this.#windowLoss = meta.windowLoss
    this.#windowSteps = meta.windowSteps
    this.#deepRestarts = meta.deepRestarts
    this.#weights = (own.arrays.weights as Float32Array).slice()
    await this.#deep.loadState(await part('model'))
    this.#tables.loadState(await part('tables'))
    this.#validation.loadState(await part('validation'))
    this.#fast?.loadState(await part('fast'))
  }

  async close(): Promise<void> {
    await this.#deep.close()
  }

  /**
   * The loss is no number: the network is lost. Without a fast part that is the end; with one the network starts afresh,
   * while the fast part answers, and this batch leaves no trace in the rows.
   */
  async #restartDeep({ rows, eventTimeMs }: LearnCommand, loss: number): Promise<void> {
    const time = new Date(eventTimeMs).toISOString()
    const about = `the loss of step ${this.#step + 1} (${rows.length} examples, event time ${time}) is ${loss}`
    if (this.#fast === undefined) throw new MillraceError('LOSS_NOT_FINITE', about)
    await this.#deep.loadState(this.#deepStart)
    this.#deepRestarts++
  }

  #slab(row: number): Slab {
    const slab = this.#slabs[Math.floor(row / SLAB_ROWS)]
    if (slab === undefined) throw new MillraceError('INTERNAL', `the worker was not given the slab of row ${row}`)
    return slab
  }

  /** [n, tasks] as they stand in the columns. */
  #readScores(rows: Int32Array): Float32Array {
    const values = new Float32Array(rows.length * this.#tasks)
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] ?? 0
      const at = (row % SLAB_ROWS) * this.#tasks
      const { scores } = this.#slab(row)
      for (let task = 0; task < this.#tasks; task++) values[i * this.#tasks + task] = scores[at + task] ?? 0
    }
    return values
  }

  #writeScores(row: number, values: Float32Array, i: number): void {
    const at = (row % SLAB_ROWS) * this.#tasks
    const { scores } = this.#slab(row)
    for (let task = 0; task < this.#tasks; task++) scores[at + task] = values[i * this.#tasks + task] ?? 0
  }

  #reserve(n: number): void {
    const { embeddedSlots, dense } = this.#layout
    if (this.#flags.length >= n) return
    const size = Math.max(n, this.#flags.length * 2)
    this.#flags = new Uint8Array(size)
    this.#input = {
      embedded: new Float32Array(size * embeddedSlots * this.#dim),
      dense: new Float32Array(size * dense.length),
      offset: new Float32Array(size * this.#tasks),
    }
  }
}

/** As it would come back from a checkpoint: one array a name. */
function loaded({ meta, arrays }: PartState): LoadedState {
  const joined = Object.entries(arrays).map(([name, array]): [string, StateArray] => {
    if (!Array.isArray(array)) return [name, array]
    return [
      name,
      Float64Array.from(
        array.flatMap(slab => Array.from<number | bigint>(slab)),
        Number,
      ),
    ]
  })
  return { meta, arrays: Object.fromEntries(joined) }
}
