/** Calibration, task weights, rows, versions, events and labels: one card each. */
import type { Curve, Status } from '../../telemetry/status.js'
import type { Columns } from './curves.js'
import { byId, card, h, setText, sized, table } from './dom.js'
import { startExperts } from './experts.js'
import { bytes, clock, compact, day, figure, grouped, percent } from './format.js'
import { Plot, type Scales } from './plot.js'
import { publishedOf } from './state.js'

type Show = (status: Status) => void

export function startPanels(): Show {
  const shows = [calibration(), weights(), rows(), versions(), events(), labels(), startExperts()]
  return status => {
    for (const show of shows) show(status)
  }
}

function calibration(): Show {
  const grid = byId('calibration')
  const plots = new Map<string, Plot>()
  let shown: readonly Curve[] | undefined
  return ({ calibration: curves, about }) => {
    if (curves === shown) return
    shown = curves
    for (const { task, points } of curves) {
      if (points.length === 0) continue
      let plot = plots.get(task)
      if (plot === undefined) {
        grid.querySelector('.empty')?.remove()
        plot = new Plot({
          title: `${task}: calibration`,
          x: { label: 'predicted', kind: 'share' },
          y: { label: 'observed', kind: 'share' },
          square: true,
          series: [
            { label: 'perfect', colour: -1, style: 'dashed' },
            { label: task, colour: about.tasks.findIndex(({ name }) => name === task), style: 'points' },
          ],
        })
        plots.set(task, plot)
        const note = 'promised → happened; on the dashed line both are the same'
        grid.append(card(`${task}: calibration`, note, plot.element))
      }
      const { columns, scales } = calibrationColumns(points)
      plot.update(columns, [], scales)
    }
  }
}

function calibrationColumns(points: Curve['points']): { columns: Columns; scales: Scales } {
  const rates = points.flatMap(({ predicted, observed }) => [predicted, observed]).filter(rate => rate > 0)
  const [lowest, highest] = [Math.min(...rates), Math.max(...rates)]
  const log = highest / lowest > 20
  const range: [number, number] = [log ? lowest / 1.3 : 0, Math.min(highest * (log ? 1.3 : 1.05), 1)]
  const sorted = [...points].sort((a, b) => a.predicted - b.predicted)
  const xs = [...new Set([range[0], ...sorted.map(({ predicted }) => predicted), range[1]])].sort((a, b) => a - b)
  const observed = new Map(sorted.map(point => [point.predicted, log && point.observed === 0 ? null : point.observed]))
  return {
    columns: [xs, xs, xs.map(x => observed.get(x) ?? null)],
    scales: { log, range },
  }
}

function weights(): Show {
  const box = byId('weights')
  let plot: Plot | undefined
  return ({ about, windows }) => {
    if (windows.length === 0) return
    const columns = about.tasks.map((_, index) => windows.map(point => point.weights[index] ?? null))
    const moved = columns.some(column => column.some(value => value !== column[0]))
    if (!moved) {
      const text = about.tasks.map(({ name }, index) => `${name} ${columns[index]?.at(-1) ?? '–'}`).join(', ')
      box.querySelector('.empty')?.replaceChildren(`Constant: ${text}.`)
      return
    }
    if (plot === undefined) {
      plot = new Plot({
        title: 'task weights',
        x: { label: 'records', kind: 'count' },
        y: { label: 'weight', kind: 'number' },
        series: about.tasks.map(({ name }, colour) => ({ label: name, colour, style: 'line' as const })),
      })
      box.querySelector('.empty')?.remove()
      box.append(plot.element)
    }
    plot.update([windows.map(({ records }) => records), ...columns])
  }
}

function rows(): Show {
  const box = byId('rows')
  const facts = h('dl', { class: 'facts' })
  let plot: Plot | undefined
  return ({ windows }) => {
    const known = windows.filter(point => point.tables !== null)
    const last = known.at(-1)?.tables
    if (last == null) return
    if (plot === undefined) {
      plot = new Plot({
        title: 'embedding rows',
        x: { label: 'records', kind: 'count' },
        y: { label: 'rows', kind: 'count' },
        series: [{ label: 'rows', colour: 2, style: 'area' }],
      })
      box.querySelector('.empty')?.remove()
      box.append(plot.element, facts)
    }
    plot.update([known.map(({ records }) => records), known.map(({ tables }) => tables?.rows ?? null)])
    pairs(facts, [
      ['admitted', compact(last.admitted)],
      ['evicted', compact(last.evicted)],
      ['expired', compact(last.expired)],
      ['memory', bytes(last.bytes)],
    ])
  }
}

