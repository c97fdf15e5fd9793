/**
 * What rows in fewer bits cost a follower, on a real log: the learner of an example publishes the same versions in each
 * encoding; a follower of each stays at the same full version, in the middle of the log, and answers for examples that
 * came after it. Sizes, how far the answers are from those of exact rows, and what they are worth against the labels.
 */
import { join, resolve } from 'node:path'
import { loadChecked } from '../src/app/load-checked.js'
import { snapshotPlace } from '../src/app/snapshot-records.js'
import { createDecoderFactory } from '../src/decode/record-decoder.js'
import type { Event, TimedEvent } from '../src/domain/event.js'
import { ROW_ENCODINGS, type RowEncoding } from '../src/domain/state.js'
import { follow } from '../src/index.js'
import type { SnapshotRecord } from '../src/sink/output-records.js'
import { AvroFileSource } from '../src/source/avro-file.js'
import { packageRoot } from '../src/std/package-root.js'
import { millrace } from './program.js'
import { findLog } from './quality.js'
import type { Context, Measured } from './row.js'
import { withScratch } from './scratch.js'
import type { Figure } from './verdict.js'

export interface RowsWanted {
  example: string
  /** Full versions are published after so many steps, deltas after so much event time. */
  everySteps: number
  deltaEvery: string
  /** Examples that are judged: the first ones behind the version. */
  judged: number
  /** Examples in what came after the version. */
  labels(events: readonly TimedEvent[]): Asked[]
}

export interface Asked {
  user: string
  item: string
  eventTimeMs: number
  context: Record<string, string>
  labels: Record<string, number>
}

interface Published {
  version: number
  eventTimeMs: number
  fullBytes: number
  rowBytes: number
  deltaBytes: number
}

interface Answers {
  published: Published
  /** By task, in the order of the examples. */
  values: Record<string, number[]>
}

/** Answers of int8 rows may be worth less by no more than this. */
const REACH = 5e-4

export function measureSnapshotRows(wanted: RowsWanted) {
  return async ({ quick, say }: Context): Promise<Measured> => {
    const { example, everySteps, deltaEvery, judged } = wanted
    await findLog(example)
    const found = {} as Record<RowEncoding, Answers>
    let asked: Asked[] = []
    for (const encoding of ROW_ENCODINGS) {
      say(`${example}, ${encoding} rows`)
      await withScratch('snapshot-rows', async root => {
        const set = [
          `outputs.path=${root}`,
          `checkpoint.path=${join(root, 'checkpoints')}`,
          `evaluate.report=${join(root, 'report.html')}`,
          `outputs.snapshotEverySteps=${everySteps}`,
          `outputs.deltaEvery=${deltaEvery}`,
        ]
        await millrace('replay', example, '--set', ...set, `outputs.snapshotRows=${encoding}`)
        const published = await middleOf(example, set)
        if (asked.length === 0) {
          const events = await eventsFrom(example, published.eventTimeMs)
          asked = wanted.labels(events).slice(0, quick ? judged / 10 : judged)
        }
        found[encoding] = { published, values: await answersOf(example, set, published.version, asked) }
      })
    }
    return report(example, asked, found)
  }
}

/** The full version in the middle, and the deltas between it and the next full one. */
async function middleOf(example: string, set: string[]): Promise<Published> {
  const manifests: Pick<SnapshotRecord, 'version' | 'kind' | 'manifest'>[] = []
  await snapshotPlace(loadChecked(join(packageRoot(), example), { set })).read(record => {
    if (record.manifest !== null) manifests.push(record)
  })
  const places = manifests.flatMap(({ kind }, at) => (kind === 'full' ? at : []))
  const middle = Math.floor(places.length / 2)
  const [from = 0, to] = places.slice(middle, middle + 2)
  const bytes = manifests.map(({ manifest }) => sum(manifest?.parts.map(part => part.bytes) ?? []))
  const deltas = bytes.slice(from + 1, to)
  const { version = 0, manifest } = manifests[from] ?? {}
  const rows = manifest?.parts.filter(({ name }) => name.startsWith('table.') || name === 'fast.rows') ?? []
  return {
    version,
    eventTimeMs: Number(manifest?.eventTime),
    fullBytes: bytes[from] ?? Number.NaN,
    rowBytes: sum(rows.map(part => part.bytes)),
    deltaBytes: sum(deltas) / deltas.length,
  }
}

async function eventsFrom(example: string, eventTimeMs: number): Promise<TimedEvent[]> {
  const { config, folder } = loadChecked(join(packageRoot(), example), {})
  const path = resolve(folder, config.source.log)
  const source = new AvroFileSource({ path, decoderFor: createDecoderFactory(config.source) })
  const events: TimedEvent[] = []
  const isBehind = (event: Event): event is TimedEvent => event.kind !== 'erase' && event.eventTimeMs > eventTimeMs
  await source.open([])
  for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
    for (const { outcome } of batch) if (outcome.kind === 'ok' && isBehind(outcome.value)) events.push(outcome.value)
  }
  await source.close()
  return events
}

