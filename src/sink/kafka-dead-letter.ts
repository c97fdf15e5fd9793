/**
 * A dead letter on Kafka is the message as it was: key, value, timestamp and headers byte for byte, and behind them the
 * headers of Kafka Connect's dead letter queues (KIP-298), so that the tools that people have for those work. Headers of
 * an earlier life stay in front of ours: the first `__connect.errors.topic` is where the record came from at first, the
 * last one where it failed last. Two limits of the client: values of headers can not be null (they become empty), and
 * equal names stand together.
 *
 * A record from a log file has no message around it: its bytes are the value, without a key.
 */
import type { IHeaders } from 'kafkajs'
import type { OriginalMessage } from '../source/source.js'
import { partitionOf, partitionOfBytes } from '../std/murmur2.js'
import type { KafkaOutput } from './kafka-sink.js'
import type { DeadLetterRecord } from './output-records.js'

export const PREFIX = '__connect.errors.'

/** name: of the learner; stands for the connector's. */
export function createDeadLetterOutput(topic: string, name: string): KafkaOutput<DeadLetterRecord> {
  return {
    topic,
    onePartition: false,
    toMessage(record, partitions) {
      const { original, payload } = record
      const key = original?.key ?? null
      const value = original === undefined ? payload : original.value
      return {
        key: key === null ? null : copy(key),
        // The bytes are a window on a block or a fetch that may be gone, or pinned, until the commit.
        value: value === null ? null : copy(value),
        headers: deadLetterHeaders(record, name),
        partition: key === null ? partitionOf(record.partition, partitions) : partitionOfBytes(key, partitions),
        ...(original === undefined ? {} : { timestamp: String(original.timestampMs) }),
      }
    },
  }
}

function deadLetterHeaders(record: DeadLetterRecord, name: string): IHeaders {
  const slash = record.partition.lastIndexOf('/')
  const headers = originalHeaders(record.original)
  const add = (header: string, text: string) => {
    const before = headers[PREFIX + header]
    const value = Buffer.from(text)
    if (before === undefined) headers[PREFIX + header] = value
    else headers[PREFIX + header] = Array.isArray(before) ? [...before, value] : [before, value]
  }
  add('topic', slash < 0 ? record.partition : record.partition.slice(0, slash))
  add('partition', slash < 0 ? '0' : record.partition.slice(slash + 1))
  add('offset', record.offset)
  add('connector.name', name)
  add('task.id', '0')
  add('stage', record.stage)
  add('class.name', 'millrace')
  add('exception.class.name', record.reason)
  add('exception.message', record.message)
  return headers
}

function originalHeaders(original: OriginalMessage | undefined): IHeaders {
  const headers: IHeaders = {}
  for (const [name, values] of Object.entries(original?.headers ?? {})) {
    if (values === undefined) continue
    const list = (Array.isArray(values) ? values : [values]).map(value =>
      typeof value === 'string' ? value : copy(value ?? new Uint8Array()),
    )
    const [only] = list
    headers[name] = list.length === 1 ? only : list
  }
  return headers
}

const copy = (bytes: Uint8Array): Buffer => Buffer.from(bytes)
