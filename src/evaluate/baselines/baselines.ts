/**
 * Simple learners beside the heads: FTRL for binary tasks, biases for numeric ones. They predict a row when it comes and
 * learn its labels when they come, in the order of the log and as early as the model may: a label that is learned before
 * it is final counts at once, and a positive that comes after all is learned as one more example. So their figures differ
 * from the model's by what is learned, not by when.
 */

import type { TaskConfig } from '../../config/schema.js'
import { MASK_COUNTED, MASK_TAKEN_BACK } from '../../domain/example.js'
import { isProbability } from '../../domain/heads.js'
import { grown } from '../../std/grown.js'
import { BinaryMetrics } from '../metrics/binary-metrics.js'
import { NumericMetrics } from '../metrics/numeric-metrics.js'
import type { TaskMetrics } from '../metrics/task-metrics.js'
import { Biases } from './biases.kernel.js'
import { Ftrl } from './ftrl.kernel.js'

const BINS = 32_768

/** What a baseline knows of an example. */
export interface BaselineInput {
  /** Low words of the keys of user and item. */
  user: number
  item: number
  /** The slots' values: words of `keys` from `at` on, two a value. */
  keys: Uint32Array
  at: number
  values: number
}

interface Beside {
  name: string
  predict(input: BaselineInput): number
  learn(input: BaselineInput, label: number): void
  metrics: BinaryMetrics | NumericMetrics
}

export class Baselines {
  readonly #beside: Beside[]
  /** [rows, tasks] made when the row came. */
  #scores = new Float32Array(0)

  constructor(tasks: readonly TaskConfig[]) {
    this.#beside = tasks.map(createBeside)
  }

  /** One a task, in their order; no task can be called so. */
  get names(): string[] {
    return this.#beside.map(({ name }) => name)
  }

  arrive(row: number, input: BaselineInput): void {
    const width = this.#beside.length
    this.#scores = grown(this.#scores, (row + 1) * width)
    for (const [task, { predict }] of this.#beside.entries()) this.#scores[row * width + task] = predict(input)
  }

  /** labels, mask: [tasks] as the join gives them. */
  learn(input: BaselineInput, labels: Float32Array, mask: Uint8Array): void {
    for (const [task, { learn }] of this.#beside.entries()) {
      if (((mask[task] ?? 0) & (MASK_COUNTED | MASK_TAKEN_BACK)) !== 0) learn(input, labels[task] ?? 0)
    }
  }

  /** The score that the row had when it came, for the task's own figures. */
  judge(row: number, task: number, label: number): number {
    const score = this.#scores[row * this.#beside.length + task] ?? 0
    this.#beside[task]?.metrics.add(score, label)
    return score
  }

  totals(): TaskMetrics[] {
    return this.#beside.map(({ name, metrics }) => ({
      task: name,
      split: 'all',
      count: metrics.count,
      positives: metrics.positives,
      values: metrics.values(),
    }))
  }
}

function createBeside(task: TaskConfig): Beside {
  if (isProbability(task.head)) {
    const ftrl = new Ftrl()
    return {
      name: `${task.name}.ftrl`,
      predict: ({ keys, at, values }) => ftrl.predict(keys, at, values),
      learn: ({ keys, at, values }, label) => ftrl.learn(keys, at, values, label >= 0.5 ? 1 : 0),
      metrics: new BinaryMetrics(new Float64Array(BinaryMetrics.size(BINS))),
    }
  }
  const biases = new Biases()
  return {
    name: `${task.name}.biases`,
    predict: ({ user, item }) => biases.predict(user, item),
    learn: ({ user, item }, label) => biases.learn(user, item, label),
    metrics: new NumericMetrics(new Float64Array(NumericMetrics.size)),
  }
}
