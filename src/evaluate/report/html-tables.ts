/** The tables of the HTML report. */
import { isProbability } from '../../domain/heads.js'
import { formatDuration } from '../../std/duration.js'
import type { TaskMetrics } from '../metrics/task-metrics.js'
import { classRows, tasksWithClasses } from './classes.js'
import { experienceRows, tasksByExperience } from './experience.js'
import {
  CLASS_METRICS,
  formatCount,
  formatEventTime,
  formatMetric,
  formatSeconds,
  formatShare,
  headlineMetric,
  METRICS,
  metricsOfTask,
  SPLIT_LABELS,
  totalsOf,
} from './headline.js'
import { formatDifference, formatVerdict, leaderboard } from './leaderboard.js'
import { html, type Markup } from './markup.js'
import type { AxisKind, Plot, PlotSeries } from './plots.js'
import type { ReportedTask, RunReport } from './report.js'

/** Binary and numeric tasks and the next item have different figures, so each kind has its table. */
export function totalTables(report: RunReport): Markup[] {
  const binary = report.tasks.filter(task => isProbability(task.head))
  const topN = report.tasks.filter(task => task.head === 'top-n')
  const numeric = report.tasks.filter(task => !isProbability(task.head) && task.head !== 'top-n')
  return [binary, numeric, topN].filter(tasks => tasks.length > 0).map(totalTable)
}

