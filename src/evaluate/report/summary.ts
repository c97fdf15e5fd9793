/** The figures of a run as `evaluate --json` prints them: `tasks.<name>.{auc,logLoss,…}` and `eventsPerSecond`. */
import { formatDuration } from '../../std/duration.js'
import type { Standing } from '../contest/comparison.js'
import type { ExperienceMetrics, MetricName, MetricValues, Split } from '../metrics/task-metrics.js'
import type { PolicyFindings } from '../policy/off-policy.js'
import { figuresOfTask, totalsOf } from './headline.js'
import { differenceInterval, type Interval, intervalOf, replicatesOf } from './intervals.js'
import type { Counts, ReportedAlarm, ReportedTask, RunReport } from './report.js'
import { type SeedFigure, seedDifference, seedFigure } from './seeds.js'

interface Figures extends MetricValues {
  count: number
  positives: number
}

interface TaskSummary extends MetricValues {
  count: number
  positives: number
  /** The same figures for cold users, cold items and the rest. */
  splits: Partial<Record<Split, Figures>>
  /** The same figures by how many events the user, or the item, had had before; bands with labels only. */
  byExperience: Record<ExperienceMetrics['side'], Record<string, Figures>>
  /** By age ('1h'): the share of the labels that has come by then. Absent without a window. */
  maturity?: Record<string, number>
  /** Of a categorical task: labels by what came and by what was the most probable, both in the order of the names. */
  classes?: { names: readonly string[]; confusion: number[][] }
  /** Events that gave the task no label, since what it comes from was missing. Absent: none. */
  missingLabels?: number
  /** Sampling intervals of 95 %, [low, high] by figure. Absent without `evaluate.interval`. */
  intervals?: ByMetric<[low: number, high: number]>
  /** Of a baseline: what the figures of the task that it stands beside have over its own. */
  model?: ByMetric<Difference>
  /** Of another run than the first: its figures minus those of the first. */
  differences?: ByMetric<Difference>
}

interface SeedSummary {
  mean: number
  spread: number
  /** Of the mean, 95 %; absent with fewer than three seeds. */
  interval?: [low: number, high: number]
  /** Minus the first configuration, seed by seed. */
  difference?: Omit<SeedSummary, 'difference'>
}

type ByMetric<T> = { [name in MetricName]?: T }

interface Difference {
  difference: number
  /** Absent without `evaluate.interval`, and where the examples are not the same. */
  interval?: [low: number, high: number]
}

export interface RunSummary {
  name: string
  configuration: string
  log: string
  backend: string
  records: number
  steps: number
  eventsPerSecond: number
  durationsMs: Record<string, number>
  /** What `intervals` are by; absent without them. */
  interval?: { by: string; blocks: number; replicates: number; level: number }
  tasks: Record<string, TaskSummary>
  /** Means over several seeds, by task and figure. Absent with one. */
  seeds?: { count: number; tasks: Record<string, ByMetric<SeedSummary>> }
  /** Of a challenger, against what answers. */
  standing?: Standing
  /** Absent without `evaluate.policy`. */
  policy?: PolicyFindings
  alarms: ReportedAlarm[]
  counts: Counts
  tableRows: Record<string, number>
}

/** What `--json` prints of one run or of a comparison: the first run's figures, and every run's under `variants`. */
export function summariseRuns(reports: readonly [RunReport, ...RunReport[]]): RunSummary & { variants?: RunSummary[] } {
  const [first] = reports
  const summary = summariseRun(first, first)
  return reports.length === 1 ? summary : { ...summary, variants: reports.map(report => summariseRun(report, first)) }
}

