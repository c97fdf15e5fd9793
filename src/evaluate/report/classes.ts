/** Rows of the tables of a categorical task: the figures of all its classes, and each class by itself. */
import type { ReportedTask } from './report.js'

interface ClassRow {
  name: string
  /** Labels of this class. */
  count: number
  /** Of them those for which it was the most probable. */
  right: number
  /** Labels for which it was the most probable. */
  said: number
  /** What was said most often in its place, and how often; undefined: nothing was. */
  mistaken: { name: string; count: number } | undefined
}

/** The tasks that have such tables: with classes, and labels. */
export function tasksWithClasses(tasks: readonly ReportedTask[]): ReportedTask[] {
  return tasks.filter(({ confusion }) => confusion?.counts.some(row => row.some(count => count > 0)))
}

/** One a class, in the order of the configuration. */
export function classRows({ confusion }: ReportedTask): ClassRow[] {
  if (confusion === undefined) return []
  const { classes, counts } = confusion
  return classes.map((name, own) => {
    const row = counts[own] ?? []
    const others = row.map((count, said) => ({ name: classes[said] ?? '', count: said === own ? 0 : count }))
    const mistaken = others.reduce((most, one) => (one.count > most.count ? one : most), { name: '', count: 0 })
    return {
      name,
      count: sum(row),
      right: row[own] ?? 0,
      said: sum(counts.map(line => line[own] ?? 0)),
      mistaken: mistaken.count > 0 ? mistaken : undefined,
    }
  })
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0)
}
