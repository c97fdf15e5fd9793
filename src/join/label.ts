/**
 * What the configured tasks ask of the join: which positives label what, for how long impressions wait, and what an
 * impression without a positive means.
 *
 * A binary task on clicks or buys is labelled in the entire space: every impression counts, 0 unless the positive came.
 * All other tasks (on ratings, or on a value) have nothing to learn from an impression without their positive.
 *
 * A task of the entire space whose label may come late is learned early, as what is known by then, and again when a
 * positive comes after all. Only its final label is judged.
 */
import type { TaskConfig } from '../config/schema.js'
import type { PositiveKind } from '../domain/event.js'

/** Tasks that a positive labels in the same way: same event, window and attribution (and what they are given, if that counts). */
export interface LabelGroup {
  tasks: readonly number[]
  windowMs: number
  /** Index in `windowsMs`. */
  window: number
  attribution: TaskConfig['label']['attribution']
  /** attribution given: the task that must have happened; else -1. */
  given: number
}

export interface KindPlan {
  /** Tasks for which the positive itself is the example. */
  instant: readonly number[]
  groups: readonly LabelGroup[]
  /** All tasks of `groups`. */
  windowed: readonly number[]
  /** Those of `windowed` that an impression without the positive labels 0. */
  entireSpace: readonly number[]
  /** Those of `windowed` that another task is given: with one of them a funnel begins. */
  begins: readonly number[]
  /** Positives that came before may be credited once this one has come. */
  credits: boolean
}

export interface LabelPlan {
  tasks: number
  kinds: Readonly<Record<PositiveKind, KindPlan>>
  /** Distinct windows, shortest first. */
  windowsMs: readonly number[]
  /** Per window: the tasks whose labels are final with it. */
  tasksOfWindow: readonly (readonly number[])[]
  /** Per window: the tasks that are learned with it as what is known by then, although their own window is longer. */
  earlyOfWindow: readonly (readonly number[])[]
  /** Per task: index of the window with which it is learned early, or -1. */
  early: readonly number[]
  /** Per task: a positive that comes after it was learned early is a further example, and nothing is taken back. */
  duplicates: readonly boolean[]
  entireSpace: readonly boolean[]
  /** Per task: the share of the negatives that is learned. */
  keepNegatives: readonly number[]
  /** Per task: the task that it is given, or -1. */
  given: readonly number[]
}

const ATTRIBUTIONS = ['last', 'given', 'all'] as const

export function planLabels(tasks: readonly TaskConfig[]): LabelPlan {
  const entireSpace = tasks.map(({ head, label }) => head === 'binary' && label.event !== 'rating')
  const earlyMs = tasks.map((task, index) => (entireSpace[index] === true ? earlyWindow(task, tasks) : undefined))
  const windowsMs = [...new Set([...tasks.map(({ label }) => label.window), ...earlyMs])]
    .filter(windowMs => windowMs !== undefined)
    .sort((a, b) => a - b)
  const where = (test: (task: TaskConfig, index: number) => boolean) =>
    tasks.flatMap((task, index) => (test(task, index) ? index : []))

  const given = tasks.map(task => tasks.findIndex(({ name }) => name === task.given))
  const creditedBy = given.map((before, task) => (tasks[task]?.label.attribution === 'given' ? before : -1))

  function planKind(kind: PositiveKind): KindPlan {
    const groups = windowsMs.flatMap((windowMs, window) =>
      ATTRIBUTIONS.flatMap(attribution =>
        [...new Set(creditedBy)]
          .sort((a, b) => a - b)
          .flatMap(before => {
            const members = where(
              ({ label }, task) =>
                label.event === kind &&
                label.window === windowMs &&
                label.attribution === attribution &&
                creditedBy[task] === before,
            )
            return members.length > 0 ? { tasks: members, windowMs, window, attribution, given: before } : []
          }),
      ),
    )
    const windowed = where(({ label }) => label.event === kind && label.window !== undefined)
    return {
      instant: where(({ label }) => label.event === kind && label.window === undefined),
      groups,
      windowed,
      entireSpace: windowed.filter(task => entireSpace[task]),
      begins: windowed.filter(task => given.includes(task)),
      credits: windowed.some(task => creditedBy.includes(task)),
    }
  }

  return {
    tasks: tasks.length,
    kinds: { click: planKind('click'), buy: planKind('buy'), rating: planKind('rating') },
    windowsMs,
    tasksOfWindow: windowsMs.map(windowMs => where(({ label }) => label.window === windowMs)),
    earlyOfWindow: windowsMs.map(windowMs => tasks.flatMap((_, task) => (earlyMs[task] === windowMs ? task : []))),
    early: earlyMs.map(windowMs => (windowMs === undefined ? -1 : windowsMs.indexOf(windowMs))),
    duplicates: tasks.map(({ label }) => label.late === 'duplicate' || label.late === 'fake-negative-weighted'),
    entireSpace,
    keepNegatives: tasks.map(({ label }) => label.keepNegatives ?? 1),
    given,
  }
}

/** When the task is learned for the first time, if that is before its label is final: ms after the impression. */
export function earlyWindow({ label, given }: TaskConfig, tasks: readonly TaskConfig[]): number | undefined {
  const { window, early, late } = label
  if (window === undefined || late === 'wait') return undefined
  const earlyMs = early ?? tasks.find(({ name }) => name === given)?.label.window
  return earlyMs !== undefined && earlyMs < window ? earlyMs : undefined
}
