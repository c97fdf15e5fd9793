/**
 * How old labels are when they come: counts by age, per task with a window. They are counted when they come, not when the
 * window is over, so the curve is there at once; while a log is younger than a window, old labels are still missing in it.
 */
import type { TaskConfig } from '../config/schema.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
const BOUNDS_MS = [
  ...[1, 5, 15].map(minutes => minutes * MINUTE),
  ...[1, 3, 6, 12].map(hours => hours * HOUR),
  ...[1, 2, 3, 4, 5, 6, 7, 14, 21, 30, 60, 90].map(days => days * DAY),
]

/** A share of the labels that have come within the window. */
export interface MaturityPoint {
  ageMs: number
  share: number
}

export class LabelAges {
  /** Per task: rising, the last is the window; none for a task without one. */
  readonly #boundsMs: readonly (readonly number[])[]
  /** Per task and bound: labels that are older than the bound before and not older than this one. */
  readonly #counts: number[][]

  constructor(tasks: readonly TaskConfig[]) {
    this.#boundsMs = tasks.map(({ label: { window } }) =>
      window === undefined ? [] : [...BOUNDS_MS.filter(bound => bound < window), window],
    )
    this.#counts = this.#boundsMs.map(bounds => bounds.map(() => 0))
  }

  /** A label has come. One that is older than the window, by clocks that differ, is as old as it. */
  add(task: number, ageMs: number): void {
    const bounds = this.#boundsMs[task] ?? []
    const counts = this.#counts[task] ?? []
    let at = 0
    while (at < bounds.length - 1 && ageMs > (bounds[at] ?? 0)) at++
    counts[at] = (counts[at] ?? 0) + 1
  }

  /** Per task; empty until a label has come. */
  maturity(): MaturityPoint[][] {
    return this.#boundsMs.map((bounds, task) => {
      const counts = this.#counts[task] ?? []
      const all = counts.reduce((sum, count) => sum + count, 0)
      if (all === 0) return []
      let sum = 0
      return bounds.map((ageMs, at) => {
        sum += counts[at] ?? 0
        return { ageMs, share: sum / all }
      })
    })
  }

  toJson(): number[][] {
    return structuredClone(this.#counts)
  }

  /** Reads what toJson() gave; undefined: a checkpoint from before there were ages. */
  fromJson(counts: readonly (readonly number[])[] | undefined): void {
    for (const [task, saved] of (counts ?? []).entries()) this.#counts[task] = [...saved]
  }
}
