/**
 * A challenger against what answers: the difference of their losses on the same labels, of scores that both made before the
 * label. Fed with each step's answers in their order, so its verdicts are a function of the log.
 *
 * Of each task: mean difference a label, and a sequential test (pair-test.kernel.ts) of differences that are cut at CUT, so
 * that no single label decides. Of all together: each task's differences over its constant's loss (../gate/task-losses.ts), so that tasks
 * of other units count alike, and over its share of the labels, so that each counts as one, however many labels it has.
 */

import type { TaskConfig } from '../../config/schema.js'
import { MASK_JUDGED } from '../../domain/example.js'
import { isProbability } from '../../domain/heads.js'
import type { Json } from '../../domain/state.js'
import { BLOCK } from '../gate/rise-test.kernel.js'
import { TaskLosses } from '../gate/task-losses.js'
import { PairTest } from './pair-test.kernel.js'

export type Verdict = 'better' | 'worse' | 'open'

export interface Standing {
  /** Judged labels that both have scored since both are there. */
  labels: number
  /** Of them not compared: the first ones. */
  passed: number
  tasks: TaskStanding[]
  /** Mean over the tasks of the difference as a share of a constant's loss; undefined: nothing is compared yet. */
  difference: number | undefined
  verdict: Verdict
}

interface TaskStanding {
  task: string
  labels: number
  /** Mean loss minus that of what answers, a label; below 0 the challenger is better. */
  difference: number | undefined
  verdict: Verdict
}

interface Compared {
  name: string
  losses: TaskLosses
  /** Labels, Σ differences, Σ losses of the constant. */
  sums: Float64Array
  cut: number
  test: PairTest
}

export interface ContestRules {
  falseAlarms: number
  minLabels: number
}

const MILLION = 1_000_000
/** Most that a label counts: natural logarithms of a binary task, share of a squared range of a numeric one. */
const CUT = { binary: 2, numeric: 0.25 }
const LOSS_FLOOR = 1e-4
/** Before a task has so many labels, what is usual of it is not known well enough to weigh it. */
const LEAST = 256

export class Comparison {
  readonly #rules: ContestRules
  readonly #tasks: Compared[]
  readonly #joint: PairTest
  #labels = 0
  #compared = 0

  /** count: of challengers, who share the false alarms. */
  constructor(tasks: readonly TaskConfig[], rules: ContestRules, count: number) {
    const tests = count * (tasks.length + 1) * 2
    const threshold = (tests * MILLION) / BLOCK / rules.falseAlarms
    this.#rules = rules
    this.#joint = new PairTest(threshold)
    this.#tasks = tasks.map(task => ({
      name: task.name,
      losses: new TaskLosses(task),
      sums: new Float64Array(3),
      cut: isProbability(task.head) ? CUT.binary : CUT.numeric,
      test: new PairTest(threshold),
    }))
  }

  /** answering, own: [n, tasks] scores that were made before the labels. labels, mask: [n, tasks] as a step judged them. */
  record(n: number, answering: Float32Array, own: Float32Array, labels: Float32Array, mask: Uint8Array): void {
    const width = this.#tasks.length
    for (let i = 0; i < n; i++) {
      for (const [t, task] of this.#tasks.entries()) {
        const at = i * width + t
        if (((mask[at] ?? 0) & MASK_JUDGED) === 0) continue
        this.#add(task, answering[at] ?? 0, own[at] ?? 0, task.losses.labelOf(labels[at] ?? 0))
      }
    }
  }

  standing(): Standing {
    const tasks = this.#tasks.map(({ name: task, sums: [labels = 0, difference = 0], test }) => ({
      task,
      labels,
      difference: labels > 0 ? -difference / labels : undefined,
      verdict: VERDICTS[test.verdict],
    }))
    const shares = this.#tasks.flatMap(({ sums: [labels = 0, difference = 0, constant = 0] }) =>
      labels > 0 ? [-difference / Math.max(constant, labels * LOSS_FLOOR)] : [],
    )
    return {
      labels: this.#labels,
      passed: this.#labels - this.#compared,
      tasks,
      difference: shares.length > 0 ? shares.reduce((sum, share) => sum + share, 0) / shares.length : undefined,
      verdict: VERDICTS[this.#joint.verdict],
    }
  }

  toJson(): Json {
    return {
      labels: this.#labels,
      compared: this.#compared,
      joint: this.#joint.saveNumbers(),
      tasks: this.#tasks.map(({ losses, sums, test }) => [losses.labels, losses.mean, ...sums, ...test.saveNumbers()]),
    }
  }

  fromJson(state: Json): void {
    const { labels, compared, joint, tasks } = state as {
      labels: number
      compared: number
      joint: number[]
      tasks: number[][]
    }
    this.#labels = labels
    this.#compared = compared
    this.#joint.loadNumbers(joint)
    for (const [index, { losses, sums, test }] of this.#tasks.entries()) {
      const numbers = tasks[index] ?? []
      const [count = 0, mean = 0] = numbers
      Object.assign(losses, { labels: count, mean })
      sums.set(numbers.slice(2, 5))
      test.loadNumbers(numbers.slice(5))
    }
  }

  #add(task: Compared, answering: number, own: number, label: number): void {
    const { losses, sums, cut, test } = task
    // Positive where the challenger loses less. A score that is no number is as bad as can be.
    const said = losses.loss(answering, label) - losses.loss(own, label)
    const difference = Number.isNaN(said) ? -cut : said
    if (this.#labels++ >= this.#rules.minLabels) {
      const kept = Math.min(cut, Math.max(-cut, difference))
      test.add(kept / cut)
      // As it was before the label: a bet must not know it.
      const most = this.#mostWeight()
      if (most > 0) this.#joint.add((kept * this.#weightOf(task)) / most)
      this.#compared++
      sums[0] = (sums[0] ?? 0) + 1
      sums[1] = (sums[1] ?? 0) + difference
      sums[2] = (sums[2] ?? 0) + losses.constant(label)
    }
    losses.learn(label)
  }

  /** Of one label of the task among all labels; 0: not known yet. */
  #weightOf({ sums: [labels = 0, , constant = 0] }: Compared): number {
    if (labels < LEAST) return 0
    return this.#compared / labels / Math.max(constant / labels, LOSS_FLOOR)
  }

  #mostWeight(): number {
    let most = 0
    for (const task of this.#tasks) most = Math.max(most, this.#weightOf(task) * task.cut)
    return most
  }
}

const VERDICTS: Record<-1 | 0 | 1, Verdict> = { [-1]: 'worse', 0: 'open', 1: 'better' }
