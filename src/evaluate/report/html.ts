/**
 * The report as one HTML file that needs nothing else: style, uPlot and data are inside, and the page's policy forbids
 * it to load anything. Every plot has its numbers as a table beside it, so the page also reads without a script.
 */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { formatCount, formatEventTime, formatSeconds } from './headline.js'
import { baselineTable, intervalTable, policySection, seedSection } from './html-beside.js'
import {
  alarmTable,
  classTables,
  countTable,
  durationTable,
  experienceTable,
  leaderboardTable,
  maturityTable,
  plotTable,
  totalTables,
} from './html-tables.js'
import { samplingNote } from './intervals.js'
import { html, Markup, scriptJson } from './markup.js'
import { PAGE_SCRIPT } from './page-script.js'
import { PAGE_STYLE } from './page-style.js'
import {
  calibrationPlot,
  learningCurves,
  lossPlot,
  type Plot,
  throughputPlot,
  weightPlots,
  weightsMoved,
} from './plots.js'
import type { ReportedTask, RunReport } from './report.js'
import { smoothingSpan } from './smoothing.js'

/** The first run is the configuration, the others its variants. */
export function renderHtml(reports: readonly [RunReport, ...RunReport[]]): string {
  const [report] = reports
  const plots: Plot[] = []
  const figure = (plot: Plot) => html`<figure class="card"><figcaption><h3>${plot.title}</h3>
    <p class="note">${plot.note}</p></figcaption>
    <div class="plot" data-plot="${plots.push(plot) - 1}" role="img" aria-label="Plot of ${plot.title}; its numbers are in the table below"></div>
    ${plotTable(plot)}</figure>`
  const body = html`<main>
    ${header(report)}
    <h2>Totals</h2>
    <div class="stack">${totalTables(report)}</div>
    <p class="note">${totalsNote(report)}</p>
    ${section('Classes', 'stack', classTables(report))}
    ${intervals(report)}
    ${section('Against the baselines', 'stack', [baselineTable(report)])}
    ${policySection(report)}
    ${section('By how many events an id had had before', 'stack', [experienceTable(report)])}
    ${reports.length > 1 ? comparison(reports) : undefined}
    ${seedSection(reports)}
    <h2>Learning curves</h2>
    <p class="note">${curvesNote(reports)}</p>
    <div class="grid">${report.tasks
      .filter(hasCurve(report))
      .flatMap(task => learningCurves(reports, task))
      .map(figure)}</div>
    ${section(
      'Calibration',
      'grid',
      report.tasks.map(task => calibrationPlot(reports, task)).map(plot => plot && figure(plot)),
    )}
    ${section('Label maturity', 'stack', [maturityTable(report)])}
    ${section('Task weights', 'grid', [...weightPlots(reports).map(figure), ...reports.filter(run => !weightsMoved(run)).map(constantWeights)])}
    ${section(
      'Loss and throughput',
      'grid',
      [lossPlot(reports), throughputPlot(reports)].map(plot => plot && figure(plot)),
    )}
    ${section('Drift alarms', 'stack', [alarmTable(report)])}
    ${section('Counts', 'grid small', [
      countTable('Events used', report.counts.events),
      countTable('Dropped by rule', report.counts.drops),
      countTable('Dead letters by reason', report.counts.rejects),
      countTable('Records written', report.counts.outputs),
      countTable('Rows by table', report.tableRows),
      durationTable(report),
    ])}
    <footer>${report.configuration} · ${report.backend}</footer>
    </main>`
  return page(report, body, plots)
}

function header(report: RunReport): Markup {
  const [total] = Object.values(report.durationsMs)
  const span = report.lastEventTimeMs - report.firstEventTimeMs
  return html`<header><h1>${report.name}</h1>
    <p class="source">${report.log} · ${formatEventTime(report.firstEventTimeMs)} to ${formatEventTime(report.lastEventTimeMs)} UTC</p>
    <dl class="facts">
    <div><dt>records</dt><dd>${formatCount(report.records)}</dd></div>
    <div><dt>event time</dt><dd>${(span / 86_400_000).toPrecision(3)} <small>days</small></dd></div>
    <div><dt>steps</dt><dd>${formatCount(report.steps)}</dd></div>
    ${total === undefined ? undefined : html`<div><dt>wall time</dt><dd>${formatSeconds(total)}</dd></div>`}
    <div><dt>throughput</dt><dd>${formatCount(report.eventsPerSecond)} <small>events/s</small></dd></div>
    </dl></header>`
}

function totalsNote(report: RunReport): string {
  const from = report.countFromMs === null ? '' : ` Impressions from ${formatEventTime(report.countFromMs)} UTC on.`
  return `Progressive validation: each score was made before its label was known.${from} Accuracy, precision, recall and F1 at a score of 0.5. A dash is a figure that these labels do not define.`
}

function curvesNote(reports: readonly RunReport[]): string {
  const span = smoothingSpan(reports)
  const lines =
    span > 1 ? ` Bold lines: mean of the last ${span} windows, weighted by their labels; faint lines: each window.` : ''
  return `Each point judges the labels that matured in one window, by scores made before they were known.${lines} Drag to zoom, double-click to go back.`
}

function intervals(report: RunReport): Markup | undefined {
  const note = samplingNote(report)
  if (note === undefined) return undefined
  return html`<h2>Sampling intervals</h2><p class="note">${note}</p>${intervalTable(report)}`
}

function comparison(reports: readonly [RunReport, ...RunReport[]]): Markup {
  return html`<h2>Leaderboard</h2>${leaderboardTable(reports)}
    <p class="note">Small figures: difference to ${reports[0].name}${reports[0].sampled === undefined ? '' : ', on the same examples, with its sampling interval'}. Ordered by the mean of the ranks in each task. The totals above and the counts below are of ${reports[0].name}.</p>`
}

function constantWeights(report: RunReport): Markup {
  const weights = Object.entries(report.weights.weights).map(([task, values]) => `${task} ${values[0] ?? '–'}`)
  return html`<div class="card"><h3>${report.name}</h3><p class="note">Constant weights: ${weights.join(', ')}.</p></div>`
}

/** Nothing at all when it would be empty. */
function section(title: string, layout: string, parts: readonly (Markup | undefined)[]): Markup | undefined {
  const present = parts.filter(part => part !== undefined)
  return present.length === 0 ? undefined : html`<h2>${title}</h2><div class="${layout}">${present}</div>`
}

function page(report: RunReport, body: Markup, plots: readonly Plot[]): string {
  const { text } = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,"><title>${report.name} – Millrace report</title>
<style>${new Markup(uplotFile('uPlot.min.css'))}${new Markup(PAGE_STYLE)}</style></head>
<body>${body}
<script type="application/json" id="plots">${scriptJson(plots)}</script>
<script>${new Markup(uplotFile('uPlot.iife.min.js'))}</script>
<script>${new Markup(PAGE_SCRIPT)}</script>
</body></html>
`
  return text
}

function uplotFile(name: string): string {
  return readFileSync(createRequire(import.meta.url).resolve(`uplot/dist/${name}`), 'utf8')
}

/** Baselines of the heads are judged as a whole, not by window. */
function hasCurve({ curve }: RunReport): (task: ReportedTask) => boolean {
  const judged = new Set(curve.flatMap(({ tasks }) => tasks.map(({ task }) => task)))
  return ({ name }) => judged.has(name)
}
