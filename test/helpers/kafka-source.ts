/** Sources on real topics for tests, and what to write into these. */
import { randomUUID } from 'node:crypto'
import kafkajs, { type Producer } from 'kafkajs'
import { kafkaConnection } from '../../src/config/kafka-connection.js'
import { configSchema } from '../../src/config/schema.js'
import { createMessageDecoder } from '../../src/decode/message-decoder.js'
import { createDecoderFactory } from '../../src/decode/record-decoder.js'
import { type Log, silentLog } from '../../src/observe/log.js'
import { KafkaSource, type KafkaSourceOptions } from '../../src/source/kafka.js'
import { idAwareType } from '../../src/std/avro-long.js'
import { systemClock } from '../../src/std/clock.js'
import { readSchemaFile } from '../../src/std/schema-file.js'
import { rating, type Written } from '../contract/source.js'
import { until } from './kafka.js'

const { Kafka, logLevel } = kafkajs
const ratings = idAwareType(readSchemaFile('rating'))

export const connectionTo = (brokers: readonly string[], logger: Log = silentLog) =>
  kafkaConnection(configSchema.shape.kafka.parse({ brokers }), '.', logger)

export const bareRatings = () =>
  createMessageDecoder({
    decoderFor: createDecoderFactory({ maxDecodeBytes: 1 << 20, maxIdBytes: 512 }),
    framing: 'bare',
    schema: JSON.stringify(readSchemaFile('rating')),
  })

export function sourceOf(
  brokers: readonly string[],
  topics: readonly string[],
  more: Partial<KafkaSourceOptions> = {},
): KafkaSource {
  const logger = more.logger ?? silentLog
  return new KafkaSource({
    connection: more.connection ?? connectionTo(brokers, logger),
    topics,
    group: `test-${randomUUID()}`,
    from: 'earliest',
    idleTimeout: 500,
    sessionTimeout: 6000,
    onLostOffset: 'fail',
    maxFuture: 3_600_000,
    decoder: bareRatings(),
    logger,
    clock: systemClock,
    ...more,
  })
}

export async function producerTo(brokers: readonly string[]): Promise<Producer> {
  const producer = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING, retry: { retries: 20 } }).producer({
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
    // Partitions of a new topic may refuse a first attempt, and others of the same request be written twice.
    idempotent: true,
    maxInFlightRequests: 1,
  })
  // A broker that was silent can answer before it knows that it is one.
  await until('the producer is connected', () => producer.connect().then(() => true))
  return producer
}

export const messageOf = (written: Written, partition: number) => ({
  partition,
  key: `key ${written.eventId}`,
  value: ratings.toBuffer(rating(written)),
  timestamp: String(written.eventTime),
})

/** Ratings of a minute after the other. */
export const minutes = (count: number, first = 0, name = 'e'): Written[] =>
  Array.from({ length: count }, (_, index) => ({
    eventId: `${name}${first + index}`,
    eventTime: 1_600_000_000_000 + 60_000 * (first + index),
  }))
