/**
 * What a checkpoint holds and how it comes back: offsets, clock, joiner, keyed state, waiting examples, outputs, metrics
 * and the worker's tables and weights are one atomic unit. Row numbers depend on timing and are never saved: waiting
 * examples are written in the joiner's and batcher's own order and get new rows on the way back.
 *
 * Called only when the dispatcher is settled: no command unanswered, every output appended.
 */
import type { Json, LoadedState, PartState, StateArray } from '../domain/state.js'
import { type ExampleColumns, SLAB_ROWS } from '../features/columns.js'
import type { JoinSubject } from '../join/join.js'
import { OUTPUT_NAMES } from '../sink/delivery.js'
import { copyOwn, restoreOwn, saveContest } from './contest-state.js'
import type { Counts } from './counts.js'
import type { History } from './history.js'
import type { PipelineParts } from './pipeline.js'
import type { PositionState } from './position.js'
import { type PublisherState, publishingOf } from './publisher.js'

interface PipelineState {
  position: PositionState
  counts: Counts
  history: Json
  journalSeq: number
  steps: number
  fusion: Json
  /** Who the examples still to be predicted are about; index into the waiting examples. */
  subjects: { index: number; subject: JoinSubject }[]
  published: PublisherState | null
  /** Absent: by a program that did not note it. */
  publishing?: string
  /** null: there is no publish gate. */
  gate: Json
}

/** Everything the main thread owns, by part name. */
export function saveParts(parts: PipelineParts, history: History): Record<string, PartState> {
  const { config, joiner, batcher, columns, dispatcher, position, contest, counts, journal, source } = parts
  const joinerRows = joiner.waitingRows()
  const batcherRows = batcher.waitingRows()
  const index = new Map<number, number>()
  for (const row of joinerRows) if (!index.has(row)) index.set(row, index.size)
  for (const row of batcherRows) if (!index.has(row)) index.set(row, index.size)
  const indexOf = (row: number) => index.get(row) ?? -1
  const subjects = dispatcher
    .waitingSubjects()
    .map(({ row, subject }) => ({ index: indexOf(row), subject: plainSubject(subject) }))
    .filter(entry => entry.index >= 0)
    .sort((a, b) => a.index - b.index)
  position.standing = source.standing?.() ?? []
  position.unknownAhead = source.unknownAhead?.() ?? []
  const own: PipelineState = {
    position: position.toJson(),
    counts,
    history: history.toJson(),
    journalSeq: journal.seq,
    steps: dispatcher.steps,
    fusion: dispatcher.fusion.toJson(),
    subjects,
    published: dispatcher.publisherState(),
    publishing: publishingOf(config.outputs),
    gate: dispatcher.gateState(),
  }
  const saved: Record<string, PartState> = {
    pipeline: { meta: own as unknown as Json, arrays: {} },
    waiting: {
      meta: { keyPlaces: columns.layout.keyPlaces, dense: columns.layout.dense, tasks: columns.layout.tasks },
      arrays: {
        ...copyRows(columns, [...index.keys()], contest?.answering.lane),
        joiner: joinerRows.map(indexOf),
        batcher: batcherRows.map(indexOf),
      },
    },
    clock: parts.clock.saveState(),
    duplicates: parts.duplicates.saveState(),
    features: parts.features.saveState(),
    joiner: joiner.saveState(),
    batcher: batcher.saveState(),
  }
  if (contest !== undefined) {
    saved.contest = saveContest(contest, columns, [...index.keys()])
    saved['contest-history'] = { meta: history.challengersToJson(), arrays: {} }
  }
  if (parts.topN !== undefined) {
    saved.recommend = parts.topN.recommender.saveState()
    saved['next-item'] = parts.topN.metrics.saveState()
  }
  for (const name of OUTPUT_NAMES) saved[`output-${name}`] = parts.delivery.outputs[name].saveState()
  return saved
}

