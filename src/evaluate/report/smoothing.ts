/**
 * Windows of rare labels jump about; a mean over the last few shows where they go. Weighted by what a window's figure
 * rests on: its positives where the figure is one of a binary task, its labels otherwise.
 */
import { isProbability } from '../../domain/heads.js'
import type { MetricName } from '../metrics/task-metrics.js'
import type { CurvePoint, ReportedTask, RunReport } from './report.js'

export interface WindowFigure {
  events: number
  value: number | null
  weight: number
}

export function windowFigure(point: CurvePoint, task: ReportedTask, metric: MetricName): WindowFigure {
  const entry = point.tasks.find(({ task: name, split }) => name === task.name && split === 'all')
  const weight = (isProbability(task.head) ? entry?.positives : entry?.count) ?? 0
  return { events: point.events, value: entry?.values[metric] ?? null, weight }
}

/** Windows to take the mean of: about one twentieth of the longest curve; 1 = too short to smooth. */
export function smoothingSpan(reports: readonly RunReport[]): number {
  const windows = Math.max(...reports.map(({ curve }) => curve.length))
  return windows < 30 ? 1 : Math.round(windows / 20) + 2
}

/** The weighted mean of each window and the span - 1 before it; undefined windows are left out. */
export function smoothed(points: readonly WindowFigure[], span: number): WindowFigure[] {
  return points.map(({ events }, index) => {
    let sum = 0
    let weight = 0
    for (const point of points.slice(Math.max(0, index + 1 - span), index + 1)) {
      if (point.value === null) continue
      sum += point.value * point.weight
      weight += point.weight
    }
    return { events, value: weight > 0 ? sum / weight : null, weight }
  })
}
