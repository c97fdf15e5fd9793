/**
 * Watches the progressive losses of each task for a rise: squared errors of scores made before their labels, over the
 * task's range, so within 0..1 (of a probability: the Brier score). An alarm says that the log is not what was learned
 * any more; the detector that raised it begins anew. Fed in the order of the learned labels, so alarms are a function
 * of the log, and part of the saved state. What the learner is told to forget hangs on the e-detector, so that one does
 * without the labels of unusual users (usual-users.kernel.ts); the others see all.
 */

import type { Config, TaskConfig } from '../../config/schema.js'
import { MASK_JUDGED } from '../../domain/example.js'
import { isProbability, outcomeOf } from '../../domain/heads.js'
import type { LoadedState, PartState, StateArray, Stateful } from '../../domain/state.js'
import { TaskLosses } from '../gate/task-losses.js'
import { Adwin } from './adwin.js'
import type { DriftDetector } from './detector.js'
import { EDetector } from './e-detector.js'
import { PageHinkley } from './page-hinkley.js'
import { UsualUsers } from './usual-users.kernel.js'

export type DriftConfig = NonNullable<Config['drift']>

type DetectorName = DriftConfig['detectors'][number]

export interface DriftAlarm {
  task: string
  /** Of this watch; or the figure for which the publish gate holds back, whose losses are ratios (publish-gate.ts). */
  detector: DetectorName | 'gate-loss' | 'gate-calibration'
  /** Labels of the task so far. */
  labels: number
  /** Mean loss in the detector's window before, and of the last few hundred labels. */
  lossBefore: number
  lossNow: number
}

/** Share of the newest loss in the mean that `lossNow` is. */
const NEWEST = 1 / 200

interface Watched {
  head: TaskConfig['head']
  name: string
  lowest: number
  range: number
  /** So far. */
  labels: number
  users: UsualUsers
  /** Squared errors of labels over the range; the constant is the mean of those of usual users. */
  losses: TaskLosses
  detectors: { name: DetectorName; detector: DriftDetector }[]
  recent: number
}

export class DriftWatch implements Stateful {
  readonly #tasks: Watched[]

  constructor(config: DriftConfig, tasks: readonly TaskConfig[]) {
    this.#tasks = tasks.map(({ name, head, range = [0, 1] }) => ({
      name,
      head,
      lowest: isProbability(head) ? 0 : range[0],
      range: isProbability(head) ? 1 : range[1] - range[0],
      labels: 0,
      users: new UsualUsers(),
      losses: new TaskLosses({ head: 'regression', range: [0, 1] }),
      detectors: config.detectors.map(detector => ({ name: detector, detector: create(detector, config) })),
      recent: 0,
    }))
  }

  /** users: [n, 2] keys, 0 0 of nobody; values, labels, mask: [n, tasks] as the step judged them. */
  record(users: Uint32Array, values: Float32Array, labels: Float32Array, mask: Uint8Array): DriftAlarm[] {
    const alarms: DriftAlarm[] = []
    const width = this.#tasks.length
    for (let i = 0; i < users.length / 2; i++) {
      for (let t = 0; t < width; t++) {
        const task = this.#tasks[t]
        if (task === undefined || ((mask[i * width + t] ?? 0) & MASK_JUDGED) === 0) continue
        const label = (outcomeOf(task.head, labels[i * width + t] ?? 0) - task.lowest) / task.range
        const value = ((values[i * width + t] ?? 0) - task.lowest) / task.range
        this.#watch(task, users.subarray(i * 2, i * 2 + 2), value, label, alarms)
      }
    }
    return alarms
  }

  saveState(): PartState {
    const arrays: Record<string, StateArray> = {}
    const tasks = this.#tasks.map((task, index) => {
      const { numbers, users, sums } = task.users.save()
      arrays[`users.${index}`] = users
      arrays[`sums.${index}`] = sums
      const detectors = task.detectors.map(({ detector }) => detector.saveNumbers())
      return [[task.labels, task.losses.labels, task.losses.mean, task.recent], numbers, ...detectors]
    })
    return { meta: { tasks }, arrays }
  }

  loadState({ meta, arrays }: LoadedState): void {
    const { tasks } = meta as { tasks: number[][][] }
    for (const [index, task] of this.#tasks.entries()) {
      const [[labels = 0, counted = 0, mean = 0.5, recent = 0] = [], numbers = [], ...detectors] = tasks[index] ?? []
      Object.assign(task, { labels, recent })
      Object.assign(task.losses, { labels: counted, mean })
      task.users.load(numbers, arrays[`users.${index}`] as Uint32Array, arrays[`sums.${index}`] as Float64Array)
      for (const [nth, { detector }] of task.detectors.entries()) detector.loadNumbers(detectors[nth] ?? [])
    }
  }

  /** user: words of the key; value, label: over the range. */
  #watch(task: Watched, [lo = 0, hi = 0]: Uint32Array, value: number, label: number, alarms: DriftAlarm[]): void {
    const { losses } = task
    const loss = losses.loss(value, label)
    const constantLoss = losses.constant(label)
    const { most } = losses
    task.labels++
    task.recent += Math.max(NEWEST, 1 / task.labels) * (loss - task.recent)
    const isUsual = (lo === 0 && hi === 0) || task.users.count(lo, hi, loss, constantLoss)
    if (isUsual) losses.learn(label)
    for (const { name, detector } of task.detectors) {
      if (!isUsual && name === 'e-detector') continue
      const lossBefore = detector.mean
      if (!detector.update(loss, constantLoss, most)) continue
      alarms.push({ task: task.name, detector: name, labels: task.labels, lossBefore, lossNow: task.recent })
    }
  }
}

function create(name: DetectorName, { delta, threshold }: DriftConfig): DriftDetector {
  switch (name) {
    case 'adwin':
      return new Adwin({ delta, onlyRise: true })
    case 'page-hinkley':
      return new PageHinkley({ threshold })
    case 'e-detector':
      return new EDetector()
  }
}
