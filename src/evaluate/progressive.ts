/**
 * Progressive validation with delayed labels: the score of an impression, made before its label was known, is judged
 * when the label matures. The learner calls record() once a step with the scores that count for its rows, before or
 * after the update alike; nothing here looks at the model.
 *
 * Two sets of sums: `totals` counts impressions from `countFromMs` on (evaluate.after) and keeps cold and warm apart,
 * and how many events the ids had had (by-experience.ts); the window counts everything since closeWindow() and has
 * coarser bins. Categorical tasks have both of their classes as well (judged-classes.ts). Memory is fixed: about 4 MB a
 * binary task.
 * State is sums only, so a run resumed in the middle gives the same figures and the same saved bytes.
 */

import type { TaskConfig } from '../config/schema.js'
import { classColumns, type TaskClasses, taskClasses } from '../config/task-classes.js'
import { MillraceError } from '../domain/errors.js'
import { MASK_JUDGED } from '../domain/example.js'
import { isProbability } from '../domain/heads.js'
import type { LoadedState, PartState, Stateful } from '../domain/state.js'
import { FLAG_COLD_ITEM, FLAG_COLD_USER } from '../features/columns.js'
import { MetricsByExperience } from './by-experience.js'
import { JudgedClasses } from './judged-classes.js'
import { BinaryMetrics } from './metrics/binary-metrics.js'
import { type CalibrationPoint, reliabilityCurve } from './metrics/calibration.js'
import type { ClassMetrics, Confusion } from './metrics/class-metrics.js'
import { NumericMetrics } from './metrics/numeric-metrics.js'
import { packSums, unpackSums } from './metrics/sums-state.js'
import { type ExperienceMetrics, SPLITS, type Split, type TaskMetrics } from './metrics/task-metrics.js'

export interface ProgressiveOptions {
  /** Totals leave out impressions before this event time. Absent: they count all, until setStart() says otherwise. */
  countFromMs?: number
}

const TOTAL_BINS = 32_768
const WINDOW_BINS = 8_192
/** One cell for each value of the flags: warm, cold user, cold item, both. Splits are sums of cells. */
const CELLS = 4
const COLD_FLAGS = FLAG_COLD_USER | FLAG_COLD_ITEM

interface JudgedTask {
  name: string
  /** [CELLS, size] */
  totalSums: Float64Array
  totals: (BinaryMetrics | NumericMetrics)[]
  byExperience: MetricsByExperience
  windowSums: Float64Array
  window: BinaryMetrics | NumericMetrics
  /** Of a categorical task. */
  classes: JudgedClasses | undefined
}

export class ProgressiveValidation implements Stateful {
  readonly #tasks: JudgedTask[]
  readonly #heads: string[]
  readonly #classColumns: number
  #countFromMs: number

