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
import type { Id } from '../domain/event.js'
import { MASK_LEARNED } from '../domain/example.js'
import type { LoadedState, NamedPart, PartState, SnapshotKind, StateArray } from '../domain/state.js'
import { type DriftAlarm, DriftWatch } from '../evaluate/drift/drift.js'
import { ProgressiveValidation } from '../evaluate/progressive.js'
import { type ColumnLayout, SLAB_ROWS, type Slab } from '../features/columns.js'
import type {
  CalibrationCurve,
  EraseAnswer,
  LearnAnswer,
  LearnCommand,
  MetricsAnswer,
  ScoreAnswer,
  ScoreCommand,
} from '../pipeline/learner.js'
import { Boost } from './boost.js'
import { Predictor, slabOf } from './predictor.js'
import { Segments } from './segments.kernel.js'
import { Users } from './users.kernel.js'

const NO_ALARMS: readonly DriftAlarm[] = []

export class Learner {
  readonly #predictor: Predictor
  readonly #validation: ProgressiveValidation
  readonly #drift: DriftWatch | undefined
  readonly #boost: Boost | undefined
  readonly #segments: Segments | undefined
  readonly #users: Users
  readonly #taskNames: readonly string[]
  readonly #slabs: Slab[] = []
  #flags = new Uint8Array(0)
  #step = 0
  /** The network as it began, for a restart. */
  readonly #deepStart: LoadedState
  #deepRestarts = 0
  #windowLoss = 0
  #windowSteps = 0
  #weights: Float32Array

  private constructor(config: Config, predictor: Predictor, deepStart: LoadedState) {
    this.#predictor = predictor
    this.#deepStart = deepStart
    this.#validation = new ProgressiveValidation(config.tasks)
    const isSegmented = config.tasks.some(({ segments }) => segments !== undefined)
    this.#segments = isSegmented ? new Segments(config.tasks, predictor.layout) : undefined
    this.#weights = Float32Array.from(config.tasks, task => task.prior)
    const { drift } = config
    this.#drift = drift.detectors.length === 0 ? undefined : new DriftWatch(drift, config.tasks)
    this.#taskNames = config.tasks.map(({ name }) => name)
    this.#users = new Users(predictor.layout)
    this.#boost = drift.boost === 1 ? undefined : new Boost(drift)
  }

  static async create(config: Config, backend: Backend): Promise<Learner> {
    const { deltaEvery, snapshotRows } = config.outputs
    const predictor = await Predictor.create(config, backend, deltaEvery !== undefined, snapshotRows)
    return new Learner(config, predictor, loaded(await predictor.deep.saveState()))
  }

  get columns(): ColumnLayout {
    return this.#predictor.columns
  }

  /** Before the first score: of those who have learned so many steps without it, it is one now. */
  begin(step: number): void {
    this.#step = step
  }

  addSlab(slab: Slab): void {
    this.#slabs.push(slab)
  }

