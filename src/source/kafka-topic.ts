/**
 * Reads a topic of one partition from its beginning to where it ends now: what is committed, in order, tombstones too.
 * The client reads in groups only, so it is a group of its own, which is removed afterwards; nothing is committed to it.
 */
import kafkajs, { type Admin, type KafkaConfig } from 'kafkajs'
import { type KafkaConnection, kafkaFault } from '../config/kafka-connection.js'
import { MillraceError } from '../domain/errors.js'

const { Kafka } = kafkajs
/** Without any answer for so long it is given up. */
const SILENCE_MS = 30_000

export interface TopicMessage {
  key: string | undefined
  value: Buffer | null
  timestampMs: number
}

export interface TopicReadOptions {
  connection: KafkaConnection
  topic: string
  /** Unlike any other reader's. */
  groupId: string
}

/** take() may be called with views of what was fetched: copy what is kept. KAFKA_TOPIC, KAFKA_REFUSED, KAFKA_UNREACHABLE. */
export async function readWholeTopic(
  { connection, topic, groupId }: TopicReadOptions,
  take: (message: TopicMessage) => void | Promise<void>,
): Promise<void> {
  const kafka = new Kafka(connection as KafkaConfig)
  const admin = kafka.admin()
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100, allowAutoTopicCreation: false })
  try {
    await admin.connect()
    const end = await endOf(admin, topic)
    if (end === 0n) return
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    await new Promise<void>((resolve, reject) => {
      const late = () => reject(new Error(`nothing of ${topic} has come for ${SILENCE_MS} ms`))
      const deadline = setTimeout(late, SILENCE_MS)
      const { CRASH, END_BATCH_PROCESS } = consumer.events
      consumer.on(CRASH, ({ payload }) => reject(payload.error))
      // Batches of nothing but markers of transactions come only as this event.
      consumer.on(END_BATCH_PROCESS, ({ payload }) => {
        deadline.refresh()
        if (BigInt(payload.lastOffset) + 1n >= end) resolve()
      })
      const eachMessage = async (message: TopicMessage) => {
        try {
          await take(message)
        } catch (error) {
          reject(error)
        }
      }
      consumer
        .run({
          autoCommit: false,
          eachBatch: async ({ batch, heartbeat }) => {
            for (const { offset, key, value, timestamp } of batch.messages) {
              if (BigInt(offset) >= end) break
              await eachMessage({ key: key?.toString(), value, timestampMs: Number(timestamp) })
            }
            await heartbeat()
          },
        })
        .catch(reject)
      consumer.on(consumer.events.STOP, () => clearTimeout(deadline))
    })
  } catch (error) {
    throw kafkaFault(error, `reading topic ${topic}`)
  } finally {
    await consumer.disconnect().catch(() => undefined)
    // Empty groups go by themselves some days later; who may not delete them leaves it at that.
    await admin.deleteGroups([groupId]).catch(() => undefined)
    await admin.disconnect().catch(() => undefined)
  }
}

/** 0: there is nothing to read. */
async function endOf(admin: Admin, topic: string): Promise<bigint> {
  const topics = new Set(await admin.listTopics())
  if (!topics.has(topic)) throw new MillraceError('KAFKA_TOPIC', `there is no topic ${topic}`)
  const partitions = await admin.fetchTopicOffsets(topic)
  const [only] = partitions
  if (only === undefined || partitions.length > 1)
    throw new MillraceError('KAFKA_TOPIC', `topic ${topic} has ${partitions.length} partitions, it must have one`)
  return BigInt(only.low) === BigInt(only.high) ? 0n : BigInt(only.high)
}
