/**
 * What the configured tasks ask of the join: which positives label what, for how long impressions wait, and what an
 * impression without a positive means.
 *
 * A binary task on clicks or buys is labelled in the entire space: every impression counts, 0 unless the positive came.
 * All other tasks (on ratings, or on a value) have nothing to learn from an impression without their positive.
 */
import type { TaskConfig } from '../config/schema.js'
import type { PositiveKind } from '../domain/event.js'

/** Tasks that a positive labels in the same way: same event, window and attribution. */
export interface LabelGroup {
  tasks: readonly number[]
  windowMs: number
  /** Index in `windowsMs`. */
  window: number
  attribution: 'last' | 'all'
}

export interface KindPlan {
  /** Tasks for which the positive itself is the example. */
  instant: readonly number[]
  groups: readonly LabelGroup[]
  /** All tasks of `groups`. */
  windowed: readonly number[]
  /** Those of `windowed` that an impression without the positive labels 0. */
  entireSpace: readonly number[]
}

export interface LabelPlan {
  tasks: number
  kinds: Readonly<Record<PositiveKind, KindPlan>>
  /** Distinct windows, shortest first. */
  windowsMs: readonly number[]
  /** Per window: the tasks that mature with it. */
  tasksOfWindow: readonly (readonly number[])[]
  entireSpace: readonly boolean[]
  /** Per task: the task that it is given, or -1. */
  given: readonly number[]
  /** Label of the task by a positive of this value. */
  labelOf(task: number, value: number): number
}

export function planLabels(tasks: readonly TaskConfig[]): LabelPlan {
  const windowsMs = [...new Set(tasks.flatMap(({ label }) => label.window ?? []))].sort((a, b) => a - b)
  const entireSpace = tasks.map(({ head, label }) => head === 'binary' && label.event !== 'rating')
  const where = (test: (task: TaskConfig) => boolean) => tasks.flatMap((task, index) => (test(task) ? index : []))

  function planKind(kind: PositiveKind): KindPlan {
    const groups = windowsMs.flatMap((windowMs, window) =>
      (['last', 'all'] as const).flatMap(attribution => {
        const members = where(
          ({ label }) => label.event === kind && label.window === windowMs && label.attribution === attribution,
        )
        return members.length > 0 ? { tasks: members, windowMs, window, attribution } : []
      }),
    )
    const windowed = where(({ label }) => label.event === kind && label.window !== undefined)
    return {
      instant: where(({ label }) => label.event === kind && label.window === undefined),
      groups,
      windowed,
      entireSpace: windowed.filter(task => entireSpace[task]),
    }
  }

  return {
    tasks: tasks.length,
    kinds: { click: planKind('click'), buy: planKind('buy'), rating: planKind('rating') },
    windowsMs,
    tasksOfWindow: windowsMs.map(windowMs => where(({ label }) => label.window === windowMs)),
    entireSpace,
    given: tasks.map(({ given }) => tasks.findIndex(({ name }) => name === given)),
    labelOf(index, value) {
      const task = tasks[index]
      if (task === undefined || task.head !== 'binary') return value
      return task.label.atLeast === undefined || value >= task.label.atLeast ? 1 : 0
    },
  }
}
