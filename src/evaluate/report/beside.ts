/** Rows of the tables beside the totals: each figure with its interval, and the model against its baselines. */
import type { MetricName } from '../metrics/task-metrics.js'
import { formatMetric, METRICS, metricsOfTask, totalsOf } from './headline.js'
import { differenceInterval, type Interval, intervalOf } from './intervals.js'
import type { ReportedTask, RunReport } from './report.js'

interface IntervalRow {
  task: string
  metric: MetricName
  value: number | undefined
  interval: Interval
}

interface BaselineRow {
  task: string
  baseline: string
  metric: MetricName
  value: number | undefined
  /** The model's figure minus the baseline's. */
  difference: number | undefined
  interval: Interval | undefined
}

/** Figures at a threshold of 0.5 are left out: few scores of rare labels reach it. */
const THRESHOLDED: ReadonlySet<MetricName> = new Set(['accuracy', 'precision', 'recall', 'f1'])
const BESIDE_BASELINES: ReadonlySet<MetricName> = new Set(['auc', 'logLoss', 'rmse', 'mae', 'recallAt10', 'ndcgAt10'])

/** Nothing where the run has no intervals, or too few blocks for them. */
export function intervalRows(report: RunReport): IntervalRow[] {
  const own = report.tasks.filter(({ baselineOf }) => baselineOf === undefined)
  return own.flatMap(task =>
    metricsOfTask(task)
      .filter(metric => METRICS[metric].better !== undefined && !THRESHOLDED.has(metric))
      .flatMap((metric): IntervalRow[] => {
        const interval = intervalOf(report, task.name, metric)
        return interval === undefined
          ? []
          : [{ task: task.name, metric, value: totalsOf(task, 'all')[metric], interval }]
      }),
  )
}

export function baselineRows(report: RunReport): BaselineRow[] {
  return report.tasks.flatMap(task => {
    const model = report.tasks.find(({ name }) => name === task.baselineOf)
    return model === undefined ? [] : rowsOf(report, model, task)
  })
}

function rowsOf(report: RunReport, model: ReportedTask, baseline: ReportedTask): BaselineRow[] {
  return metricsOfTask(model)
    .filter(metric => BESIDE_BASELINES.has(metric))
    .map(metric => {
      const value = totalsOf(baseline, 'all')[metric]
      const own = totalsOf(model, 'all')[metric]
      return {
        task: model.name,
        baseline: baseline.name,
        metric,
        value,
        difference: own === undefined || value === undefined ? undefined : own - value,
        interval: differenceInterval({ report, task: baseline.name }, { report, task: model.name }, metric),
      }
    })
}

/** '0.7801 to 0.7903' */
export function formatInterval(metric: MetricName, { low, high }: Interval): string {
  return `${formatMetric(metric, low)} to ${formatMetric(metric, high)}`
}

/** '+0.0012', '−0.0012'; empty where there is nothing to compare. */
export function formatChange(metric: MetricName, difference: number | undefined): string {
  if (difference === undefined) return ''
  const text = Math.abs(difference).toFixed(METRICS[metric].decimals)
  if (Number(text) === 0) return '0'
  return `${difference > 0 ? '+' : '−'}${text}`
}

/** '[−0.0003, +0.0027]'; empty without an interval. */
export function formatChangeInterval(metric: MetricName, interval: Interval | undefined): string {
  return interval === undefined ? '' : `[${formatChange(metric, interval.low)}, ${formatChange(metric, interval.high)}]`
}

/** Whether the interval leaves out that nothing changed. */
export function isClear(interval: Interval | undefined): boolean {
  return interval !== undefined && (interval.low > 0 || interval.high < 0)
}