async function answersOf(example: string, set: string[], pin: number, asked: readonly Asked[]) {
  const follower = await follow(join(packageRoot(), example), { set, pin })
  const values: Record<string, number[]> = {}
  try {
    await follower.ready()
    for (const { user, item, eventTimeMs, context } of asked) {
      const { scores } = await follower.score({ user, items: [item], eventTimeMs, context })
      for (const [task, value] of Object.entries(scores[0]?.values ?? {})) {
        const list = values[task] ?? []
        values[task] = list
        list.push(value)
      }
    }
  } finally {
    await follower.close()
  }
  return values
}

function report(example: string, asked: readonly Asked[], found: Record<RowEncoding, Answers>): Measured {
  const { float32: exact, int8 } = found
  const tasks = Object.keys(exact.values)
  const worth = (answers: Answers, task: string) => worthOf(answers.values[task] ?? [], labelsOf(asked, task))
  const figures = tasks.map((task): Figure => {
    const [from, to] = [worth(exact, task), worth(int8, task)]
    const loss = from.metric === 'RMSE' ? to.value - from.value : from.value - to.value
    return {
      name: `${task} ${from.metric}, int8 worse by`,
      format: 'score',
      value: loss,
      limit: { better: 'lower', reach: REACH },
    }
  })
  const lines = ROW_ENCODINGS.map(encoding => {
    const { published, values } = found[encoding]
    const ofTasks = tasks.flatMap(task => {
      const distances = (values[task] ?? []).map((value, at) => Math.abs(value - (exact.values[task]?.[at] ?? 0)))
      const furthest = distances.reduce((most, one) => Math.max(most, one), 0)
      const mean = sum(distances) / distances.length
      return [worth(found[encoding], task).value.toFixed(5), furthest.toExponential(1), mean.toExponential(1)]
    })
    return [encoding, ...[published.fullBytes, published.rowBytes, published.deltaBytes].map(kilobytes), ...ofTasks]
  })
  const head = ['rows', 'full', 'of it rows', 'a delta']
  const ofTasks = tasks.flatMap(task => [`${task} ${worth(exact, task).metric}`, 'Δ max', 'Δ mean'])
  const { version } = exact.published
  const title = `${example}, version ${version}, ${asked.length} examples that came after it (a full version, of it rows, and a delta in kB)`
  const table = [[...head, ...ofTasks], [...head, ...ofTasks].map(() => '---'), ...lines]
  const notes = [title, '', ...table.map(cells => `| ${cells.join(' | ')} |`)].join('\n')
  return { figures, details: lines, notes }
}

const labelsOf = (asked: readonly Asked[], task: string) => asked.map(({ labels }) => labels[task] ?? Number.NaN)

/** RMSE of numbers; AUC of what is 0 or 1, ties counting half. */
function worthOf(values: readonly number[], labels: readonly number[]): { metric: 'RMSE' | 'AUC'; value: number } {
  if (labels.some(label => label !== 0 && label !== 1)) {
    const squares = values.map((value, at) => (value - (labels[at] ?? Number.NaN)) ** 2)
    return { metric: 'RMSE', value: Math.sqrt(sum(squares) / squares.length) }
  }
  const order = values.map((value, at) => ({ value, label: labels[at] ?? 0 })).sort((a, b) => a.value - b.value)
  let [won, negatives, positives] = [0, 0, 0]
  for (let from = 0, to = 0; from < order.length; from = to) {
    while (to < order.length && order[to]?.value === order[from]?.value) to++
    const tied = sum(order.slice(from, to).map(({ label }) => label))
    won += tied * (negatives + (to - from - tied) / 2)
    negatives += to - from - tied
    positives += tied
  }
  return { metric: 'AUC', value: won / (negatives * positives) }
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
const kilobytes = (bytes: number) => (bytes / 1000).toFixed(0)

/** ml-100k: every rating is an example of both tasks. */
export const MOVIES: RowsWanted = {
  example: 'examples/ml-100k.yaml',
  everySteps: 4000,
  deltaEvery: '1h',
  judged: 20_000,
  labels: events =>
    events.flatMap(event => {
      if (event.kind !== 'rating') return []
      const { user, item, eventTimeMs, value } = event
      return { user, item, eventTimeMs, context: {}, labels: { rating: value, like: value >= 4 ? 1 : 0 } }
    }),
}

const DAY_MS = 86_400_000

/** Tmall: an impression was clicked, or bought within a week, by what came of its user and item. */
export const BRANDS: RowsWanted = {
  example: 'examples/tmall.yaml',
  everySteps: 1000,
  deltaEvery: '6h',
  judged: 20_000,
  labels(events) {
    const times = new Map<string, number[]>()
    const keyOf = (kind: string, user: string, item: string) => `${kind} ${user} ${item}`
    for (const event of events) {
      if (event.kind !== 'click' && event.kind !== 'buy') continue
      const key = keyOf(event.kind, event.user, event.item)
      times.set(key, [...(times.get(key) ?? []), event.eventTimeMs])
    }
    return events.flatMap(event => {
      if (event.kind !== 'impression') return []
      const { user, item, eventTimeMs, context } = event
      const came = (kind: string, withinMs: number) =>
        times.get(keyOf(kind, user, item))?.some(at => at >= eventTimeMs && at <= eventTimeMs + withinMs) ? 1 : 0
      const labels = { click: came('click', DAY_MS), buy: came('buy', 7 * DAY_MS) }
      return { user, item, eventTimeMs, context: context ?? {}, labels }
    })
  },
}
