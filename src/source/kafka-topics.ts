/** What the source asks the cluster beside reading: which topics there are, and where their partitions begin and end. */
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs, { type Admin, type KafkaConfig } from 'kafkajs'
import { type KafkaConnection, kafkaFault } from '../config/kafka-connection.js'
import { MillraceError } from '../domain/errors.js'
import type { Log } from '../observe/log.js'

const { Kafka } = kafkajs
const RETRY_MS = 1000

export interface Bounds {
  low: bigint
  high: bigint
}

/** Whether a topic is meant by a name or a /pattern/. */
export function topicMatcher(patterns: readonly string[]): { names: string[]; matches(topic: string): boolean } {
  const names: string[] = []
  const expressions: RegExp[] = []
  for (const pattern of patterns) {
    if (pattern.length > 2 && pattern.startsWith('/') && pattern.endsWith('/')) {
      try {
        expressions.push(new RegExp(pattern.slice(1, -1)))
      } catch (cause) {
        const message = `source.kafka.topics: ${pattern} is not a regular expression: ${(cause as Error).message}`
        throw new MillraceError('CONFIG_INVALID', message, { cause })
      }
    } else names.push(pattern)
  }
  const matches = (topic: string) =>
    names.includes(topic) || (!topic.startsWith('__') && expressions.some(expression => expression.test(topic)))
  return { names, matches }
}

export class KafkaTopics {
  readonly #connection: KafkaConnection
  readonly #logger: Log
  #admin: Promise<Admin> | undefined
  #isClosed = false

  constructor(connection: KafkaConnection, logger: Log) {
    this.#connection = connection
    this.#logger = logger
  }

  /** Names of the topics that are meant, sorted. KAFKA_TOPIC: a named one is missing, or none is there. */
  list(patterns: readonly string[]): Promise<string[]> {
    const { names, matches } = topicMatcher(patterns)
    return this.#ask('looking for topics', async admin => {
      const all = new Set(await admin.listTopics())
      const missing = names.filter(name => !all.has(name))
      if (missing.length > 0) {
        // One that must not be seen is not listed: asking for it by name tells missing and forbidden apart.
        await admin.fetchTopicMetadata({ topics: missing }).catch(error => {
          const fault = kafkaFault(error, `looking for ${missing.join(', ')}`)
          if (fault.code === 'KAFKA_REFUSED') throw fault
        })
        throw new MillraceError('KAFKA_TOPIC', `there is no topic ${missing.join(', ')}`)
      }
      const topics = [...all].filter(matches).sort()
      if (topics.length === 0) throw new MillraceError('KAFKA_TOPIC', `no topic matches ${patterns.join(', ')}`)
      return topics
    })
  }

  /** First and next offset of each partition. */
  bounds(topic: string): Promise<Map<number, Bounds>> {
    return this.#ask(`asking for the offsets of ${topic}`, async admin => {
      const offsets = await admin.fetchTopicOffsets(topic)
      return new Map(
        offsets.map(({ partition, low, high }) => [partition, { low: BigInt(low), high: BigInt(high) }] as const),
      )
    })
  }

  /** Offset of the first record of each partition that is not older; the end if there is none. */
  offsetsAt(topic: string, timeMs: number): Promise<Map<number, bigint>> {
    return this.#ask(`asking for the offsets of ${topic} by time`, async admin => {
      const offsets = await admin.fetchTopicOffsetsByTimestamp(topic, timeMs)
      return new Map(offsets.map(({ partition, offset }) => [partition, BigInt(offset)] as const))
    })
  }

  /** What the group has committed, by "topic/partition". */
  committed(group: string, topics: readonly string[]): Promise<Map<string, bigint>> {
    return this.#ask(`asking for the offsets of group ${group}`, async admin => {
      const answers = await admin.fetchOffsets({ groupId: group, topics: [...topics] })
      const committed = new Map<string, bigint>()
      for (const { topic, partitions } of answers) {
        for (const { partition, offset } of partitions) {
          if (BigInt(offset) >= 0n) committed.set(`${topic}/${partition}`, BigInt(offset))
        }
      }
      return committed
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    const admin = this.#admin
    this.#admin = undefined
    await admin?.then(client => client.disconnect()).catch(() => undefined)
  }

  /** Again and again while no broker can be reached. */
  async #ask<T>(doing: string, question: (admin: Admin) => Promise<T>): Promise<T> {
    for (;;) {
      this.#admin ??= this.#connect()
      const admin = this.#admin
      try {
        return await question(await admin)
      } catch (error) {
        const fault = kafkaFault(error, doing)
        if (fault.code !== 'KAFKA_UNREACHABLE' || this.#isClosed) throw fault
        this.#logger.warn({ code: fault.code, brokers: this.#connection.brokers }, `${fault.message}; trying again`)
        if (this.#admin === admin) this.#admin = undefined
        await admin.then(client => client.disconnect()).catch(() => undefined)
        await sleep(RETRY_MS)
      }
    }
  }

  async #connect(): Promise<Admin> {
    const { retry } = this.#connection
    const admin = new Kafka({ ...this.#connection, retry: { ...retry, retries: 3 } } as KafkaConfig).admin()
    try {
      await admin.connect()
    } catch (error) {
      await admin.disconnect().catch(() => undefined)
      throw error
    }
    return admin
  }
}
