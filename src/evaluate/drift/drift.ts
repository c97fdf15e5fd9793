/**
 * Watches the progressive losses of each task for a rise: squared errors of scores made before their labels, over the
 * task's range, so within 0..1 (of a probability: the Brier score). An alarm says that the log is not what was learned
 * any more; the detector that raised it begins anew. Fed in the order of the learned labels, so alarms are a function
 * of the log, and part of the saved state.
 */

import type { Config, TaskConfig } from '../../config/schema.js'
import { MASK_JUDGED } from '../../domain/example.js'
import { isProbability, outcomeOf } from '../../domain/heads.js'
import type { LoadedState, PartState, Stateful } from '../../domain/state.js'
import { Adwin } from './adwin.js'
import type { DriftDetector } from './detector.js'
import { PageHinkley } from './page-hinkley.js'

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
  range: number
  detectors: { name: DetectorName; detector: DriftDetector }[]
  labels: number
  recent: number
}

export class DriftWatch implements Stateful {
  readonly #tasks: Watched[]

  constructor(config: DriftConfig, tasks: readonly TaskConfig[]) {
    const create = (name: DetectorName): DriftDetector =>
      name === 'adwin'
        ? new Adwin({ delta: config.delta, onlyRise: true })
        : new PageHinkley({ threshold: config.threshold })
    this.#tasks = tasks.map(({ name, head, range }) => ({
      name,
      head,
      range: isProbability(head) || range === undefined ? 1 : range[1] - range[0],
      detectors: config.detectors.map(detector => ({ name: detector, detector: create(detector) })),
      labels: 0,
      recent: 0,
    }))
  }

  /** values, labels, mask: [n, tasks] as the step judged them. */
  record(n: number, values: Float32Array, labels: Float32Array, mask: Uint8Array): DriftAlarm[] {
    const alarms: DriftAlarm[] = []
    const width = this.#tasks.length
    for (let i = 0; i < n; i++) {
      for (let t = 0; t < width; t++) {
        const task = this.#tasks[t]
        if (task === undefined || ((mask[i * width + t] ?? 0) & MASK_JUDGED) === 0) continue
        const error = ((values[i * width + t] ?? 0) - outcomeOf(task.head, labels[i * width + t] ?? 0)) / task.range
        this.#watch(task, Math.min(1, error * error), alarms)
      }
    }
    return alarms
  }

  saveState(): PartState {
    const numbers = this.#tasks.map(task => [
      task.labels,
      task.recent,
      ...task.detectors.map(({ detector }) => detector.saveNumbers()),
    ])
    return { meta: { tasks: numbers }, arrays: {} }
  }

  loadState(state: LoadedState): void {
    const { tasks } = state.meta as { tasks: [number, number, ...number[][]][] }
    for (const [index, task] of this.#tasks.entries()) {
      const [labels = 0, recent = 0, ...detectors] = tasks[index] ?? []
      task.labels = labels
      task.recent = recent
      for (const [nth, { detector }] of task.detectors.entries()) detector.loadNumbers(detectors[nth] ?? [])
    }
  }

  #watch(task: Watched, loss: number, alarms: DriftAlarm[]): void {
    task.labels++
    task.recent += Math.max(NEWEST, 1 / task.labels) * (loss - task.recent)
    for (const { name, detector } of task.detectors) {
      const lossBefore = detector.mean
      if (!detector.update(loss)) continue
      alarms.push({ task: task.name, detector: name, labels: task.labels, lossBefore, lossNow: task.recent })
    }
  }
}
