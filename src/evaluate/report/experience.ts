/** Rows of the table by how many events an id had had: both sides' bands, with each task's headline figure. */
import { EXPERIENCE_BANDS } from '../../domain/experience.js'
import type { MetricName } from '../metrics/task-metrics.js'
import { headlineMetric } from './headline.js'
import type { ReportedTask } from './report.js'

export interface ExperienceRow {
  side: 'user' | 'item'
  /** One of EXPERIENCE_BANDS. */
  events: string
  /** In the order of the tasks. */
  cells: { count: number; metric: MetricName; value: number | undefined }[]
}

/** Bands without a label in any task are left out; nothing at all where only the next item is judged. */
export function experienceRows(tasks: readonly ReportedTask[]): ExperienceRow[] {
  const rows = (['user', 'item'] as const).flatMap(side =>
    EXPERIENCE_BANDS.map((events): ExperienceRow => {
      const cells = tasks.map(task => {
        const metric = headlineMetric(task)
        const found = task.byExperience.find(entry => entry.side === side && entry.events === events)
        return { count: found?.count ?? 0, metric, value: found?.values[metric] }
      })
      return { side, events, cells }
    }),
  )
  return rows.filter(({ cells }) => cells.some(({ count }) => count > 0))
}

/** The tasks that the table can have. */
export function tasksByExperience(tasks: readonly ReportedTask[]): ReportedTask[] {
  return tasks.filter(({ byExperience }) => byExperience.some(({ count }) => count > 0))
}
