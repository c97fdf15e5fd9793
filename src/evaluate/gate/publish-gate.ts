/**
 * Whether the model may be published: held back where the progressive losses or the calibration of a task got worse than
 * they were, beyond noise (rise-test.kernel.ts). Fed with the judged labels of each step, in their order, so the verdict
 * is a function of the log; part of the checkpoint.
 *
 * loss: log loss of a binary task, squared error of a numeric one, over that of a constant, the running mean of the labels as it was
 * before each: when fewer click at night, both fall. over, under: Σ predicted over Σ observed, and the reverse; binary tasks.
 */
import type { Config, TaskConfig } from '../../config/schema.js'
import { MASK_JUDGED } from '../../domain/example.js'
import type { Json } from '../../domain/state.js'
import { clipProbability } from '../metrics/log-loss.js'
import { BLOCK, RiseTest } from './rise-test.kernel.js'

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
  isBinary: boolean
  range: readonly [number, number]
  labels: number
  /** Running mean of the labels. */
  mean: number
  tests: { figure: Figure; test: RiseTest }[]
}

/** The constant is the mean of about so many labels. */
const MEAN_LABELS = 4096
const RATE_FLOOR = 1e-6
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
    const count = tasks.reduce((sum, { head }) => sum + (head === 'binary' ? 3 : 1), 0)
    const threshold = (count * MILLION) / BLOCK / config.falseAlarms
    const calibration = {
      tolerance: config.calibration,
      floor: 1,
      sane: [1 / SANE, SANE] as const,
      blockWeight: BLOCK_EVENTS,
      threshold,
    }
    this.#patienceMs = config.patience
    this.#tasks = tasks.map(({ name, head, range = [0, 1] }) => {
      const isBinary = head === 'binary'
      const ofLoss = {
        tolerance: config.tolerance,
        floor: LOSS_FLOOR,
        sane: [0, SANE] as const,
        blockWeight: 0,
        threshold,
      }
      const tests: Guarded['tests'] = [{ figure: 'loss', test: new RiseTest(ofLoss) }]
      if (isBinary)
        for (const figure of ['over', 'under'] as const) tests.push({ figure, test: new RiseTest(calibration) })
      return { name, isBinary, range, labels: 0, mean: isBinary ? 0.5 : (range[0] + range[1]) / 2, tests }
    })
  }

  /** values, labels, mask: [n, tasks] as the step judged them. */
  record(n: number, values: Float32Array, labels: Float32Array, mask: Uint8Array): void {
    const width = this.#tasks.length
    for (const [t, task] of this.#tasks.entries()) {
      for (let at = t; at < n * width; at += width) {
        if (((mask[at] ?? 0) & MASK_JUDGED) === 0) continue
        if (task.isBinary) recordBinary(task, clipProbability(values[at] ?? 0), (labels[at] ?? 0) >= 0.5 ? 1 : 0)
        else recordNumeric(task, values[at] ?? 0, labels[at] ?? 0)
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
      tasks: this.#tasks.map(({ labels, mean, tests }) => [
        labels,
        mean,
        ...tests.map(({ test }) => test.saveNumbers()),
      ]),
    }
  }

  fromJson(state: Json): void {
    const { heldSinceMs, tasks } = state as { heldSinceMs: number | null; tasks: [number, number, ...number[][]][] }
    this.#heldSinceMs = heldSinceMs ?? undefined
    for (const [index, task] of this.#tasks.entries()) {
      const [labels = 0, mean = 0, ...tests] = tasks[index] ?? []
      Object.assign(task, { labels, mean })
      for (const [nth, { test }] of task.tests.entries()) test.loadNumbers(tests[nth] ?? [])
    }
  }
}

function recordBinary(task: Guarded, probability: number, label: number): void {
  const rate = Math.min(Math.max(task.mean, RATE_FLOOR), 1 - RATE_FLOOR)
  const loss = -Math.log(label === 1 ? probability : 1 - probability)
  const constant = -Math.log(label === 1 ? rate : 1 - rate)
  for (const { figure, test } of task.tests) {
    if (figure === 'loss') test.add(loss, constant, -Math.log(Math.min(rate, 1 - rate)))
    else if (figure === 'over') test.add(probability, label, 1)
    else test.add(label, probability, 1)
  }
  learnMean(task, label)
}

function recordNumeric(task: Guarded, value: number, label: number): void {
  const { range, mean } = task
  const width = range[1] - range[0]
  const loss = ((value - label) / width) ** 2
  const constant = ((mean - label) / width) ** 2
  const most = (Math.max(range[1] - mean, mean - range[0]) / width) ** 2
  for (const { test } of task.tests) test.add(loss, constant, most)
  learnMean(task, label)
}

/** The first labels count as one more that was the middle. */
function learnMean(task: Guarded, label: number): void {
  task.labels++
  task.mean += (label - task.mean) / Math.min(task.labels + 1, MEAN_LABELS)
}

function findingOf(task: Guarded, figure: Figure, test: RiseTest): GateFinding {
  const { before, now } = test.ratios
  const { name, labels } = task
  if (figure === 'loss') return { task: name, figure: 'gate-loss', labels, before, now }
  const turned = (ratio: number) => (figure === 'under' && ratio > 0 ? 1 / ratio : ratio)
  return { task: name, figure: 'gate-calibration', labels, before: turned(before), now: turned(now) }
}
