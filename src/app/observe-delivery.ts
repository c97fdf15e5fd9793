/** The outputs with somebody looking on: what was published, how old it was by then, and how commits went. */
import type { Prediction } from '../domain/prediction.js'
import { traced } from '../observe/trace.js'
import { type ConsumedPartition, type Delivery, OUTPUT_NAMES, type OutputName, type Outputs } from '../sink/delivery.js'
import type { JournalRecord } from '../sink/output-records.js'
import { type Sink, withAppend } from '../sink/sink.js'
import type { Observation } from './observation.js'
import { observeSnapshot } from './observe-dashboard.js'

/** A live run that has not committed for so long, though it learns, is not ready. */
const STUCK_MS = 30_000

export interface ObservedDelivery extends Delivery {
  /** Next offsets by name of the partition, as last committed. */
  readonly committed: ReadonlyMap<string, bigint>
}

/** live: commits are due every moment. */
export function observeDelivery(delivery: Delivery, observation: Observation, live: boolean): ObservedDelivery {
  const { metrics, health, clock } = observation
  const published = metrics.tally('millrace_freshness_seconds', { stage: 'published' })
  const durations = metrics.tally('millrace_commit_duration_seconds')
  const committed = new Map<string, bigint>()
  /** Made since the last commit. */
  let made = zeros()
  let eventTimesMs: number[] = []
  let lastCommitMs: number | undefined
  let committingSinceMs: number | undefined
  let freshnessSeconds: number | null = null
  observation.telemetry?.read(() => ({ freshnessSeconds }))

  const counted = <T>(name: OutputName, look?: (record: T) => void): Sink<T> => {
    const sink = delivery.outputs[name] as unknown as Sink<T>
    return withAppend(sink, record => {
      made[name]++
      look?.(record)
      sink.append(record)
    })
  }
  const outputs: Outputs = {
    journal: counted<JournalRecord>('journal', ({ kind, trigger }) => {
      if (kind === 'learn' || kind === 'score') metrics.increase('millrace_batches_total', 1, { kind, trigger })
    }),
    predictions: counted<Prediction>('predictions', ({ eventTimeMs }) => void eventTimesMs.push(eventTimeMs)),
    recommendations: counted('recommendations'),
    metrics: counted('metrics'),
    snapshots: counted('snapshots', snapshot => observeSnapshot(observation, snapshot)),
    deadLetters: counted('deadLetters'),
  }

  function onCommitted(content: { made: Record<OutputName, number>; timesMs: number[] }, beganMs: number): void {
    lastCommitMs = clock.nowMs()
    durations.add((clock.monotonicMs() - beganMs) / 1000)
    metrics.increase('millrace_commits_total', 1)
    for (const output of OUTPUT_NAMES) metrics.increase('millrace_outputs_total', content.made[output], { output })
    published.addAges(content.timesMs, lastCommitMs)
    if (content.timesMs.length > 0) freshnessSeconds = meanAge(content.timesMs, lastCommitMs)
  }

  metrics.onScrape(() => {
    for (const output of OUTPUT_NAMES) {
      metrics.set('millrace_output_pending_bytes', delivery.outputs[output].pendingBytes, { output })
    }
    if (lastCommitMs !== undefined) metrics.set('millrace_last_commit_timestamp_seconds', lastCommitMs / 1000)
  })
  if (live) {
    health.ready.set('commit', () => {
      if (observation.state !== 'learning') return { status: 'ok', text: 'not due' }
      const sinceMs = committingSinceMs === undefined ? 0 : clock.monotonicMs() - committingSinceMs
      const ago = lastCommitMs === undefined ? 'none yet' : `the last one ${seconds(clock.nowMs() - lastCommitMs)} ago`
      if (sinceMs < STUCK_MS) return { status: 'ok', text: ago }
      return { status: 'fail', text: `one has been under way for ${seconds(sinceMs)}; ${ago}` }
    })
  }

  return {
    outputs,
    committed,
    recover(fromSeq) {
      made = zeros()
      eventTimesMs = []
      return delivery.recover(fromSeq)
    },
    commit(offsets: readonly ConsumedPartition[]) {
      const content = { made, timesMs: eventTimesMs }
      made = zeros()
      eventTimesMs = []
      const beganMs = clock.monotonicMs()
      const end = traced('commit', clock)
      const { predictions, deadLetters } = content.made
      committingSinceMs ??= beganMs
      const done = delivery.commit(offsets)
      done.then(
        () => {
          committingSinceMs = undefined
          for (const { partition, next } of offsets) committed.set(partition, next)
          onCommitted(content, beganMs)
          end({ predictions, deadLetters })
        },
        (error: Error) => end({ predictions, deadLetters }, error),
      )
      return done
    },
    close: () => delivery.close(),
  }
}

const zeros = (): Record<OutputName, number> =>
  Object.fromEntries(OUTPUT_NAMES.map(name => [name, 0])) as Record<OutputName, number>

function meanAge(timesMs: readonly number[], nowMs: number): number {
  let sum = 0
  for (const timeMs of timesMs) sum += Math.max(0, nowMs - timeMs)
  return Math.round(sum / timesMs.length) / 1000
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
