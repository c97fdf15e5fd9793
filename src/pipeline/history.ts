/** What the report shows over time; part of the checkpoint, so that a resumed run has its whole past. Bounded: when full, every second point goes. */
import type { Json } from '../domain/state.js'
import type { DriftAlarm } from '../evaluate/drift/drift.js'
import type { TaskMetrics } from '../evaluate/metrics/task-metrics.js'
import type { MetricsAnswer } from './learner.js'

const MAX_POINTS = 512
const MAX_ALARMS = 256

export interface HistoryPoint {
  records: number
  eventTimeMs: number
  step: number
  /** Mean joint loss a step in this window. */
  loss: number
  taskWeights: number[]
  /** Progressive validation of this window, one entry a task. */
  tasks: TaskMetrics[]
}

/** A task's losses rose. */
export interface AlarmPoint extends DriftAlarm {
  records: number
  eventTimeMs: number
}

export class History {
  /** The first ones; what comes after so many says nothing new. */
  readonly alarms: AlarmPoint[] = []
  #points: HistoryPoint[] = []
  #every = 1
  #seen = 0

  add(answer: MetricsAnswer, records: number, eventTimeMs: number): void {
    if (this.#seen++ % this.#every !== 0) return
    this.#points.push({
      records,
      eventTimeMs,
      step: answer.step,
      loss: answer.loss,
      taskWeights: answer.taskWeights,
      tasks: answer.window,
    })
    if (this.#points.length < MAX_POINTS) return
    this.#points = this.#points.filter((_, index) => index % 2 === 0)
    this.#every *= 2
  }

  addAlarm(alarm: AlarmPoint): void {
    if (this.alarms.length < MAX_ALARMS) this.alarms.push(alarm)
  }

  get points(): readonly HistoryPoint[] {
    return this.#points
  }

  toJson(): Json {
    return { points: this.#points, every: this.#every, seen: this.#seen, alarms: this.alarms } as unknown as Json
  }

  fromJson(state: Json): void {
    const { points, every, seen, alarms } = state as unknown as {
      points: HistoryPoint[]
      every: number
      seen: number
      alarms: AlarmPoint[]
    }
    this.alarms.push(...alarms)
    this.#points = points
    this.#every = every
    this.#seen = seen
  }
}
