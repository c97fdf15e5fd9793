/** The figures of a run as `evaluate --json` prints them: `tasks.<name>.{auc,logLoss,…}` and `eventsPerSecond`. */
import { formatDuration } from '../../std/duration.js'
import type { ExperienceMetrics, MetricValues, Split } from '../metrics/task-metrics.js'
import type { Counts, ReportedAlarm, RunReport } from './report.js'

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
  tasks: Record<string, TaskSummary>
  alarms: ReportedAlarm[]
  counts: Counts
  tableRows: Record<string, number>
}

/** What `--json` prints of one run or of a comparison: the first run's figures, and every run's under `variants`. */
export function summariseRuns(reports: readonly [RunReport, ...RunReport[]]): RunSummary & { variants?: RunSummary[] } {
  const [first] = reports
  const summary = summariseRun(first)
  return reports.length === 1 ? summary : { ...summary, variants: reports.map(summariseRun) }
}

function summariseRun(report: RunReport): RunSummary {
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
    tasks[task.name] = summary
  }
  return {
    name,
    configuration,
    log,
    backend,
    records,
    steps,
    eventsPerSecond,
    durationsMs,
    tasks,
    alarms,
    counts,
    tableRows,
  }
}
