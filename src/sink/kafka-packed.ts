/**
 * Batches whose records are encoded already, in the form in which the client takes messages. It encodes each message by
 * itself, in buffers of its own, and groups them by copying the group for each of them: ten microseconds a message, more
 * than learning from it costs. What it asks of a list of messages is little, though, and answered here for the whole list:
 *
 *   find    is there one without a value?                no
 *   reduce  by partition                                  the batches
 *   map     the times; the records, encoded               those of the batch
 *   length  how many                                      as many
 *
 * The places of the lists are empty, so a client that asked for anything else would find no message and fail, not send
 * something wrong. test/integration/kafka-sink.test.ts reads with other clients what was sent like this.
 */
import type { Message } from 'kafkajs'
import type { RecordBatch } from './record-batch.kernel.js'

/** Enough for any time; the client sorts times as text. */
const TIME_DIGITS = 16
/** Tells apart what map() is asked for: a time is text, a record is an object. */
const PROBE: Message = { key: null, value: null, timestamp: '0' }

/** At most one batch a partition. */
export function packedMessages(batches: readonly RecordBatch[]): Message[] {
  const byPartition = Object.fromEntries(batches.map(batch => [batch.partition, packedPartition(batch)]))
  const count = batches.reduce((sum, batch) => sum + batch.count, 0)
  return Object.assign(new Array<Message>(count), {
    find: () => undefined,
    reduce: (_: unknown, into: object) => Object.assign(into, byPartition),
  })
}

function packedPartition({ count, bytes, firstMs, latestMs }: RecordBatch): Message[] {
  const records = new Array<unknown>(count)
  records[0] = { buf: bytes, buffer: bytes }
  const times = [firstMs, latestMs].flatMap(timeMs => (timeMs === undefined ? [] : [timeText(timeMs)]))
  return Object.assign(new Array<Message>(count), {
    map: (of: (message: Message, index: number) => unknown) => (typeof of(PROBE, 0) === 'object' ? records : times),
  })
}

const timeText = (timeMs: number): string => (timeMs < 0 ? String(timeMs) : String(timeMs).padStart(TIME_DIGITS, '0'))
