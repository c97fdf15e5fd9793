/**
 * Whether the model may be published: held back where the progressive losses or the calibration of a task got worse than
 * they were, beyond noise (rise-test.kernel.ts). Fed with the judged labels of each step, in their order, so the verdict
 * is a function of the log; part of the checkpoint.
 *
 * loss: that of the task over that of a constant (task-losses.ts). over, under: Σ predicted over Σ observed, and the reverse;
 * binary tasks.
 */

import type { Config, TaskConfig } from '../../config/schema.js'
import { MASK_JUDGED } from '../../domain/example.js'
import { isProbability } from '../../domain/heads.js'
import type { Json } from '../../domain/state.js'
import { clipProbability } from '../metrics/log-loss.js'
import { BLOCK, RiseTest } from './rise-test.kernel.js'
import { TaskLosses } from './task-losses.js'

export type GateConfig = NonNullable<Config['outputs']['gate']>
type Figure = 'loss' | 'over' | 'under'

/** Why a version is held back. */
export interface GateFinding {
  task: string
  figure: 'gate-loss' | 'gate-calibration'
  /** Labels of the task so far. */
  labels: number
  /** loss: over that of a constant. calibration: predicted over observed. */
  before: number
  now: number
}

export interface GateVerdict {
  /** What is worse than it was; empty: publish. */
  findings: GateFinding[]
  /** It has been held back for so long that what is there now is taken as it is. */
  isAccepted: boolean
}

interface Guarded {
  name: string
  losses: TaskLosses
  tests: { figure: Figure; test: RiseTest }[]
}

/** A model that is all but perfect may lose that. */
const LOSS_FLOOR = 0.02
/** A block of a calibration has so many expected or observed events. */
const BLOCK_EVENTS = 8
/** Twice the loss of a constant, twice or half of what happens: further off nothing has been learned yet. */
const SANE = 2
const MILLION = 1_000_000

export class PublishGate {
  readonly #tasks: Guarded[]
  readonly #patienceMs: number
  /** Event time of the first version that was held back and what followed was as well. */
  #heldSinceMs: number | undefined

  constructor(config: GateConfig, tasks: readonly TaskConfig[]) {
    const count = tasks.reduce((sum, { head }) => sum + (isProbability(head) ? 3 : 1), 0)
    const threshold = (count * MILLION) / BLOCK / config.falseAlarms
    const calibration = {
      tolerance: config.calibration,
      floor: 1,
      sane: [1 / SANE, SANE] as const,
      blockWeight: BLOCK_EVENTS,
      threshold,
    }
    this.#patienceMs = config.patience
    this.#tasks = tasks.map(task => {
      const losses = new TaskLosses(task)
      const ofLoss = {
        tolerance: config.tolerance,
        floor: LOSS_FLOOR,
        sane: [0, SANE] as const,
        blockWeight: 0,
        threshold,
      }
      const tests: Guarded['tests'] = [{ figure: 'loss', test: new RiseTest(ofLoss) }]
      if (losses.isBinary)
        for (const figure of ['over', 'under'] as const) tests.push({ figure, test: new RiseTest(calibration) })
      return { name: task.name, losses, tests }
    })
  }

  /** values, labels, mask: [n, tasks] as the step judged them. */
  record(n: number, values: Float32Array, labels: Float32Array, mask: Uint8Array): void {
    const width = this.#tasks.length
    for (const [t, task] of this.#tasks.entries()) {
      for (let at = t; at < n * width; at += width) {
        if (((mask[at] ?? 0) & MASK_JUDGED) === 0) continue
        record(task, values[at] ?? 0, task.losses.labelOf(labels[at] ?? 0))
      }
    }
  }

  /** A version would be published now. */
  judge(eventTimeMs: number): GateVerdict {
    const over = this.#tasks.flatMap(task =>
      task.tests.filter(({ test }) => test.isOver).map(one => ({ task, ...one })),
    )
    if (over.length === 0) {
      this.#heldSinceMs = undefined
      return { findings: [], isAccepted: false }
    }
    this.#heldSinceMs ??= eventTimeMs
    if (eventTimeMs - this.#heldSinceMs < this.#patienceMs)
      return { findings: over.map(({ task, figure, test }) => findingOf(task, figure, test)), isAccepted: false }
    for (const { test } of over) test.restart()
    this.#heldSinceMs = undefined
    return { findings: [], isAccepted: true }
  }

  toJson(): Json {
    return {
      heldSinceMs: this.#heldSinceMs ?? null,
      tasks: this.#tasks.map(({ losses, tests }) => [
        losses.labels,
        losses.mean,
        ...tests.map(({ test }) => test.saveNumbers()),
      ]),
    }
  }

  fromJson(state: Json): void {
    const { heldSinceMs, tasks } = state as { heldSinceMs: number | null; tasks: [number, number, ...number[][]][] }
    this.#heldSinceMs = heldSinceMs ?? undefined
    for (const [index, task] of this.#tasks.entries()) {
      const [labels = 0, mean = 0, ...tests] = tasks[index] ?? []
      Object.assign(task.losses, { labels, mean })
      for (const [nth, { test }] of task.tests.entries()) test.loadNumbers(tests[nth] ?? [])
    }
  }
}

/** label: 0 or 1 of a binary task. */
function record({ losses, tests }: Guarded, value: number, label: number): void {
  const probability = clipProbability(value)
  for (const { figure, test } of tests) {
    if (figure === 'loss') test.add(losses.loss(value, label), losses.constant(label), losses.most)
    else if (figure === 'over') test.add(probability, label, 1)
    else test.add(label, probability, 1)
  }
  losses.learn(label)
}

function findingOf(task: Guarded, figure: Figure, test: RiseTest): GateFinding {
  const { before, now } = test.ratios
  const { name } = task
  const { labels } = task.losses
  if (figure === 'loss') return { task: name, figure: 'gate-loss', labels, before, now }
  const turned = (ratio: number) => (figure === 'under' && ratio > 0 ? 1 / ratio : ratio)
  return { task: name, figure: 'gate-calibration', labels, before: turned(before), now: turned(now) }
}
