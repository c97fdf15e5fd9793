/** A KafkaDelivery on topics of its own, with values as JSON, so that any reader can tell what it sees. */
import type { Kafka } from 'kafkajs'
import { kafkaConnection } from '../../src/config/kafka-connection.js'
import type { Prediction } from '../../src/domain/prediction.js'
import { type Log, silentLog } from '../../src/observe/log.js'
import { entryOf } from '../../src/sink/file-delivery.js'
import { KafkaDelivery, type KafkaDeliveryOptions } from '../../src/sink/kafka.js'
import { createKafkaOutputs } from '../../src/sink/kafka-outputs.js'
import type { JournalRecord } from '../../src/sink/output-records.js'
import { systemClock } from '../../src/std/clock.js'
import type { Broker } from './kafka.js'

export const TOPICS = ['journal', 'predictions', 'recommendations', 'metrics', 'snapshots', 'deadLetters'] as const

export const topicOf = (prefix: string, output: (typeof TOPICS)[number]): string => `${prefix}.${output}`

export async function createOutputTopics(
  broker: Broker,
  prefix: string,
  { partitions = 4, config = {} as Record<string, string> } = {},
): Promise<void> {
  for (const output of TOPICS) {
    await broker.createTopic(topicOf(prefix, output), {
      partitions: output === 'journal' || output === 'snapshots' ? 1 : partitions,
      config,
    })
  }
}

export interface TestDelivery extends Partial<KafkaDeliveryOptions> {
  prefix: string
  instance: string
  /** kafkajs options beside the connection's, such as a socket factory. */
  client?: Partial<ConstructorParameters<typeof Kafka>[0]>
  log?: Log
}

export function openDelivery(
  brokers: readonly string[],
  { prefix, instance, client = {}, log = silentLog, ...more }: TestDelivery,
  stop?: AbortSignal,
): Promise<KafkaDelivery> {
  const kafka = { brokers: [...brokers], clientId: 'test' }
  return KafkaDelivery.open(
    {
      connection: { ...kafkaConnection(kafka, '.', silentLog), ...(client as object) },
      groupId: `${prefix}-group`,
      transactionalId: `${prefix}-tx`,
      instance,
      delivery: 'exactly-once',
      compression: 'none',
      maxMessageBytes: 900_000,
      outputs: jsonOutputs(prefix),
      decodeJournal: value => entryOf(JSON.parse(value.toString())),
      logger: log,
      clock: systemClock,
      ...more,
    },
    stop,
  )
}

export function jsonOutputs(prefix: string): KafkaDeliveryOptions['outputs'] {
  const topics = Object.fromEntries(TOPICS.map(output => [output, topicOf(prefix, output)])) as Record<
    (typeof TOPICS)[number],
    string
  >
  return createKafkaOutputs({
    name: 'test-learner',
    topics,
    predictions: true,
    encoderOf: () => record => Buffer.from(JSON.stringify(record)),
    predictionEncoder: {
      bytes: Buffer.alloc(0),
      length: 0,
      encode({ eventTimeMs, values, ...rest }) {
        const record = { ...rest, eventTime: eventTimeMs, values: { click: values[0] } }
        this.bytes = Buffer.from(JSON.stringify(record))
        this.length = this.bytes.length
      },
    },
  })
}

export function prediction(index: number, user = `user-${index % 97}`): Prediction {
  return {
    eventId: `event-${index}`,
    requestId: null,
    eventTimeMs: 1_700_000_000_000 + index,
    user,
    item: `item-${index % 13}`,
    modelVersion: index,
    values: Float32Array.of(0.25),
    rankScore: 0.25,
  }
}

export function journalEntry(seq: number): JournalRecord {
  return {
    seq,
    step: seq,
    kind: 'learn',
    trigger: 'count',
    eventTime: 1_700_000_000_000 + seq,
    examples: 1,
    consumed: [{ partition: 0, offset: BigInt(seq) }],
    records: seq,
    partition: -1,
    partitionName: null,
  }
}
