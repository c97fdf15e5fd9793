/**
 * The worker's calibration: what the model says of a task becomes its score through that task's Platt scaling, and the
 * raw value waits in the last notes of the row until the label comes. What is published and judged is the calibrated
 * score of the moment it was made; the raw ones are judged beside it, as the split `uncalibrated`.
 */
import type { TaskConfig } from '../config/schema.js'
import { MillraceError } from '../domain/errors.js'
import { MASK_COUNTED, MASK_TAKEN_BACK } from '../domain/example.js'
import type { LoadedState, PartState, PublishedState, Stateful } from '../domain/state.js'
import { PLATT_SIZE, Platt } from '../evaluate/calibration/platt.js'
import type { TaskMetrics } from '../evaluate/metrics/task-metrics.js'
import { ProgressiveValidation } from '../evaluate/progressive.js'
import { type ColumnLayout, SLAB_ROWS, type Slab } from '../features/columns.js'
import { fakeNegativeWeight } from '../model/fake-negatives.js'
import { sampledLogOdds } from '../model/kept-negatives.js'

export class Calibrator implements Stateful {
  readonly #columns: ColumnLayout
  readonly #tasks: readonly { index: number; platt: Platt; fakeNegatives: boolean; logOdds: number }[]
  readonly #raw: ProgressiveValidation
  readonly #calibrated: ReadonlySet<string>
  readonly #state: Float64Array

  constructor(tasks: readonly TaskConfig[], columns: ColumnLayout) {
    this.#columns = columns
    this.#state = new Float64Array(tasks.length * PLATT_SIZE)
    this.#tasks = tasks.flatMap(({ calibration, label }, index) =>
      calibration === undefined
        ? []
        : [
            {
              index,
              platt: new Platt(this.#state.subarray(index * PLATT_SIZE, (index + 1) * PLATT_SIZE)),
              logOdds: sampledLogOdds(label),
              fakeNegatives: label.late === 'fake-negative-weighted',
            },
          ],
    )
    this.#raw = new ProgressiveValidation(tasks)
    this.#calibrated = new Set(tasks.filter(task => task.calibration !== undefined).map(task => task.name))
  }

  /** The row has just been scored. */
  apply(slab: Slab, row: number): void {
    const { tasks, notes } = this.#columns
    const at = row % SLAB_ROWS
    const kept = (at + 1) * notes - tasks
    for (let task = 0; task < tasks; task++) slab.notes[kept + task] = slab.scores[at * tasks + task]!
    for (const { index, platt } of this.#tasks) {
      slab.scores[at * tasks + index] = platt.apply(slab.scores[at * tasks + index]!)
    }
  }

  /** labels, mask: [n, tasks] of the step; the raw scores are those of the rows. */
  learn(
    slabs: readonly Slab[],
    batch: { rows: Int32Array; labels: Float32Array; mask: Uint8Array; flags: Uint8Array },
    about: { impressionTimesMs: Float64Array; countFromMs: number },
  ): void {
    const { rows, labels, mask, flags } = batch
    const { tasks, notes } = this.#columns
    const raw = new Float32Array(rows.length * tasks)
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!
      const kept = ((row % SLAB_ROWS) + 1) * notes - tasks
      raw.set(slabs[Math.floor(row / SLAB_ROWS)]!.notes.subarray(kept, kept + tasks), i * tasks)
    }
    this.#raw.setStart(about.countFromMs)
    this.#raw.record(rows.length, raw, labels, mask, flags, about.impressionTimesMs)
    for (let i = 0; i < rows.length; i++) {
      for (const { index, platt, fakeNegatives, logOdds } of this.#tasks) {
        const bits = mask[i * tasks + index]!
        const said = raw[i * tasks + index]!
        const label = labels[i * tasks + index]!
        const weight = fakeNegatives ? fakeNegativeWeight(platt.apply(said), label) : 1
        if ((bits & MASK_COUNTED) !== 0) platt.learn(said, label, weight, logOdds)
        else if ((bits & MASK_TAKEN_BACK) !== 0) platt.takeBack(said)
      }
    }
  }

  /** The calibrated tasks' figures without it. */
  totals(): TaskMetrics[] {
    return this.#raw
      .totals()
      .filter(({ task, split }) => split === 'all' && this.#calibrated.has(task))
      .map(line => ({ ...line, split: 'uncalibrated' }))
  }

  /** The scalings. */
  publish(): PublishedState {
    const state = { meta: {}, arrays: { platt: this.#state.slice() } }
    return { form: 'whole', encoding: 'float32', state, rows: 0, changed: 0, removed: 0 }
  }

  /** Reads what publish() wrote. */
  follow({ arrays }: LoadedState): void {
    const { platt } = arrays
    if (!(platt instanceof Float64Array) || platt.length !== this.#state.length)
      throw new MillraceError('CHECKPOINT_INCOMPATIBLE', 'the published calibration is of other tasks')
    this.#state.set(platt)
  }

  saveState(): PartState {
    const raw = this.#raw.saveState()
    return { meta: raw.meta, arrays: { ...raw.arrays, platt: this.#state } }
  }

  loadState(state: LoadedState): void {
    this.#raw.loadState(state)
    this.#state.set(state.arrays.platt as Float64Array)
  }
}
