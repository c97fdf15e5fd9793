/** The first lines: what it does now, how fast, how fresh. */
import type { Now, Status } from '../../telemetry/status.js'
import { byId, h, setText, sized } from './dom.js'
import { bytes, clock, compact, day, grouped, percent, span } from './format.js'
import { publishedOf } from './state.js'

const STATES: Record<string, string> = {
  preparing: 'Preparing the log',
  starting: 'Starting',
  standby: 'Standing by',
  restoring: 'Restoring',
  relearning: 'Catching up',
  learning: 'Learning',
  comparing: 'Comparing',
  finished: 'Finished',
  serving: 'Serving',
  stopping: 'Stopping',
  failed: 'Failed',
}

interface Tile {
  value: HTMLElement
  note: HTMLElement
}

export function startHeadline(): (status: Status) => void {
  const tiles = byId('tiles')
  const bar = byId('share-bar')
  const track = byId('share')
  tiles.replaceChildren()
  const records = tile('events read')
  const pace = tile('events a second')
  const spark = document.createElementNS('http://www.w3.org/2000/svg', 'svg')
  spark.setAttribute('class', 'spark')
  spark.setAttribute('aria-hidden', 'true')
  spark.setAttribute('viewBox', '0 0 100 24')
  spark.setAttribute('preserveAspectRatio', 'none')
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path')
  spark.append(line)
  pace.note.before(spark)
  const fresh = tile('')
  const freshLabel = fresh.value.parentElement?.querySelector('dt') as HTMLElement
  const waiting = tile('wait for their labels')
  const model = tile('model')
  const rows = tile('embedding rows')

  function tile(label: string): Tile {
    const value = h('dd', { class: 'value' }, '–')
    const note = h('dd', { class: 'note' })
    tiles.append(h('div', { class: 'tile' }, h('dt', {}, label), value, note))
    return { value, note }
  }

  return function show(status) {
    const { about, now, pace: points, windows, snapshots } = status
    setText(byId('run-name'), about.name)
    setText(byId('about'), aboutText(status))
    setText(byId('state-text'), now.state === 'learning' || now.state === 'finished' ? '' : now.text)
    byId('views').hidden = !about.scores
    const state = byId('state')
    setText(byId('state-name'), STATES[now.state] ?? now.state)
    state.dataset.state = now.state
    state.title = now.text
    track.hidden = now.share === null || now.state === 'finished'
    sized(bar, now.share ?? 0)
    track.setAttribute('aria-valuenow', String(Math.round((now.share ?? 0) * 100)))

    setText(records.value, grouped(now.records))
    setText(
      records.note,
      now.share === null
        ? sinceText(about.startedAt, now)
        : `${percent(Math.floor(now.share * 1000) / 1000)} of the log`,
    )
    setText(pace.value, now.eventsPerSecond === 0 && now.records > 0 ? 'at rest' : grouped(now.eventsPerSecond))
    setText(
      pace.note,
      now.lag === null ? peakText(points.map(point => point.eventsPerSecond)) : `${grouped(now.lag)} behind`,
    )
    line.setAttribute('d', sparkline(points.map(point => point.eventsPerSecond)))
    showFreshness(about.live, now)
    setText(waiting.value, grouped(now.labels.waiting))
    setText(waiting.note, `${grouped(now.labels.matured)} have matured`)
    setText(model.value, now.step === 0 ? '–' : `step ${grouped(now.step)}`)
    setText(model.note, versionText(snapshots))
    const tables = windows.findLast(point => point.tables !== null)?.tables
    setText(rows.value, tables == null ? '–' : compact(tables.rows))
    setText(rows.note, tables == null ? '' : bytes(tables.bytes))
  }

  function showFreshness(live: boolean, now: Now): void {
    if (live && now.freshnessSeconds !== null) {
      setText(freshLabel, 'freshness')
      setText(fresh.value, span(now.freshnessSeconds))
      setText(fresh.note, 'from event to prediction')
    } else {
      setText(freshLabel, 'time in the log')
      setText(fresh.value, now.eventTime === null ? '–' : day(now.eventTime))
      setText(fresh.note, now.eventTime === null ? '' : `${clock(now.eventTime)} UTC`)
    }
  }
}

function versionText(snapshots: Status['snapshots']): string {
  const version = publishedOf(snapshots).at(-1)
  if (version === undefined) return 'no version published yet'
  const is = snapshots.at(-1)?.verdict === 'held' ? 'stays: what follows is held back' : 'published'
  return `version ${grouped(version.version)} ${is}`
}

function aboutText({ about }: Status): string {
  const weighting = about.weighting === 'manual' ? 'constant task weights' : `task weights by ${about.weighting}`
  const tasks = `${about.tasks.length} ${about.tasks.length === 1 ? 'task' : 'tasks'}`
  return [tasks, weighting, about.backend].filter(part => part !== null).join(' · ')
}

const sinceText = (startedAt: number, { at }: Now) => `in ${span(Math.max(1, Math.round((at - startedAt) / 1000)))}`

function peakText(values: readonly number[]): string {
  const peak = Math.max(0, ...values)
  return peak === 0 ? '' : `${grouped(peak)} at most`
}

/** A path in 100 × 24. */
function sparkline(values: readonly number[]): string {
  const shown = values.slice(-60)
  if (shown.length < 2) return ''
  const top = Math.max(1, ...shown)
  return shown
    .map(
      (value, index) =>
        `${index === 0 ? 'M' : 'L'}${((index / (shown.length - 1)) * 100).toFixed(1)} ${(22 - (value / top) * 20).toFixed(1)}`,
    )
    .join(' ')
}
