/** Tables of the HTML report beside the totals: intervals and baselines. */
import { baselineRows, formatChange, formatChangeInterval, formatInterval, intervalRows, isClear } from './beside.js'
import { formatMetric, METRICS } from './headline.js'
import { html, type Markup } from './markup.js'
import { policyNote, policyRows } from './policy.js'
import type { RunReport } from './report.js'
import { seedRows } from './seeds.js'

export function intervalTable(report: RunReport): Markup | undefined {
  const rows = intervalRows(report)
  if (rows.length === 0) return undefined
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="Sampling intervals"><table>
    <thead><tr><th scope="col">task</th><th scope="col">figure</th><th scope="col">all</th>
    <th scope="col">95 % interval by ${report.sampled?.by}</th></tr></thead>
    <tbody>${rows.map(
      ({ task, metric, value, interval }) => html`<tr><th scope="row">${task}</th><td>${METRICS[metric].label}</td>
      <td>${formatMetric(metric, value)}</td><td>${formatInterval(metric, interval)}</td></tr>`,
    )}</tbody></table></div>`
}

export function baselineTable(report: RunReport): Markup | undefined {
  const rows = baselineRows(report)
  if (rows.length === 0) return undefined
  return html`<div class="card scroll" tabindex="0" role="region" aria-label="Against the baselines"><table>
    <thead><tr><th scope="col">baseline</th><th scope="col">figure</th><th scope="col">baseline</th>
    <th scope="col">model − baseline</th></tr></thead>
    <tbody>${rows.map(
      ({ baseline, metric, value, difference, interval }) => html`<tr><th scope="row">${baseline}</th>
      <td>${METRICS[metric].label}</td><td>${formatMetric(metric, value)}</td>
      <td>${formatChange(metric, difference)} <small class="${isClear(interval) ? '' : 'muted'}">${formatChangeInterval(metric, interval)}</small></td></tr>`,
    )}</tbody></table></div>`
}

export function policySection({ policy }: RunReport): Markup | undefined {
  if (policy === undefined) return undefined
  const rows = policyRows(policy)
  const table =
    rows.length === 0
      ? undefined
      : html`<div class="card scroll" tabindex="0" role="region" aria-label="Another order of the pages"><table>
    <thead><tr><th scope="col">order of pages</th><th scope="col">${policy.reward}</th><th scope="col">95 % interval</th></tr></thead>
    <tbody>${rows.map(
      ({ name, value, interval }) => html`<tr><th scope="row">${name}</th><td>${value}</td><td>${interval}</td></tr>`,
    )}</tbody></table></div>`
  return html`<h2>Another order of the pages</h2><p class="note">${policyNote(policy)}</p>${table}`
}

export function seedSection(reports: readonly RunReport[]): Markup | undefined {
  const rows = seedRows(reports)
  if (rows.length === 0) return undefined
  return html`<h2>Seeds</h2><p class="note">Means of ${rows[0]?.seeds} seeds with Student's interval of 95 %: what another seed would give on this log, not what other users would. Differences to ${reports[0]?.name}, seed by seed.</p>
    <div class="card scroll" tabindex="0" role="region" aria-label="Seeds"><table>
    <thead><tr><th scope="col">run</th><th scope="col">figure</th><th scope="col">mean</th><th scope="col">95 % interval by seed</th>
    <th scope="col">difference</th></tr></thead>
    <tbody>${rows.map(
      ({ run, task, metric, figure, difference }) => html`<tr><th scope="row">${run}</th>
      <td>${task} ${METRICS[metric].label}</td><td>${formatMetric(metric, figure.mean)}</td>
      <td>${figure.interval && formatInterval(metric, figure.interval)}</td>
      <td>${formatChange(metric, difference?.mean)} <small>${formatChangeInterval(metric, difference?.interval)}</small></td></tr>`,
    )}</tbody></table></div>`
}
