/** Which topics a configuration writes, and what they must be like: `topics create` makes them so, `topics check` compares. */
import type { Config } from './schema.js'

export type TopicOutput = 'predictions' | 'recommendations' | 'metrics' | 'snapshots' | 'journal' | 'deadLetters'

export interface TopicPlan {
  output: TopicOutput
  topic: string
  /** A number, or as many as the input topics have, so that a user's records lie in the same partition everywhere. */
  partitions: number | 'as-input'
  /** What a new topic gets. */
  settings: Record<string, string>
  /** Other policies would lose what readers need. */
  cleanup: 'delete' | 'compact'
  /** Messages may be so large: at least this, or what the largest input topic allows plus this. */
  messageBytes: { atLeast: number } | { beyondInput: number }
  /** Why records that go away after a while are missed; undefined: they are not. */
  keptBecause: string | undefined
}

const DAY_MS = 86_400_000
/** Key, headers and framing beside the payload. */
const OVERHEAD_BYTES = 16_384
const DEAD_LETTER_BYTES = 10 * 1024 ** 3
const BROKER_DEFAULT_BYTES = 1_048_588

/** Nothing, unless it publishes to Kafka. */
export function planTopics({ outputs: { kafka } }: Config): TopicPlan[] {
  if (kafka === undefined) return []
  const small = { atLeast: OVERHEAD_BYTES }
  const kept = (days: number) => ({ 'cleanup.policy': 'delete', 'retention.ms': String(days * DAY_MS) })
  const delivered = { cleanup: 'delete', messageBytes: small, keptBecause: undefined } as const
  return [
    { output: 'predictions', topic: kafka.predictions, partitions: 'as-input', settings: kept(7), ...delivered },
    {
      output: 'recommendations',
      topic: kafka.recommendations,
      partitions: 'as-input',
      settings: kept(7),
      ...delivered,
    },
    { output: 'metrics', topic: kafka.metrics, partitions: 1, settings: kept(90), ...delivered },
    {
      output: 'snapshots',
      topic: kafka.snapshots,
      partitions: 1,
      // Superseded chunks get tombstones: small segments and an early cleaner, so that their space comes back.
      settings: {
        'cleanup.policy': 'compact',
        'segment.ms': String(DAY_MS / 24),
        'min.cleanable.dirty.ratio': '0.2',
        'max.message.bytes': String(Math.max(BROKER_DEFAULT_BYTES, kafka.maxMessageBytes + OVERHEAD_BYTES)),
      },
      cleanup: 'compact',
      messageBytes: { atLeast: kafka.maxMessageBytes + OVERHEAD_BYTES },
      keptBecause: undefined,
    },
    {
      output: 'journal',
      topic: kafka.journal,
      partitions: 1,
      settings: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' },
      cleanup: 'delete',
      messageBytes: small,
      keptBecause: 'what they tell of can not be learned again',
    },
    {
      output: 'deadLetters',
      topic: kafka.deadLetters,
      partitions: 1,
      // By size: a dead letter has the timestamp of the record it was, which may be older than any retention.
      settings: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': String(DEAD_LETTER_BYTES) },
      cleanup: 'delete',
      messageBytes: { beyondInput: OVERHEAD_BYTES },
      keptBecause: 'a dead letter is as old as the record it was, and may go at once',
    },
  ]
}