  constructor(tasks: readonly TaskConfig[], options: ProgressiveOptions = {}) {
    const classes = taskClasses(tasks)
    this.#classColumns = classColumns(classes)
    this.#tasks = tasks.map((task, t) =>
      judgedTask(
        task,
        classes.find(own => own.task === t),
      ),
    )
    this.#heads = tasks.map((task, t) => `${task.name}:${kindOf(task, this.#tasks[t]?.classes)}`)
    this.#countFromMs = options.countFromMs ?? Number.NEGATIVE_INFINITY
  }

  /** From now on totals count impressions at or after this event time: the log's first event plus evaluate.after. */
  setStart(countFromMs: number): void {
    this.#countFromMs = countFromMs
  }

  /**
   * values: [n, tasks] scores made before the label. labels: [n, tasks]. mask: [n, tasks], see domain/example.ts.
   * flags: [n] as features/columns.ts has them, as of the impression. impressionTimesMs: [n]. classes: [n, classes] what was
   * said of the categorical tasks' classes; without it they are not judged.
   * Scores and labels must be finite; the learner stops on a loss that is not, before it calls this.
   */
  record(
    n: number,
    values: Float32Array,
    labels: Float32Array,
    mask: Uint8Array,
    flags: Uint8Array,
    impressionTimesMs: Float64Array,
    classes?: Float32Array,
  ): void {
    const width = this.#tasks.length
    for (let t = 0; t < width; t++) {
      const task = this.#tasks[t]
      if (task === undefined) continue
      for (let i = 0; i < n; i++) {
        const at = i * width + t
        if (((mask[at] ?? 0) & MASK_JUDGED) === 0) continue
        const value = values[at] ?? 0
        const label = labels[at] ?? 0
        const flag = flags[i] ?? 0
        const isCounted = (impressionTimesMs[i] ?? 0) >= this.#countFromMs
        task.window.add(value, label)
        if (classes !== undefined)
          task.classes?.add(classes, i * this.#classColumns, label, isCounted ? flag & COLD_FLAGS : undefined)
        if (!isCounted) continue
        task.totals[flag & COLD_FLAGS]?.add(value, label)
        task.byExperience.add(flag, value, label)
      }
    }
  }

  /** One entry a task, split 'all', since the last closeWindow(). */
  windowMetrics(): TaskMetrics[] {
    return this.#tasks.map(({ name, window, classes }) => metricsOf(name, 'all', window, classes?.window))
  }

  closeWindow(): void {
    for (const { windowSums, classes } of this.#tasks) {
      windowSums.fill(0)
      classes?.windowSums.fill(0)
    }
  }

  /** Four entries a task in the order of SPLITS; a split without labels has count 0 and no values. */
  totals(): TaskMetrics[] {
    return this.#tasks.flatMap(task =>
      SPLITS.map(split => metricsOf(task.name, split, mergeCells(task, split), mergeClasses(task, split))),
    )
  }

  /** Which class came and which was said, of each categorical task over the totals. */
  confusion(): Confusion[] {
    return this.#tasks.flatMap(task => {
      const counts = mergeClasses(task, 'all')?.confusion()
      return counts === undefined ? [] : [{ task: task.name, classes: task.classes?.classes ?? [], counts }]
    })
  }

  /** The totals by how many events user and item had had: twelve entries a task. */
  byExperience(): ExperienceMetrics[] {
    return this.#tasks.flatMap(({ name, byExperience }) => byExperience.metrics(name))
  }

  /** Reliability curve of each binary task over the totals; numeric tasks have none. */
  calibration(): { task: string; points: CalibrationPoint[] }[] {
    return this.#tasks.flatMap(task => {
      const { histogram } = mergeCells(task, 'all')
      return histogram === undefined ? [] : [{ task: task.name, points: reliabilityCurve(histogram) }]
    })
  }

  saveState(): PartState {
    const arrays: PartState['arrays'] = {}
    for (const [index, task] of this.#tasks.entries()) {
      Object.assign(arrays, packSums(`totals${index}`, task.totalSums), packSums(`window${index}`, task.windowSums))
      Object.assign(arrays, packSums(`experience${index}`, task.byExperience.sums))
      if (task.classes === undefined) continue
      const { totalSums, windowSums, counted } = task.classes
      Object.assign(arrays, packSums(`classes${index}`, totalSums), packSums(`classWindow${index}`, windowSums))
      Object.assign(arrays, packSums(`classCounts${index}`, counted))
    }
    const countFromMs = Number.isFinite(this.#countFromMs) ? this.#countFromMs : null
    return { meta: { heads: this.#heads, countFromMs }, arrays }
  }

  loadState(state: LoadedState): void {
    const meta = state.meta as { heads: string[]; countFromMs: number | null }
    if (meta.heads.join() !== this.#heads.join()) {
      throw new MillraceError('CHECKPOINT_INCOMPATIBLE', `the saved metrics are of the tasks ${meta.heads.join(', ')}`)
    }
    this.#countFromMs = meta.countFromMs ?? Number.NEGATIVE_INFINITY
    for (const [index, task] of this.#tasks.entries()) {
      unpackSums(`totals${index}`, state.arrays, task.totalSums)
      unpackSums(`window${index}`, state.arrays, task.windowSums)
      unpackSums(`experience${index}`, state.arrays, task.byExperience.sums)
      if (task.classes === undefined) continue
      unpackSums(`classes${index}`, state.arrays, task.classes.totalSums)
      unpackSums(`classWindow${index}`, state.arrays, task.classes.windowSums)
      unpackSums(`classCounts${index}`, state.arrays, task.classes.counted)
    }
  }
}

function kindOf({ head }: TaskConfig, classes: JudgedClasses | undefined): string {
  if (classes !== undefined) return `${classes.classes.length} classes`
  return isProbability(head) ? 'binary' : 'numeric'
}

function judgedTask(task: TaskConfig, own: TaskClasses | undefined): JudgedTask {
  const binary = isProbability(task.head)
  const view = (sums: Float64Array) => (binary ? new BinaryMetrics(sums) : new NumericMetrics(sums))
  const size = binary ? BinaryMetrics.size(TOTAL_BINS) : NumericMetrics.size
  const totalSums = new Float64Array(CELLS * size)
  const totals = Array.from({ length: CELLS }, (_, cell) => view(totalSums.subarray(cell * size, (cell + 1) * size)))
  const windowSums = new Float64Array(binary ? BinaryMetrics.size(WINDOW_BINS) : NumericMetrics.size)
  const byExperience = new MetricsByExperience(binary)
  const classes = own && new JudgedClasses(own.classes, own.first, CELLS)
  return { name: task.name, totalSums, totals, byExperience, windowSums, window: view(windowSums), classes }
}

function inSplit(cell: number, split: Split): boolean {
  if (split === 'cold-user') return (cell & FLAG_COLD_USER) !== 0
  if (split === 'cold-item') return (cell & FLAG_COLD_ITEM) !== 0
  return split === 'all' || cell === 0
}

/** Every metric is sums, so the metric of a split is the sum of its cells. */
function mergeCells({ totalSums, window }: JudgedTask, split: Split): BinaryMetrics | NumericMetrics {
  const merged = mergedSums(totalSums, split)
  return window instanceof BinaryMetrics ? new BinaryMetrics(merged) : new NumericMetrics(merged)
}

function mergeClasses({ classes }: JudgedTask, split: Split): ClassMetrics | undefined {
  return classes?.view(mergedSums(classes.totalSums, split))
}

function mergedSums(cells: Float64Array, split: Split): Float64Array {
  const size = cells.length / CELLS
  const merged = new Float64Array(size)
  for (let cell = 0; cell < CELLS; cell++) {
    if (!inSplit(cell, split)) continue
    for (let index = 0; index < size; index++) {
      merged[index] = (merged[index] ?? 0) + (cells[cell * size + index] ?? 0)
    }
  }
  return merged
}

function metricsOf(
  task: string,
  split: Split,
  metrics: BinaryMetrics | NumericMetrics,
  classes: ClassMetrics | undefined,
): TaskMetrics {
  const values = { ...metrics.values(), ...classes?.values() }
  return { task, split, count: metrics.count, positives: metrics.positives, values }
}
