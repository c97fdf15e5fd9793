/** A run, or several side by side, as text for a terminal. Pure: the caller says whether to colour and how wide it is. */
import { isProbability } from '../../domain/heads.js'
import type { MetricName, TaskMetrics } from '../metrics/task-metrics.js'
import { baselineRows, formatChange, formatChangeInterval, formatInterval, intervalRows, isClear } from './beside.js'
import { classRows, tasksWithClasses } from './classes.js'
import { experienceRows, tasksByExperience } from './experience.js'
import {
  CLASS_METRICS,
  formatCount,
  formatMetric,
  formatSeconds,
  formatShare,
  headlineMetric,
  METRICS,
  metricsOfTask,
  SPLIT_LABELS,
  totalsOf,
} from './headline.js'
import { samplingNote } from './intervals.js'
import { formatDifference, formatVerdict, leaderboard } from './leaderboard.js'
import { policyNote, policyRows } from './policy.js'
import type { ReportedTask, RunReport } from './report.js'
import { seedRows } from './seeds.js'
import { type Cell, renderTable, textWidth } from './text-table.js'

export interface TerminalOptions {
  /** False when NO_COLOR is set or the output is no terminal. */
  colour: boolean
  /** Width of the terminal; where a table is wider, its last metrics are left out. Absent: nothing is left out. */
  columns?: number
  /** Lines for "Where to look next": a label and a path or command. */
  next?: readonly { label: string; target: string }[]
}

/** Ends with a line feed. */
export function renderTerminal(reports: readonly RunReport[], options: TerminalOptions): string {
  const paint = options.colour ? colours : plain
  const sections = reports
    .slice(0, 1)
    .flatMap(report => [
      heading(report, paint),
      ...taskTables(report, options, paint),
      ...classTables(report, paint),
      intervals(report, paint),
      baselines(report, paint),
      policy(report, paint),
      byExperience(report, options, paint),
      losses(report, paint),
    ])
  if (reports.length > 1) sections.push(leaderboardTable(reports, paint))
  sections.push(seedTable(reports, paint))
  if (options.next !== undefined && options.next.length > 0) sections.push(whereNext(options.next, paint))
  return `${sections.filter(section => section !== '').join('\n\n')}\n`
}

interface Paint {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  warn(text: string): string
}

const ansi = (open: number, close: number) => (text: string) => `\u001b[${open}m${text}\u001b[${close}m`
const colours: Paint = { bold: ansi(1, 22), dim: ansi(2, 22), good: ansi(32, 39), warn: ansi(33, 39) }
const same = (text: string) => text
const plain: Paint = { bold: same, dim: same, good: same, warn: same }

function heading(report: RunReport, paint: Paint): string {
  const total = Object.values(report.durationsMs)[0]
  const facts = [
    `${formatCount(report.records)} records`,
    `${formatCount(report.steps)} steps`,
    ...(total === undefined ? [] : [formatSeconds(total)]),
    `${formatCount(report.eventsPerSecond)} events/s`,
  ]
  return `${paint.bold(report.name)}  ${facts.join(' · ')}\n${paint.dim(`${report.log} · ${report.backend}`)}`
}

/** Binary and numeric tasks and the next item have different columns, so each kind has its table. */
function taskTables(report: RunReport, options: TerminalOptions, paint: Paint): string[] {
  const binary = report.tasks.filter(task => isProbability(task.head))
  const topN = report.tasks.filter(task => task.head === 'top-n')
  const numeric = report.tasks.filter(task => !isProbability(task.head) && task.head !== 'top-n')
  return [binary, numeric, topN].flatMap(tasks => {
    const [example] = tasks
    return example === undefined ? [] : [fittingTable(tasks, metricsOfTask(example), options.columns, paint)]
  })
}

function fittingTable(
  tasks: ReportedTask[],
  metrics: readonly MetricName[],
  columns: number | undefined,
  paint: Paint,
): string {
  for (let kept = metrics.length; kept > 0; kept--) {
    const wide = columns !== undefined && textWidth(taskTable(tasks, metrics.slice(0, kept), plain)) > columns
    if (wide && kept > 1) continue
    const hidden = metrics.slice(kept).map(name => METRICS[name].label)
    const note = hidden.length === 0 ? '' : `\n${paint.dim(`in the report and with --json: ${hidden.join(', ')}`)}`
    return taskTable(tasks, metrics.slice(0, kept), paint) + note
  }
  return ''
}

