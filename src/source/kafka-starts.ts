/** Where reading begins in each partition, and what becomes of a place that is no longer in the log. */
import type { TopicPlace } from '../config/topic-place.js'
import { MillraceError } from '../domain/errors.js'
import type { Log } from '../observe/log.js'
import type { KafkaTopics } from './kafka-topics.js'

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
  from: TopicPlace
  onLostOffset: 'fail' | 'jump'
  /** Undefined: there is no end. */
  until: TopicPlace | undefined
  logger: Log
}

export async function findStarts(topics: KafkaTopics, options: StartOptions): Promise<PartitionStart[]> {
  const { names, offsets, committed, from, until } = options
  const places = names.map(placeOf)
  const starts: PartitionStart[] = []
  const perTopic = new Map<string, TopicOffsets>()
  for (const topic of new Set(places.map(place => place.topic))) {
    const bounds = await topics.bounds(topic)
    perTopic.set(topic, {
      bounds,
      starts: await offsetsOf(topics, topic, from),
      ends: await offsetsOf(topics, topic, until),
    })
  }
  for (const [index, { topic, partition }] of places.entries()) {
    const { bounds, starts: begin, ends } = perTopic.get(topic) as TopicOffsets
    const name = `${topic}/${partition}`
    const bound = bounds.get(partition)
    if (bound === undefined) throw new MillraceError('KAFKA_TOPIC', `partition ${name} was read, and is not there now`)
    const { low, high } = bound
    let offset = offsets[index] ?? committed.get(name) ?? begin(partition)
    if (offset === undefined) offset = from === 'latest' ? high : low
    else if (offset < low || offset > high) {
      const fault = lostOffset(name, offset, low, options)
      if (fault !== undefined) throw fault
      offset = low
    }
    const end = ends(partition)
    // What is not there yet is not waited for: a finite reading ends.
    starts.push({ topic, partition, offset, high, end: end === undefined || end > high ? high : end })
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
  starts(partition: number): bigint | undefined
  ends(partition: number): bigint | undefined
}

/** Offsets that a place has by itself; undefined where it is only a bound. */
async function offsetsOf(topics: KafkaTopics, topic: string, place: TopicPlace | undefined) {
  if (typeof place !== 'object') return () => undefined
  if ('offsets' in place) return (partition: number) => place.offsets.get(`${topic}/${partition}`)
  const byTime = await topics.offsetsAt(topic, place.timeMs)
  return (partition: number) => byTime.get(partition)
}

function placeOf(name: string): { topic: string; partition: number } {
  const slash = name.lastIndexOf('/')
  return { topic: name.slice(0, slash), partition: Number(name.slice(slash + 1)) }
}
