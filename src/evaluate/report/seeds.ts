/**
 * What another seed gives: means over runs that differ in nothing but `model.seed`, with Student's interval of the mean.
 * A seed interval says how far the draw of initial weights moves a figure on this log; what other users would give is the
 * sampling interval (intervals.ts), and neither holds the other. Differences are paired by seed.
 */
import type { MetricName } from '../metrics/task-metrics.js'
import { headlineMetric } from './headline.js'
import type { Interval } from './intervals.js'
import type { ReportedTask, RunReport } from './report.js'

export interface SeedFigure {
  mean: number
  /** Standard deviation over the seeds. */
  spread: number
  /** 95 % of the mean; absent with fewer than three seeds. */
  interval: Interval | undefined
}

interface SeedRow {
  run: string
  task: string
  metric: MetricName
  seeds: number
  figure: SeedFigure
  /** Minus the first configuration, seed by seed. */
  difference: SeedFigure | undefined
}

const FEWEST_SEEDS = 3
/** 97.5 % quantiles of Student's t by degrees of freedom, from 2 on; beyond the last: the normal's, widened a little. */
const STUDENT = [4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131]

/** Headline figures of each configuration; nothing where a run has one seed only. */
export function seedRows(reports: readonly RunReport[]): SeedRow[] {
  const [first] = reports
  return reports.flatMap(report =>
    report.tasks
      .filter(({ baselineOf }) => baselineOf === undefined)
      .flatMap(task => shownMetrics(task).map(metric => ({ task, metric })))
      .flatMap(({ task, metric }): SeedRow[] => {
        const figure = seedFigure(report, task.name, metric)
        if (figure === undefined) return []
        const difference = first === report ? undefined : seedDifference(first, report, task.name, metric)
        return [{ run: report.name, task: task.name, metric, seeds: report.seeds?.length ?? 0, figure, difference }]
      }),
  )
}

function shownMetrics(task: Pick<ReportedTask, 'head'>): MetricName[] {
  return task.head === 'categorical' ? [headlineMetric(task), 'crossEntropy'] : [headlineMetric(task)]
}

/** undefined: one seed, or one of the runs has no such figure. */
export function seedFigure(report: RunReport, task: string, metric: MetricName): SeedFigure | undefined {
  return meanOverSeeds(valuesOf(report, task, metric))
}

export function seedDifference(
  first: RunReport | undefined,
  other: RunReport,
  task: string,
  metric: MetricName,
): SeedFigure | undefined {
  const before = valuesOf(first, task, metric)
  const after = valuesOf(other, task, metric)
  if (before.length !== after.length) return undefined
  return meanOverSeeds(
    after.map((value, seed) => {
      const from = before[seed]
      return value === undefined || from === undefined ? undefined : value - from
    }),
  )
}

function valuesOf(report: RunReport | undefined, task: string, metric: MetricName): (number | undefined)[] {
  return (report?.seeds ?? []).map(({ figures }) => figures[task]?.[metric])
}

/** values: one a seed. undefined: fewer than two, or one is not known. */
export function meanOverSeeds(values: readonly (number | undefined)[]): SeedFigure | undefined {
  const known = values.filter(value => value !== undefined)
  if (known.length < 2 || known.length < values.length) return undefined
  const n = known.length
  const mean = known.reduce((sum, value) => sum + value, 0) / n
  const spread = Math.sqrt(known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1))
  if (n < FEWEST_SEEDS) return { mean, spread, interval: undefined }
  const half = ((STUDENT[n - 3] ?? 2.13) * spread) / Math.sqrt(n)
  return { mean, spread, interval: { low: mean - half, high: mean + half } }
}