function taskTable(tasks: ReportedTask[], metrics: readonly MetricName[], paint: Paint): string {
  const binary = isProbability(tasks[0]?.head ?? '')
  const header = ['task', '', 'labels', ...(binary ? ['positive'] : []), ...metrics.map(name => METRICS[name].label)]
  const row = (entry: TaskMetrics): Cell[] => {
    const all = entry.split === 'all'
    const figures = [formatCount(entry.count), ...(binary ? [formatShare(entry.positives, entry.count)] : [])]
    for (const name of metrics) figures.push(formatMetric(name, entry.values[name]))
    const style = all ? same : paint.dim
    return [all ? entry.task : '', SPLIT_LABELS[entry.split], ...figures].map((text, column) => ({
      text,
      style: all && column === 0 ? paint.bold : style,
    }))
  }
  const rows = tasks.flatMap(task => task.totals.filter(entry => entry.split === 'all' || entry.count > 0).map(row))
  return renderTable(header, rows, { left: 2, headerStyle: paint.dim })
}

/** The figures of all classes against those of shares alone, and then each task's classes. */
function classTables(report: RunReport, paint: Paint): string[] {
  const tasks = tasksWithClasses(report.tasks)
  if (tasks.length === 0) return []
  const figures = tasks.map((task): Cell[] => [
    { text: task.name, style: paint.bold },
    ...CLASS_METRICS.map(name => ({ text: formatMetric(name, totalsOf(task, 'all')[name]), style: same })),
  ])
  const header = ['all classes', ...CLASS_METRICS.map(name => METRICS[name].label)]
  return [
    renderTable(header, figures, { left: 1, headerStyle: paint.dim }),
    ...tasks.map(task => {
      const rows = classRows(task).map(({ name, count, right, said, mistaken }): Cell[] => [
        { text: name, style: paint.bold },
        { text: formatCount(count), style: same },
        { text: formatShare(right, count), style: same },
        { text: formatShare(right, said), style: same },
        {
          text: mistaken === undefined ? '' : `${mistaken.name} ${formatShare(mistaken.count, count)}`,
          style: paint.dim,
        },
      ])
      const columns = [task.name, 'labels', 'recall', 'precision', 'most often mistaken for']
      return renderTable(columns, rows, { left: 1, headerStyle: paint.dim })
    }),
  ]
}

function intervals(report: RunReport, paint: Paint): string {
  const note = samplingNote(report)
  if (note === undefined) return ''
  const rows = intervalRows(report).map(({ task, metric, value, interval }, index, all): Cell[] => [
    { text: all[index - 1]?.task === task ? '' : task, style: paint.bold },
    { text: METRICS[metric].label, style: same },
    { text: formatMetric(metric, value), style: same },
    { text: formatInterval(metric, interval), style: same },
  ])
  if (rows.length === 0) return paint.dim(note)
  const header = ['task', 'figure', '', `95 % interval by ${report.sampled?.by}`]
  return `${renderTable(header, rows, { left: 2, headerStyle: paint.dim })}\n${paint.dim(note)}`
}

function baselines(report: RunReport, paint: Paint): string {
  const rows = baselineRows(report).map(({ baseline, metric, value, difference, interval }, index, all): Cell[] => [
    { text: all[index - 1]?.baseline === baseline ? '' : baseline, style: paint.bold },
    { text: METRICS[metric].label, style: same },
    { text: formatMetric(metric, value), style: same },
    { text: formatChange(metric, difference), style: same },
    { text: formatChangeInterval(metric, interval), style: isClear(interval) ? same : paint.dim },
  ])
  if (rows.length === 0) return ''
  return renderTable(['baseline', 'figure', '', 'model − it', ''], rows, { left: 2, headerStyle: paint.dim })
}

function policy({ policy }: RunReport, paint: Paint): string {
  if (policy === undefined) return ''
  if (policy.refused !== undefined) return paint.warn(policyNote(policy))
  const rows = policyRows(policy).map(({ name, value, interval }): Cell[] => [
    { text: name, style: paint.bold },
    { text: value, style: same },
    { text: interval, style: same },
  ])
  const header = ['order of pages', policy.reward, '95 % interval']
  return `${renderTable(header, rows, { left: 1, headerStyle: paint.dim })}\n${paint.dim(policyNote(policy))}`
}

/** Where the table is wider than the terminal, its last tasks are left out. */
function byExperience(report: RunReport, { columns }: TerminalOptions, paint: Paint): string {
  const tasks = tasksByExperience(report.tasks)
  for (let kept = tasks.length; kept > 0; kept--) {
    const wide = columns !== undefined && textWidth(experienceTable(tasks.slice(0, kept), plain)) > columns
    if (wide && kept > 1) continue
    const hidden = tasks.slice(kept).map(({ name }) => name)
    const note = hidden.length === 0 ? '' : `\n${paint.dim(`in the report and with --json: ${hidden.join(', ')}`)}`
    return experienceTable(tasks.slice(0, kept), paint) + note
  }
  return ''
}

