/** Where reading begins in each partition, and what becomes of a place that is no longer in the log. */
import { MillraceError } from '../domain/errors.js'
import type { Log } from '../observe/log.js'
import type { KafkaTopics, Start } from './kafka-topics.js'

export interface PartitionStart {
  topic: string
  partition: number
  /** Next offset to read. */
  offset: bigint
  high: bigint
  /** Finite reading ends before it. */
  end: bigint
}

export interface StartOptions {
  /** Partitions in order, "topic/number". */
  names: readonly string[]
  /** By partition, as far as they are known. */
  offsets: readonly bigint[]
  /** Of the group, by name: where a partition goes on that has no offset. */
  committed: ReadonlyMap<string, bigint>
  /** For those that have neither. */
  from: Start
  onLostOffset: 'fail' | 'jump'
  until: 'latest' | number | undefined
  logger: Log
}

export async function findStarts(topics: KafkaTopics, options: StartOptions): Promise<PartitionStart[]> {
  const { names, offsets, committed, from, until } = options
  const places = names.map(placeOf)
  const starts: PartitionStart[] = []
  const perTopic = new Map<string, TopicOffsets>()
  for (const topic of new Set(places.map(place => place.topic))) {
    const bounds = await topics.bounds(topic)
    const byTime = typeof from === 'object' ? await topics.offsetsAt(topic, from.timeMs) : undefined
    const ends = typeof until === 'number' ? await topics.offsetsAt(topic, until) : undefined
    perTopic.set(topic, { bounds, byTime, ends })
  }
  for (const [index, { topic, partition }] of places.entries()) {
    const { bounds, byTime, ends } = perTopic.get(topic) as TopicOffsets
    const name = `${topic}/${partition}`
    const bound = bounds.get(partition)
    if (bound === undefined) throw new MillraceError('KAFKA_TOPIC', `partition ${name} was read, and is not there now`)
    const { low, high } = bound
    let offset = offsets[index] ?? committed.get(name)
    if (offset === undefined) offset = from === 'latest' ? high : (byTime?.get(partition) ?? low)
    else if (offset < low || offset > high) {
      const fault = lostOffset(name, offset, low, options)
      if (fault !== undefined) throw fault
      offset = low
    }
    starts.push({ topic, partition, offset, high, end: ends?.get(partition) ?? high })
  }
  return starts
}

/** Says what is lost if it is jumped over; otherwise the fault. */
export function lostOffset(
  partition: string,
  wanted: bigint,
  to: bigint,
  { onLostOffset, logger }: { onLostOffset: 'fail' | 'jump'; logger: Log },
): MillraceError | undefined {
  const isShorter = to < wanted
  const what = isShorter
    ? `${partition} goes on at ${wanted}, but the log is shorter: the topic was made anew, or has lost records`
    : `${partition} goes on at ${wanted}, but the first record that is left is ${to}`
  const skipped = isShorter ? 0 : Number(to - wanted)
  const details = { partition, wanted: String(wanted), to: String(to), skipped }
  if (onLostOffset === 'fail') return new MillraceError('KAFKA_OFFSET_LOST', what, { details })
  logger.warn({ code: 'KAFKA_OFFSET_LOST', ...details }, `${what}; reading goes on at ${to}`)
  return undefined
}

interface TopicOffsets {
  bounds: Map<number, { low: bigint; high: bigint }>
  byTime: Map<number, bigint> | undefined
  ends: Map<number, bigint> | undefined
}

function placeOf(name: string): { topic: string; partition: number } {
  const slash = name.lastIndexOf('/')
  return { topic: name.slice(0, slash), partition: Number(name.slice(slash + 1)) }
}
