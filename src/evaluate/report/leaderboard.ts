/**
 * Runs over the same log, side by side. Order: mean rank over the tasks' headline metrics (1 = best; equal values share
 * a rank), then the order given. Ranks, not means of values, because AUC and RMSE have no common unit.
 */
import type { Verdict } from '../contest/comparison.js'
import type { MetricName } from '../metrics/task-metrics.js'
import { formatChange, formatChangeInterval } from './beside.js'
import { headlineMetric, METRICS, totalsOf } from './headline.js'
import { differenceInterval, type Interval } from './intervals.js'
import type { RunReport } from './report.js'

export interface LeaderboardCell {
  task: string
  metric: MetricName
  value: number | undefined
  /** Against the first run of the comparison. */
  difference: number | undefined
  /** Of the difference, on the same examples. */
  interval: Interval | undefined
  best: boolean
}

export interface LeaderboardRow {
  name: string
  cells: LeaderboardCell[]
  meanRank: number
  eventsPerSecond: number
  /** Of a challenger: over all tasks together, beyond noise. */
  verdict: Verdict | undefined
  /** The run that the others are compared with. */
  baseline: boolean
}

export function leaderboard(reports: readonly RunReport[]): LeaderboardRow[] {
  const first = reports[0]
  if (first === undefined) return []
  const rows = reports.map((report): LeaderboardRow & { ranks: number[] } => ({
    name: report.name,
    cells: [],
    ranks: [],
    meanRank: 0,
    eventsPerSecond: report.eventsPerSecond,
    verdict: report.standing?.verdict,
    baseline: report === first,
  }))
  for (const task of first.tasks.filter(({ baselineOf }) => baselineOf === undefined)) {
    const metric = headlineMetric(task)
    const sign = METRICS[metric].better === 'lower' ? -1 : 1
    const values = reports.map(report => {
      const same = report.tasks.find(({ name }) => name === task.name)
      return same === undefined ? undefined : totalsOf(same, 'all')[metric]
    })
    for (const [index, row] of rows.entries()) {
      const value = values[index]
      const rank = 1 + values.filter(other => beats(other, value, sign)).length
      const difference = value === undefined || values[0] === undefined ? undefined : value - values[0]
      const report = reports[index] ?? first
      const interval =
        report === first
          ? undefined
          : differenceInterval({ report: first, task: task.name }, { report, task: task.name }, metric)
      row.cells.push({ task: task.name, metric, value, difference, interval, best: value !== undefined && rank === 1 })
      row.ranks.push(rank)
    }
  }
  for (const row of rows) row.meanRank = row.ranks.reduce((sum, rank) => sum + rank, 0) / Math.max(row.ranks.length, 1)
  return rows.sort((a, b) => a.meanRank - b.meanRank).map(({ ranks, ...row }) => row)
}

function beats(other: number | undefined, value: number | undefined, sign: number): boolean {
  if (other === undefined) return false
  return value === undefined || sign * other > sign * value
}

/** What a challenger is found to be against what answers; empty for runs of their own. */
export function formatVerdict({ verdict }: LeaderboardRow): string {
  if (verdict === undefined) return ''
  return verdict === 'open' ? 'not told apart' : `${verdict} beyond noise`
}

/** '+0.0012', or '+0.0012 [+0.0003, +0.0021]'; empty where there is nothing to compare. */
export function formatDifference({ metric, difference, interval }: LeaderboardCell): string {
  return [formatChange(metric, difference), formatChangeInterval(metric, interval)]
    .filter(text => text !== '')
    .join(' ')
}