  async score(command: ScoreCommand): Promise<ScoreAnswer> {
    await this.#predictor.score(this.#slabs, command)
    const classes = this.#predictor.readClasses(this.#slabs, command.rows)
    const values = this.#predictor.readScores(this.#slabs, command.rows)
    return { values, modelVersion: this.#step, ...(classes && { classes }) }
  }

  async learn(command: LearnCommand): Promise<LearnAnswer> {
    const { rows, labels, mask, fresh, eventTimeMs } = command
    const { deep, tables, fast, calibrator } = this.#predictor
    const n = rows.length
    // What is only judged must not touch a row or an optimiser's state.
    const learned = learnedOf(command, this.columns.tasks)
    const input = this.#predictor.gather(this.#slabs, learned.rows, 'learn', eventTimeMs)
    if (this.#boost !== undefined) deep.rateFactor = tables.rateFactor = this.#boost.next()
    const factors = this.#segments?.factors(this.#slabs, learned.rows)
    const result = await deep.learn(input, learned.labels, learned.mask, factors)
    if (learned.rows.length > 0 && Number.isFinite(result.loss)) {
      tables.update(result.embeddedGradient, result.offsetGradient)
      this.#windowLoss += result.loss
      this.#windowSteps++
    } else if (learned.rows.length > 0) await this.#restartDeep(command, result.loss)
    tables.maintain(eventTimeMs)
    fast?.maintain()
    this.#step++
    this.#weights = result.taskWeights

    // What is judged is the score made before the label: the waiting row's own, or this step's for a fresh row.
    for (const [step, i] of learned.places.entries()) {
      if (fresh[i] !== 1) continue
      const row = rows[i] ?? 0
      this.#predictor.writeScores(this.#slabs, row, result.values, step)
      this.#predictor.writeShares(this.#slabs, row, result.shares, step)
      calibrator?.apply(slabOf(this.#slabs, row), row)
    }
    this.#flagsOf(rows)
    const values = this.#predictor.readScores(this.#slabs, rows)
    const classes = this.#predictor.readClasses(this.#slabs, rows)
    this.#validation.setStart(command.countFromMs)
    this.#validation.record(n, values, labels, mask, this.#flags, command.impressionTimesMs, classes)
    calibrator?.learn(this.#slabs, { rows, labels, mask, flags: this.#flags }, command)
    const alarms = this.#drift?.record(this.#users.of(this.#slabs, rows), values, labels, mask) ?? NO_ALARMS
    if (alarms.length > 0) this.#boost?.begin()
    // The others are wrong too often for that.
    for (const { task, detector } of alarms) if (detector === 'e-detector') fast?.forget(this.#taskNames.indexOf(task))
    return {
      step: this.#step,
      loss: result.loss,
      values,
      ...(classes && { classes }),
      alarms,
      taskLosses: result.taskLosses,
      taskWeights: result.taskWeights,
    }
  }

  /** Valid until the next call. */
  #flagsOf(rows: Int32Array): Uint8Array {
    if (this.#flags.length < rows.length) this.#flags = new Uint8Array(rows.length * 2)
    for (const [i, row] of rows.entries()) this.#flags[i] = slabOf(this.#slabs, row).flags[row % SLAB_ROWS] ?? 0
    return this.#flags
  }

  erase(user: Id): EraseAnswer {
    const { tables, fast } = this.#predictor
    this.#step++
    return { rows: tables.erase(user), fast: fast?.erase(user) ?? 0 }
  }

  async metrics(): Promise<MetricsAnswer> {
    const gates = await this.#predictor.gates()
    const window = this.#validation.windowMetrics()
    this.#validation.closeWindow()
    const confusion = this.#validation.confusion()
    const loss = this.#windowSteps === 0 ? 0 : this.#windowLoss / this.#windowSteps
    this.#windowLoss = 0
    this.#windowSteps = 0
    return {
      step: this.#step,
      window,
      totals: [...this.#validation.totals(), ...(this.#predictor.calibrator?.totals() ?? [])],
      byExperience: this.#validation.byExperience(),
      ...(confusion.length > 0 && { confusion }),
      loss,
      taskWeights: Array.from(this.#weights),
      gates,
      tables: this.#predictor.tables.stats(),
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

  /** What scoring needs of the worker's parts. Optimiser state, metrics and pending counts stay here. */
  async publish(kind: SnapshotKind): Promise<NamedPart[]> {
    const { deep, tables, fast, calibrator } = this.#predictor
    return [
      ['model', await deep.publish()],
      ...tables.publish(kind).map(([name, published]): NamedPart => [`table.${name}`, published]),
      ...(fast?.publish(kind) ?? []),
      ...(calibrator === undefined ? [] : [['calibration', calibrator.publish()] satisfies NamedPart]),
    ]
  }

  calibration(): CalibrationCurve[] {
    return this.#validation.calibration()
  }

  async saveState(): Promise<Record<string, PartState>> {
    const { layout, deep, tables, fast, calibrator } = this.#predictor
    return {
      learner: {
        meta: {
          step: this.#step,
          windowLoss: this.#windowLoss,
          windowSteps: this.#windowSteps,
          deepRestarts: this.#deepRestarts,
          embeddedSlots: layout.embeddedSlots,
          boosted: this.#boost?.stepsLeft ?? 0,
        },
        arrays: { weights: this.#weights },
      },
      model: await deep.saveState(),
      tables: tables.saveState(),
      validation: this.#validation.saveState(),
      ...(fast && { fast: fast.saveState() }),
      ...(calibrator && { calibration: calibrator.saveState() }),
      ...(this.#drift === undefined ? {} : { drift: this.#drift.saveState() }),
    }
  }

  async loadState(part: (name: string) => Promise<LoadedState>): Promise<void> {
    const { deep, tables, fast, calibrator } = this.#predictor
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
    calibrator?.loadState(await part('calibration'))
    this.#step = meta.step
    this.#windowLoss = meta.windowLoss
    this.#windowSteps = meta.windowSteps
    this.#deepRestarts = meta.deepRestarts
    this.#weights = (own.arrays.weights as Float32Array).slice()
    await deep.loadState(await part('model'))
    tables.loadState(await part('tables'))
    this.#validation.loadState(await part('validation'))
    fast?.loadState(await part('fast'))
  }

  async close(): Promise<void> {
    await this.#predictor.close()
  }

  /**
   * The loss is no number: the network is lost. Without a fast part that is the end; with one the network starts afresh,
   * while the fast part answers, and this batch leaves no trace in the rows.
   */
  async #restartDeep({ rows, eventTimeMs }: LearnCommand, loss: number): Promise<void> {
    const time = new Date(eventTimeMs).toISOString()
    const about = `the loss of step ${this.#step + 1} (${rows.length} examples, event time ${time}) is ${loss}`
    if (this.#predictor.fast === undefined) throw new MillraceError('LOSS_NOT_FINITE', about)
    await this.#predictor.deep.loadState(this.#deepStart)
    this.#deepRestarts++
  }
}

/** The examples of a step that something is learned from, in their order. */
function learnedOf(
  { rows, labels, mask }: LearnCommand,
  tasks: number,
): Pick<LearnCommand, 'rows' | 'labels' | 'mask'> & { places: readonly number[] } {
  const isLearned = (i: number) => mask.subarray(i * tasks, (i + 1) * tasks).some(bits => (bits & MASK_LEARNED) !== 0)
  const places = Array.from(rows.keys()).filter(isLearned)
  if (places.length === rows.length) return { rows, labels, mask, places }
  const learned = {
    places,
    rows: Int32Array.from(places, i => rows[i] ?? 0),
    labels: new Float32Array(places.length * tasks),
    mask: new Uint8Array(places.length * tasks),
  }
  for (const [to, i] of places.entries()) {
    learned.labels.set(labels.subarray(i * tasks, (i + 1) * tasks), to * tasks)
    learned.mask.set(mask.subarray(i * tasks, (i + 1) * tasks), to * tasks)
  }
  return learned
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
