/**
 * Reads a range of topics, or from its beginning on for ever, as they are: every message of every partition once, each partition in the order of its offsets,
 * undecoded and unmerged. What is committed only; markers of transactions and aborted messages are stepped over.
 *
 * The group exists for the client's sake and must be nobody else's: nothing is committed to it.
 *
 * Errors: KAFKA_REFUSED, KAFKA_TOPIC, KAFKA_OFFSET_LOST. Brokers that can not be reached are waited for.
 */
import type { KafkaConnection } from '../config/kafka-connection.js'
import { parsePlace } from '../config/topic-place.js'
import { MillraceError } from '../domain/errors.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../std/clock.js'
import { GroupConsumer, type Place } from './kafka-consumer.js'
import { byPlace, orderNames } from './kafka-lanes.js'
import { findStarts, type PartitionStart } from './kafka-starts.js'
import { KafkaTopics } from './kafka-topics.js'
import type { FetchedMessage } from './kept-messages.js'
import { Signal } from './signal.js'
import type { OriginalMessage } from './source.js'

export interface KafkaRangeOptions {
  connection: KafkaConnection
  /** Names or /patterns/. */
  topics: readonly string[]
  group: string
  /** Places as in source.kafka. */
  from: string
  until: string
  onLostOffset: 'fail' | 'jump'
  sessionTimeout: number
  /** Do not stop at the end of the range; called when it has been reached, once. */
  onCaughtUp?: (() => void) | undefined
  logger: Log
  clock: Clock
}

export interface RangeReader {
  /** Before the first message; the index in this list is the partition's from here on. */
  begin(partitions: readonly PartitionStart[]): void
  /** The bytes are views that are gone when it returns. */
  message(partition: number, offset: bigint, message: OriginalMessage): void
  /** True: nothing more is fetched until drain() has resolved. */
  readonly isFull?: boolean
  /** Called when it is full, and once at the end. */
  drain?(): Promise<void>
}

/** Resolves at the end of the range; false: `stop` was aborted before. */
export async function readKafkaRange(
  options: KafkaRangeOptions,
  reader: RangeReader,
  stop?: AbortSignal,
): Promise<boolean> {
  const { connection, clock, logger, group, sessionTimeout, from, until, onLostOffset, onCaughtUp } = options
  const topics = new KafkaTopics(connection, logger)
  const signal = new Signal()
  const next: bigint[] = []
  let starts: PartitionStart[] = []
  let assigned: readonly Place[] | undefined
  let fault: unknown
  let isHeld = false
  let isCaughtUp = false
  const follows = onCaughtUp !== undefined
  const fail = (error: unknown) => {
    fault ??= error
    signal.notify()
  }
  const indexOf = ({ topic, partition }: Place) =>
    starts.findIndex(start => start.topic === topic && start.partition === partition)
  const isDone = () => starts.every(({ end }, index) => (next[index] ?? 0n) >= end)

  function take(place: Place, messages: readonly FetchedMessage[], lastOffset: bigint): void {
    const index = indexOf(place)
    const start = starts[index]
    if (start === undefined) return
    for (const { offset, key, value, headers = {}, timestamp } of messages) {
      const at = BigInt(offset)
      if (at < (next[index] ?? 0n) || (at >= start.end && !follows)) continue
      reader.message(index, at, { key, value, headers, timestampMs: Number(timestamp) })
      next[index] = at + 1n
    }
    if (lastOffset >= (next[index] ?? 0n)) next[index] = lastOffset + 1n
    if (reader.isFull === true && !isHeld) {
      isHeld = true
      consumer.pause(starts)
    }
    signal.notify()
  }

  const consumer = new GroupConsumer(
    {
      connection,
      group,
      sessionTimeoutMs: sessionTimeout,
      maxWaitMs: 100,
      metadataAgeMs: 300_000,
      role: () => ({ active: true, sinceMs: clock.nowMs() }),
      topics: () => topics.list(options.topics),
      logger,
      clock,
    },
    {
      onAssigned(places) {
        assigned ??= [...places].sort(byPlace)
        signal.notify()
        const seek = starts.map(({ topic, partition }, index) => ({ topic, partition, offset: next[index] ?? 0n }))
        return { seek, paused: starts.length === 0 || isHeld ? [...places] : [] }
      },
      onMessages(place, messages, lastOffset) {
        try {
          take(place, messages, lastOffset)
        } catch (error) {
          fail(error)
        }
      },
      onAnswer() {},
      onOffsetLost(place) {
        const name = `${place.topic}/${place.partition}`
        const wanted = next[indexOf(place)] ?? 0n
        const lost = new MillraceError('KAFKA_OFFSET_LOST', `${name}: offset ${wanted} went out of retention meanwhile`)
        if (onLostOffset === 'fail') fail(lost)
        else logger.warn({ partition: name, wanted: String(wanted) }, lost.message)
      },
      onFault: fail,
    },
  )
  const stopped = () => signal.notify()
  stop?.addEventListener('abort', stopped)
  try {
    consumer.start()
    while (assigned === undefined && fault === undefined && stop?.aborted !== true) await signal.wait(1000)
    if (fault !== undefined) throw fault
    if (assigned === undefined) return false
    starts = await findStarts(topics, {
      names: orderNames(assigned, []),
      offsets: [],
      committed: new Map(),
      from: parsePlace(from) ?? 'earliest',
      until: parsePlace(until) ?? 'latest',
      onLostOffset,
      logger,
    })
    for (const { offset } of starts) next.push(offset)
    reader.begin(starts)
    for (const { topic, partition, offset } of starts) consumer.seek({ topic, partition }, offset)
    const isWanted = ({ end }: PartitionStart, index: number) => follows || (next[index] ?? 0n) < end
    consumer.resume(starts.filter(isWanted))
    while ((follows || !isDone()) && fault === undefined && stop?.aborted !== true) {
      if (isDone() && !isCaughtUp) onCaughtUp?.()
      isCaughtUp = isDone()
      await signal.wait(1000)
      if (reader.isFull !== true) continue
      await reader.drain?.()
      isHeld = false
      consumer.resume(starts.filter(isWanted))
    }
    if (fault !== undefined) throw fault
    await reader.drain?.()
    return isDone()
  } finally {
    stop?.removeEventListener('abort', stopped)
    await consumer.close()
    await topics.close()
  }
}
