/** What the pipeline's parts count anyway, read when somebody asks. */
import { statfs } from 'node:fs/promises'
import { EVENT_KINDS } from '../domain/event.js'
import { DROP_REASONS, REJECT_REASONS } from '../domain/outcome.js'
import { traced } from '../observe/trace.js'
import type { MetricsAnswer } from '../pipeline/learner.js'
import type { PipelineParts } from '../pipeline/pipeline.js'
import { formatDuration } from '../std/duration.js'
import type { Observation } from './observation.js'
import { observeWindow } from './observe-dashboard.js'

const POSITIVES = ['click', 'buy', 'rating'] as const

/** Called when the state is restored: what the checkpoint brought back does not count. */
export function observeParts(parts: PipelineParts, observation: Observation): void {
  const { metrics } = observation
  const { config, counts, joiner, position, dispatcher } = parts
  const names = config.tasks.map(task => task.name)
  observation.isRelearning = () => parts.relearning !== undefined
  observation.isRestored = position.records > 0
  const read = () => {
    for (const kind of EVENT_KINDS) metrics.advance('millrace_records_total', counts.events[kind] ?? 0, { kind })
    for (const reason of REJECT_REASONS) {
      metrics.advance('millrace_rejects_total', counts.rejects[reason] ?? 0, { reason })
    }
    for (const reason of DROP_REASONS) metrics.advance('millrace_drops_total', counts.drops[reason] ?? 0, { reason })
    const join = joiner.stats()
    for (const kind of POSITIVES) metrics.advance('millrace_attributed_total', join.attributed[kind], { kind })
    for (const [index, task] of names.entries())
      metrics.advance('millrace_labels_missing_total', join.missing[index] ?? 0, { task })
    metrics.advance('millrace_matured_total', join.matured)
    metrics.advance('millrace_organic_total', join.organic)
    metrics.advance('millrace_late_total', join.late)
    metrics.set('millrace_waiting_impressions', join.waiting)
    metrics.set('millrace_waiting_positives', join.orphans)
    for (const [task, shares] of Object.entries(maturity())) {
      for (const [age, share] of Object.entries(shares))
        metrics.set('millrace_label_maturity_ratio', share, { task, age })
    }
    metrics.set('millrace_stream_timestamp_seconds', position.eventTimeMs / 1000)
    if (dispatcher.isHolding !== undefined) metrics.set('millrace_publish_held', dispatcher.isHolding ? 1 : 0)
  }
  /** By task and age. */
  function maturity(): Record<string, Record<string, number>> {
    const curves = joiner
      .maturity()
      .map((points, index): [string, Record<string, number>] => [
        names[index] ?? '',
        Object.fromEntries(points.map(({ ageMs, share }) => [formatDuration(ageMs), share])),
      ])
    return Object.fromEntries(curves.filter(([, shares]) => Object.keys(shares).length > 0))
  }
  metrics.passOver(read)
  metrics.onScrape(read)
  observation.telemetry?.read(() => {
    const { events, rejects, drops } = counts
    const { waiting, matured, attributed, organic, late } = joiner.stats()
    const { records, eventTimeMs } = position
    const eventTime = eventTimeMs === 0 ? null : eventTimeMs
    const labels = { waiting, matured, attributed: { ...attributed }, organic, late, maturity: maturity() }
    return { records, eventTime, events: { ...events }, rejects: { ...rejects }, drops: { ...drops }, labels }
  })
}

/** Each time the learner has told its figures. */
export function observeFigures(
  observation: Observation,
): (answer: MetricsAnswer, records: number, eventTimeMs: number) => void {
  const { metrics } = observation
  let isFirst = true
  return function onFigures(answer, records, eventTimeMs) {
    const { window, totals, tables, deepRestarts } = answer
    observeWindow(observation, answer, records, eventTimeMs)
    metrics.clear('millrace_task_figure')
    const all = totals.filter(({ split }) => split === 'all')
    for (const [name, lines] of [['window', window] as const, ['total', all] as const]) {
      for (const { task, count, values } of lines) {
        metrics.set('millrace_task_labels', count, { task, window: name })
        for (const [figure, value] of Object.entries(values)) {
          metrics.set('millrace_task_figure', value, { task, window: name, figure })
        }
      }
    }
    for (const kind of ['rows', 'biases', 'wide'] as const) metrics.set('millrace_table_rows', tables[kind], { kind })
    metrics.set('millrace_table_bytes', tables.bytes)
    const readTotals = () => {
      metrics.advance('millrace_network_restarts_total', deepRestarts)
      metrics.advance('millrace_table_admitted_total', tables.admitted)
      metrics.advance('millrace_table_removed_total', tables.evicted, { reason: 'evicted' })
      metrics.advance('millrace_table_removed_total', tables.expired, { reason: 'expired' })
    }
    if (isFirst && observation.isRestored) metrics.passOver(readTotals)
    else readTotals()
    isFirst = false
  }
}

/** Around the writing of a checkpoint, which says how large it became; undefined: it was there already. */
export function observeCheckpoints(
  root: string,
  { metrics, health, clock }: Observation,
): (write: () => Promise<number | undefined>) => Promise<void> {
  const durations = metrics.tally('millrace_checkpoint_duration_seconds')
  let last: { bytes: number; atMs: number } | undefined
  const free = async () => {
    const { bavail, bsize } = await statfs(root)
    return bavail * bsize
  }
  metrics.onScrape(async () => metrics.set('millrace_disk_free_bytes', await free().catch(() => 0)))
  health.ready.set('disk', async () => {
    const bytes = await free()
    const text = `${megabytes(bytes)} free where checkpoints lie`
    if (last === undefined || bytes > 2 * last.bytes) return { status: 'ok', text }
    return { status: 'warn', text: `${text}; the last one took ${megabytes(last.bytes)}` }
  })
  return async function observed(write) {
    const beganMs = clock.monotonicMs()
    const end = traced('checkpoint', clock)
    const bytes = await write()
    end({ bytes: bytes ?? 0 })
    if (bytes === undefined) return
    last = { bytes, atMs: clock.nowMs() }
    durations.add((clock.monotonicMs() - beganMs) / 1000)
    metrics.increase('millrace_checkpoints_total', 1)
    metrics.set('millrace_checkpoint_bytes', bytes)
    metrics.set('millrace_last_checkpoint_timestamp_seconds', last.atMs / 1000)
  }
}

const megabytes = (bytes: number) => `${Math.round(bytes / 1e6)} MB`