function summariseRun(report: RunReport, first: RunReport): RunSummary {
  const { name, configuration, log, backend, records, steps, eventsPerSecond, durationsMs, alarms, counts, tableRows } =
    report
  const tasks: Record<string, TaskSummary> = {}
  for (const task of report.tasks) {
    const summary: TaskSummary = { count: 0, positives: 0, splits: {}, byExperience: { user: {}, item: {} } }
    for (const { split, count, positives, values } of task.totals) {
      if (split === 'all') Object.assign(summary, { count, positives, ...values })
      else summary.splits[split] = { count, positives, ...values }
    }
    for (const { side, events, count, positives, values } of task.byExperience) {
      if (count > 0) summary.byExperience[side][events] = { count, positives, ...values }
    }
    if (task.maturity.length > 0)
      summary.maturity = Object.fromEntries(task.maturity.map(({ ageMs, share }) => [formatDuration(ageMs), share]))
    if (task.confusion !== undefined)
      summary.classes = { names: task.confusion.classes, confusion: task.confusion.counts }
    if (task.missingLabels !== undefined) summary.missingLabels = task.missingLabels
    Object.assign(summary, besideOf(report, task, first))
    tasks[task.name] = summary
  }
  const { sampled } = report
  return {
    name,
    configuration,
    log,
    backend,
    records,
    steps,
    eventsPerSecond,
    durationsMs,
    ...(sampled && {
      interval: { by: sampled.by, blocks: sampled.blocks, replicates: replicatesOf(sampled), level: 0.95 },
    }),
    tasks,
    ...(report.seeds && { seeds: seedsOf(report, first) }),
    ...(report.standing && { standing: report.standing }),
    ...(report.policy && { policy: report.policy }),
    alarms,
    counts,
    tableRows,
  }
}

function besideOf(
  report: RunReport,
  task: ReportedTask,
  first: RunReport,
): Pick<TaskSummary, 'intervals' | 'model' | 'differences'> {
  const own = { report, task }
  const model = report.tasks.find(({ name }) => name === task.baselineOf)
  const before = report === first ? undefined : first.tasks.find(({ name }) => name === task.name)
  const intervals: ByMetric<[number, number]> = {}
  for (const metric of figuresOfTask(task)) {
    const interval = intervalOf(report, task.name, metric)
    if (interval !== undefined) intervals[metric] = pair(interval)
  }
  return {
    ...(Object.keys(intervals).length > 0 && { intervals }),
    ...(model && { model: differencesOf(own, { report, task: model }) }),
    ...(before && { differences: differencesOf({ report: first, task: before }, own) }),
  }
}

interface Place {
  report: RunReport
  task: ReportedTask
}

function differencesOf(from: Place, to: Place): ByMetric<Difference> {
  const differences: ByMetric<Difference> = {}
  for (const metric of figuresOfTask(to.task)) {
    const before = totalsOf(from.task, 'all')[metric]
    const after = totalsOf(to.task, 'all')[metric]
    if (before === undefined || after === undefined) continue
    const interval = differenceInterval(
      { report: from.report, task: from.task.name },
      { report: to.report, task: to.task.name },
      metric,
    )
    differences[metric] = { difference: after - before, ...(interval && { interval: pair(interval) }) }
  }
  return differences
}

function seedsOf(report: RunReport, first: RunReport): NonNullable<RunSummary['seeds']> {
  const plain = ({ mean, spread, interval }: SeedFigure) => ({
    mean,
    spread,
    ...(interval && { interval: pair(interval) }),
  })
  const own = report.tasks.filter(({ baselineOf }) => baselineOf === undefined)
  const tasks = own.map(task => {
    const figures: ByMetric<SeedSummary> = {}
    for (const metric of figuresOfTask(task)) {
      const figure = seedFigure(report, task.name, metric)
      if (figure === undefined) continue
      const difference = report === first ? undefined : seedDifference(first, report, task.name, metric)
      figures[metric] = { ...plain(figure), ...(difference && { difference: plain(difference) }) }
    }
    return [task.name, figures] as const
  })
  return { count: report.seeds?.length ?? 0, tasks: Object.fromEntries(tasks) }
}

function pair({ low, high }: Interval): [number, number] {
  return [low, high]
}