function experienceTable(tasks: readonly ReportedTask[], paint: Paint): string {
  const header = [
    'of',
    'events before',
    ...tasks.flatMap(task => [`${task.name} labels`, METRICS[headlineMetric(task)].label]),
  ]
  const rows = experienceRows(tasks).map(({ side, events, cells }, index, all): Cell[] => {
    const first = all[index - 1]?.side !== side
    return [
      { text: first ? side : '', style: paint.bold },
      { text: events, style: same },
      ...cells.flatMap(({ count, metric, value }): Cell[] => [
        { text: formatCount(count), style: paint.dim },
        { text: formatMetric(metric, value), style: same },
      ]),
    ]
  })
  return renderTable(header, rows, { left: 2, headerStyle: paint.dim })
}

function losses(report: RunReport, paint: Paint): string {
  const list = (counts: Record<string, number>) =>
    Object.entries(counts)
      .filter(([, count]) => count > 0)
      .map(([reason, count]) => `${formatCount(count)} ${reason}`)
      .join(', ')
  const dropped = list(report.counts.drops)
  const rejected = list(report.counts.rejects)
  const missing = list(Object.fromEntries(report.tasks.map(task => [task.name, task.missingLabels ?? 0])))
  const alarms = report.alarms.map(({ task, detector }) => `${task} (${detector})`)
  return [
    alarms.length === 0 ? '' : `${paint.warn('drift alarms')}     ${list(tallied(alarms))}`,
    dropped === '' ? '' : `${paint.dim('dropped by rule')}  ${dropped}`,
    missing === '' ? '' : `${paint.dim('labels missing')}   ${missing}`,
    rejected === '' ? '' : `${paint.warn('dead letters')}     ${rejected}`,
  ]
    .filter(line => line !== '')
    .join('\n')
}

function tallied(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1
  return counts
}

function leaderboardTable(reports: readonly RunReport[], paint: Paint): string {
  const rows = leaderboard(reports)
  const columns = rows[0]?.cells ?? []
  const header = [
    'variant',
    ...columns.flatMap(cell => [`${cell.task} ${METRICS[cell.metric].label}`, 'Δ']),
    'events/s',
    ...(rows.some(({ verdict }) => verdict !== undefined) ? ['challenger'] : []),
  ]
  const body = rows.map((row): Cell[] => [
    { text: row.name, style: row.baseline ? paint.bold : same },
    ...row.cells.flatMap((cell): Cell[] => [
      { text: formatMetric(cell.metric, cell.value), style: cell.best ? paint.good : same },
      { text: row.baseline ? '' : formatDifference(cell), style: isClear(cell.interval) ? same : paint.dim },
    ]),
    { text: formatCount(row.eventsPerSecond), style: same },
    ...(header.at(-1) === 'challenger' ? [{ text: formatVerdict(row), style: same }] : []),
  ])
  const note = paint.dim(`Δ against ${reports[0]?.name}; ordered by mean rank over the tasks`)
  return `${renderTable(header, body, { left: 1, headerStyle: paint.dim })}\n${note}`
}

function seedTable(reports: readonly RunReport[], paint: Paint): string {
  const rows = seedRows(reports)
  if (rows.length === 0) return ''
  const body = rows.map(({ run, task, metric, figure, difference }, index): Cell[] => [
    { text: rows[index - 1]?.run === run ? '' : run, style: paint.bold },
    { text: `${task} ${METRICS[metric].label}`, style: same },
    { text: formatMetric(metric, figure.mean), style: same },
    { text: figure.interval === undefined ? '' : formatInterval(metric, figure.interval), style: same },
    { text: formatChange(metric, difference?.mean), style: same },
    {
      text: formatChangeInterval(metric, difference?.interval),
      style: isClear(difference?.interval) ? same : paint.dim,
    },
  ])
  const header = ['seeds', 'figure', 'mean', '95 % interval by seed', 'Δ', '']
  const note = `Means of ${rows[0]?.seeds} seeds, Student's interval: what another seed would give on this log, not what other users would. Δ against ${reports[0]?.name}, seed by seed.`
  return `${renderTable(header, body, { left: 2, headerStyle: paint.dim })}\n${paint.dim(note)}`
}

function whereNext(next: readonly { label: string; target: string }[], paint: Paint): string {
  const width = Math.max(...next.map(({ label }) => label.length))
  const lines = next.map(({ label, target }) => `  ${label.padEnd(width)}  ${target}`)
  return [paint.bold('Where to look next'), ...lines].join('\n')
}
