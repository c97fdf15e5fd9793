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
  /** Of those who learn beside what answers, by hash of their configuration. */
  readonly challengers = new Map<string, History>()
  /** The first ones; what comes after so many says nothing new. */
  readonly alarms: AlarmPoint[] = []
  #points: HistoryPoint[] = []
  #every = 1
  #seen = 0

  add(answer: MetricsAnswer, records: number, eventTimeMs: number): void {
    for (const { hash, figures } of answer.challengers ?? [])
      if (figures !== undefined) this.#of(hash).add(figures, records, eventTimeMs)
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

  /** Apart from its own: that is the same with challengers as without. */
  challengersToJson(): Json {
    return Object.fromEntries([...this.challengers].map(([hash, history]) => [hash, history.toJson()]))
  }

  /** known: hashes of those who still learn. */
  challengersFromJson(state: Json, known: ReadonlySet<string>): void {
    for (const [hash, saved] of Object.entries(state as Record<string, Json>))
      if (known.has(hash)) this.#of(hash).fromJson(saved)
  }

  #of(hash: string): History {
    const history = this.challengers.get(hash) ?? new History()
    this.challengers.set(hash, history)
    return history
  }
}