function totalTable(tasks: readonly ReportedTask[]): Markup {
  const metrics = tasks[0] === undefined ? [] : metricsOfTask(tasks[0])
  const binary = isProbability(tasks[0]?.head ?? '')
  const row = (entry: TaskMetrics) => html`<tr class="${entry.split === 'all' ? 'all' : 'split'}">
    <th scope="row">${entry.split === 'all' ? entry.task : SPLIT_LABELS[entry.split]}</th>
    <td>${formatCount(entry.count)}</td>${binary ? html`<td>${formatShare(entry.positives, entry.count)}</td>` : undefined}
    ${metrics.map(name => html`<td>${formatMetric(name, entry.values[name])}</td>`)}</tr>`
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="Totals by task"><table>
    <thead><tr><th scope="col">task</th><th scope="col">labels</th>${binary ? html`<th scope="col">positive</th>` : undefined}
    ${metrics.map(name => html`<th scope="col">${METRICS[name].label}</th>`)}</tr></thead>
    <tbody>${tasks.flatMap(task => task.totals.filter(entry => entry.split === 'all' || entry.count > 0).map(row))}</tbody>
    </table></div>`
}

/** Of each categorical task: the figures of all its classes, and which came and which was the most probable. */
export function classTables(report: RunReport): Markup[] {
  return tasksWithClasses(report.tasks).map(task => {
    const figures = CLASS_METRICS.map(name => {
      const { title, label } = METRICS[name]
      return `${title ?? label} ${formatMetric(name, totalsOf(task, 'all')[name])}`
    })
    const { counts = [] } = task.confusion ?? {}
    const rows = classRows(task)
    return html`<div class="card scroll" tabindex="0" role="region" aria-label="Classes of ${task.name}"><table>
      <caption>${task.name}: ${figures.join(', ')}</caption>
      <thead><tr><th scope="col">what came, by what was the most probable</th><th scope="col">labels</th><th scope="col">recall</th>
      <th scope="col">precision</th>${rows.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
      <tbody>${rows.map(
        ({ name, count, right, said }, own) => html`<tr><th scope="row">${name}</th><td>${formatCount(count)}</td>
        <td>${formatShare(right, count)}</td><td>${formatShare(right, said)}</td>
        ${(counts[own] ?? []).map(labels => html`<td>${formatCount(labels)}</td>`)}</tr>`,
      )}</tbody></table></div>`
  })
}

/** How those fare who had few events, by the headline figure of each task. */
export function experienceTable(report: RunReport): Markup | undefined {
  const tasks = tasksByExperience(report.tasks)
  if (tasks.length === 0) return undefined
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="By events before"><table>
    <thead><tr><th scope="col">events before</th>${tasks.map(
      task => html`<th scope="col">${task.name} labels</th><th scope="col">${METRICS[headlineMetric(task)].label}</th>`,
    )}</tr></thead>
    <tbody>${experienceRows(tasks).map(
      ({ side, events, cells }) => html`<tr><th scope="row">${side}, ${events}</th>
      ${cells.map(({ count, metric, value }) => html`<td>${formatCount(count)}</td><td>${formatMetric(metric, value)}</td>`)}</tr>`,
    )}</tbody></table></div>`
}

export function leaderboardTable(reports: readonly RunReport[]): Markup {
  const rows = leaderboard(reports)
  const colourOf = (name: string) => reports.findIndex(report => report.name === name)
  const changesOf = (name: string) => reports.find(report => report.name === name)?.changes ?? {}
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="Leaderboard"><table>
    <thead><tr><th scope="col">run</th>${rows[0]?.cells.map(cell => html`<th scope="col">${cell.task} ${METRICS[cell.metric].label}</th>`)}
    <th scope="col">mean rank</th><th scope="col">events/s</th><th scope="col" class="text">changes</th></tr></thead>
    <tbody>${rows.map(
      row => html`<tr class="all"><th scope="row">${swatch(colourOf(row.name))}${row.name}</th>
      ${row.cells.map(
        cell => html`<td class="${cell.best ? 'best' : ''}">${formatMetric(cell.metric, cell.value)}
        ${row.baseline ? undefined : html`<small>${formatDifference(cell)}</small>`}</td>`,
      )}
      <td>${row.meanRank.toFixed(1)}</td><td>${formatCount(row.eventsPerSecond)}</td>
      <td class="text muted">${[row.baseline ? 'the configuration itself' : changesText(changesOf(row.name)), formatVerdict(row)].filter(text => text !== '').join('; ')}</td></tr>`,
    )}</tbody></table></div>`
}

function swatch(colour: number): Markup {
  return html`<span class="swatch" style="background:var(--series-${colour % 8})"></span>`
}

function changesText(changes: Record<string, unknown>): string {
  return Object.entries(changes)
    .map(([key, value]) => `${key}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ')
}

/** Name and figure, for counts of all kinds; undefined when there is nothing to count. */
export function countTable(caption: string, counts: Record<string, number>, format = formatCount): Markup | undefined {
  const entries = Object.entries(counts)
  if (entries.length === 0) return undefined
  return html`<div class="card"><table><caption>${caption}</caption><tbody>
    ${entries.map(([name, count]) => html`<tr><th scope="row">${name}</th><td>${format(count)}</td></tr>`)}
    </tbody></table></div>`
}

export function durationTable(report: RunReport): Markup | undefined {
  return countTable('Wall time', report.durationsMs, formatSeconds)
}

/** Ages as rows, tasks as columns. */
export function maturityTable({ tasks }: RunReport): Markup | undefined {
  const shown = tasks.filter(({ maturity }) => maturity.length > 0)
  if (shown.length === 0) return undefined
  const ages = [...new Set(shown.flatMap(({ maturity }) => maturity.map(({ ageMs }) => ageMs)))].sort((a, b) => a - b)
  const shareOf = ({ maturity }: ReportedTask, age: number) => maturity.find(({ ageMs }) => ageMs === age)?.share
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="Label maturity"><table>
    <caption>Of the labels that come within the window, how many have come by which age of the impression</caption>
    <thead><tr><th scope="col">age</th>${shown.map(({ name }) => html`<th scope="col">${name}</th>`)}</tr></thead>
    <tbody>${ages.map(
      age => html`<tr><th scope="row">${formatDuration(age)}</th>
      ${shown.map(task => html`<td>${formatFigure('share', shareOf(task, age))}</td>`)}</tr>`,
    )}</tbody></table></div>`
}

export function alarmTable({ alarms }: RunReport): Markup | undefined {
  if (alarms.length === 0) return undefined
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="Drift alarms"><table>
    <thead><tr><th scope="col">event time</th><th scope="col">task</th><th scope="col">detector</th><th scope="col">labels</th>
    <th scope="col">loss before</th><th scope="col">loss now</th></tr></thead>
    <tbody>${alarms.map(
      alarm => html`<tr><th scope="row">${formatEventTime(alarm.eventTimeMs)}</th><td>${alarm.task}</td><td>${alarm.detector}</td>
      <td>${formatCount(alarm.labels)}</td><td>${alarm.lossBefore.toPrecision(4)}</td><td>${alarm.lossNow.toPrecision(4)}</td></tr>`,
    )}</tbody></table></div>`
}

/** At most so many rows; the page stays small and a screen reader's patience is kept. */
const PLOT_TABLE_ROWS = 60

/** The numbers of a plot as text. */
export function plotTable(plot: Plot): Markup {
  const [xs = [], ...columns] = plot.columns
  const shown = plot.series.map((series, index) => ({ ...series, column: columns[index] ?? [] })).filter(isOwnFigure)
  const stride = Math.ceil(xs.length / PLOT_TABLE_ROWS)
  const kept = xs.map((_, index) => index).filter(index => (xs.length - 1 - index) % stride === 0)
  const note = stride > 1 ? html`<p class="note">Every ${ordinal(stride)} point.</p>` : undefined
  return html`<details><summary>The numbers</summary>${note}<div class="scroll" tabindex="0"><table>
    <thead><tr><th scope="col">${plot.x.label}</th>${shown.map(series => html`<th scope="col">${series.label}</th>`)}</tr></thead>
    <tbody>${kept.map(
      index => html`<tr><th scope="row">${formatFigure(plot.x.kind, xs[index])}</th>
      ${shown.map(({ column }) => html`<td>${formatFigure(plot.y.kind, column[index])}</td>`)}</tr>`,
    )}</tbody></table></div></details>`
}

/** Smoothed lines and the diagonal are there for the eye; the table has the figures behind them. */
function isOwnFigure(series: PlotSeries, _: number, all: readonly PlotSeries[]): boolean {
  if (series.style === 'dashed') return false
  return series.style === 'faint' || !all.some(({ style }) => style === 'faint')
}

function ordinal(n: number): string {
  return n === 2 ? 'second' : n === 3 ? 'third' : `${n}th`
}

function formatFigure(kind: AxisKind, value: number | null | undefined): string {
  if (value === null || value === undefined) return '–'
  if (kind === 'count') return formatCount(value)
  return kind === 'share' ? `${(100 * value).toPrecision(3)} %` : value.toPrecision(4)
}