function versions(): Show {
  const box = byId('versions')
  let count = -1
  return ({ snapshots }) => {
    const key = snapshots.at(-1)?.version ?? -1
    if (snapshots.length === 0 || key === count) return
    count = key
    const metric = Object.keys(publishedOf(snapshots).at(-1)?.metrics ?? {}).find(name =>
      /\.(auc|rmse|mae)$/.test(name),
    )
    const lines = snapshots
      .slice(-8)
      .reverse()
      .map(({ version, kind, eventTime, bytes: size, metrics, verdict, reason }) => [
        grouped(version),
        verdict === 'held'
          ? h('span', { class: 'badge held', title: reason }, 'held back')
          : h('span', { class: `badge ${kind}` }, kind),
        `${day(eventTime).replace(/ \d{4}$/, '')}, ${clock(eventTime)}`,
        verdict === 'held' ? '–' : bytes(size),
        ...(metric === undefined ? [] : [figure(metrics[metric])]),
      ])
    const heads = [
      'version',
      'kind',
      'stream time',
      'size',
      ...(metric === undefined ? [] : [metric.replace('.', ' ')]),
    ]
    const last = snapshots.at(-1)
    const note = last?.verdict === 'held' ? [h('p', { class: 'held-note' }, `Held back. ${last.reason}.`)] : []
    box.replaceChildren(...note, table(heads, lines, 'Published versions'))
  }
}

function events(): Show {
  const box = byId('events')
  const rejects = byId('rejects')
  return ({ now }) => {
    const kinds = Object.entries(now.events)
    if (kinds.length > 0) bars(box, kinds)
    const lost = [...Object.entries(now.rejects), ...Object.entries(now.drops)].filter(([, count]) => count > 0)
    if (lost.length === 0) return setText(rejects, kinds.length === 0 ? '' : 'Nothing was left out.')
    const dead = Object.values(now.rejects).reduce((sum, count) => sum + count, 0)
    const dropped = Object.values(now.drops).reduce((sum, count) => sum + count, 0)
    const why = lost.map(([reason, count]) => `${reason} ${grouped(count)}`).join(', ')
    setText(rejects, `${grouped(dead)} dead letters, ${grouped(dropped)} left out by rule: ${why}.`)
  }
}

/** Kept from one time to the next, so that the widths glide. */
function bars(box: HTMLElement, entries: readonly (readonly [string, number])[]): void {
  const most = Math.max(1, ...entries.map(([, count]) => count))
  if (box.childElementCount !== entries.length)
    box.replaceChildren(
      ...entries.map(([name]) =>
        h(
          'div',
          { class: 'bar' },
          h('dt', {}, name),
          h('dd', {}, h('span', { class: 'count' }), h('span', { class: 'track' }, h('span', { class: 'fill' }))),
        ),
      ),
    )
  for (const [index, [name, count]] of entries.entries()) {
    const row = box.children[index]
    if (row === undefined) continue
    setText(row.querySelector('dt') as Element, name)
    setText(row.querySelector('.count') as Element, grouped(count))
    sized(row.querySelector('.fill') as HTMLElement, count / most)
  }
}

function labels(): Show {
  const facts = byId('labels')
  const ages = byId('maturity')
  let shown = ''
  return ({ now: { labels: l } }) => {
    const key = JSON.stringify(l.maturity)
    if (key !== shown) ages.replaceChildren(...Object.entries(l.maturity).map(([task, shares]) => curve(task, shares)))
    shown = key
    pairs(facts, [
      ['impressions waiting', grouped(l.waiting)],
      ['labels matured', grouped(l.matured)],
      ...Object.entries(l.attributed).map(([kind, count]): [string, string] => [`${kind}s attributed`, grouped(count)]),
      ['without impression', grouped(l.organic)],
      ['late', grouped(l.late)],
    ])
  }
}

/** How late labels come: a column for each age of the impression. */
function curve(task: string, shares: Record<string, number>): HTMLElement {
  const columns = Object.entries(shares).map(([age, share]) =>
    h(
      'li',
      { title: `${percent(share)} had come after ${age}` },
      h('span', { class: 'share' }, Math.round(share * 100)),
      h('span', { class: 'column' }, sized(h('span', { class: 'fill' }), share, 'height')),
      h('span', { class: 'age' }, age),
    ),
  )
  return h(
    'figure',
    { class: 'ages' },
    h('figcaption', {}, `${task}: % of labels that had come by the age of`),
    h('ol', {}, columns),
  )
}

function pairs(list: HTMLElement, entries: readonly [string, string][]): void {
  if (list.childElementCount !== entries.length)
    list.replaceChildren(...entries.map(([name]) => h('div', {}, h('dt', {}, name), h('dd', {}))))
  for (const [index, [, text]] of entries.entries()) setText(list.children[index]?.querySelector('dd') as Element, text)
}