/** The other way round, into freshly made parts. Returns the rows of the examples that wait, in the order in which they were saved. */
export async function loadParts(
  parts: PipelineParts,
  history: History,
  part: (name: string) => Promise<LoadedState>,
): Promise<number[]> {
  const { config, joiner, batcher, columns, dispatcher, position, counts } = parts
  const own = (await part('pipeline')).meta as unknown as PipelineState
  position.fromJson(own.position)
  Object.assign(counts, own.counts)
  history.fromJson(own.history)

  const waiting = await part('waiting')
  const rows = restoreRows(columns, waiting.arrays, parts.contest?.answering.lane)
  const rowsOf = (name: string) => (waiting.arrays[name] as Int32Array).map(index => rows[index] ?? -1)
  const joinerRows = rowsOf('joiner')
  const batcherRows = rowsOf('batcher')
  joiner.loadState(await part('joiner'), joinerRows)
  batcher.loadState(await part('batcher'), batcherRows)
  const now = publishingOf(config.outputs)
  const isPublishedOtherwise = (own.publishing ?? now) !== now
  const held = new Set(joinerRows)
  const released = rows.filter(row => !held.has(row))
  dispatcher.restore(
    own.steps,
    own.subjects.map(({ index, subject }) => ({ row: rows[index] ?? -1, subject })),
    released,
    // A checkpoint from before there was a gate has none.
    { published: own.published, gate: own.gate ?? null, isPublishedOtherwise },
  )
  dispatcher.fusion.fromJson(own.fusion)
  parts.clock.loadState(await part('clock'))
  parts.duplicates.loadState(await part('duplicates'))
  parts.features.loadState(await part('features'))
  parts.topN?.recommender.loadState(await part('recommend'))
  parts.topN?.metrics.loadState(await part('next-item'))
  parts.journal.restore(own.journalSeq)
  for (const name of OUTPUT_NAMES) await parts.delivery.outputs[name].loadState(await part(`output-${name}`))
  return rows
}

/** Subjects are events or candidates; only what a prediction says of them is kept. */
function plainSubject({ eventId, requestId, eventTimeMs, user, item }: JoinSubject): JoinSubject {
  return { eventId, requestId, eventTimeMs, user, item, position: null, context: null }
}

function copyRows(columns: ExampleColumns, rows: readonly number[], lane = 0): Record<string, StateArray> {
  const { keyPlaces, dense } = columns.layout
  const keys = new Uint32Array(rows.length * keyPlaces * 2)
  const numbers = new Float32Array(rows.length * dense)
  const flags = new Uint8Array(rows.length)
  for (const [index, row] of rows.entries()) {
    const slab = columns.slab(row)
    const at = row % SLAB_ROWS
    keys.set(slab.keys.subarray(at * keyPlaces * 2, (at + 1) * keyPlaces * 2), index * keyPlaces * 2)
    numbers.set(slab.dense.subarray(at * dense, (at + 1) * dense), index * dense)
    flags[index] = slab.flags[at] ?? 0
  }
  return { keys, dense: numbers, ...copyOwn(columns, rows, lane), flags }
}

function restoreRows(columns: ExampleColumns, arrays: Record<string, StateArray>, lane = 0): number[] {
  const { keyPlaces, dense } = columns.layout
  const keys = arrays.keys as Uint32Array
  const flags = arrays.flags as Uint8Array
  const rows = Array.from(flags, (flag, index) => {
    const row = columns.allocate()
    const slab = columns.slab(row)
    const at = row % SLAB_ROWS
    slab.keys.set(keys.subarray(index * keyPlaces * 2, (index + 1) * keyPlaces * 2), at * keyPlaces * 2)
    slab.dense.set((arrays.dense as Float32Array).subarray(index * dense, (index + 1) * dense), at * dense)
    slab.flags[at] = flag
    return row
  })
  const { scores, notes } = arrays
  if (scores !== undefined && notes !== undefined) restoreOwn(columns, rows, lane, { scores, notes })
  return rows
}
