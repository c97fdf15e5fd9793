/**
 * Puts messages onto any topics exactly once, with how far the work has got: both in one transaction, so that work which
 * was interrupted goes on where it stopped. For commands that fill topics (import, dead letters); a learner's outputs go
 * through kafka.ts.
 *
 * open() takes over from an earlier run of the same work and says where it stood; write() resolves when its messages and
 * the new place are readable. Errors: KAFKA_TOPIC, KAFKA_REFUSED, KAFKA_TOO_LARGE, KAFKA_FENCED (the same work runs
 * elsewhere). Brokers that can not be reached are waited for.
 */
import kafkajs, { type Admin, type KafkaConfig } from 'kafkajs'
import type { KafkaConnection } from '../config/kafka-connection.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../std/clock.js'
import type { ConsumedPartition } from './delivery.js'
import { KafkaCluster } from './kafka-cluster.js'
import { COMPRESSION, registerCodecs } from './kafka-codecs.js'
import { listenForCoordinatorErrors } from './kafka-coordinator-errors.js'
import { GroupOffsets } from './kafka-offsets.js'
import { createRetry, type Retry } from './kafka-retry.js'
import { KafkaSink, type OutputMessage } from './kafka-sink.js'
import { KafkaTransactions } from './kafka-transactions.js'

// A CommonJS module whose names Node can not see from outside.
const { Kafka: Client } = kafkajs

export interface KafkaWriterOptions {
  connection: KafkaConnection
  /** Names the work: its place is committed to the group of this name, and two runs of it fence each other. */
  work: string
  /** Unlike any other run's; no spaces. */
  instance: string
  topics: readonly string[]
  compression: keyof typeof COMPRESSION
  maxBatchBytes: number
  logger: Log
  clock: Clock
}

/** The partition is the caller's choice. */
export interface AddressedMessage extends OutputMessage {
  topic: string
}

export class KafkaWriter {
  /** Where an earlier run of this work stood, by name of the partition. */
  readonly begun: ReadonlyMap<string, bigint>
  readonly #cluster: KafkaCluster
  readonly #transactions: KafkaTransactions
  readonly #retry: Retry
  readonly #maxBatchBytes: number

  private constructor(
    parts: { cluster: KafkaCluster; transactions: KafkaTransactions; retry: Retry; maxBatchBytes: number },
    begun: ReadonlyMap<string, bigint>,
  ) {
    this.#cluster = parts.cluster
    this.#transactions = parts.transactions
    this.#retry = parts.retry
    this.#maxBatchBytes = parts.maxBatchBytes
    this.begun = begun
  }

  static async open(options: KafkaWriterOptions, stop?: AbortSignal): Promise<KafkaWriter> {
    const { connection, work, instance, topics, compression, maxBatchBytes, logger, clock } = options
    registerCodecs()
    const heard = listenForCoordinatorErrors(connection)
    const client = { ...heard.connection, retry: { ...connection.retry, initialRetryTime: 10 } }
    const kafka = new Client(client as KafkaConfig)
    const cluster = new KafkaCluster(kafka)
    const retry = createRetry({
      logger,
      clock,
      signal: stop ?? new AbortController().signal,
      refresh: () => cluster.look(),
      explain: heard.explain,
    })
    try {
      for (const topic of topics)
        await retry(`looking for topic ${topic} at ${connection.brokers.join(', ')}`, () => cluster.look([topic]))
      const withAdmin = <T>(use: (admin: Admin) => Promise<T>) => cluster.withAdmin(use)
      const offsets = new GroupOffsets({ groupId: work, instance, journalTopic: topics[0] ?? '', withAdmin })
      const transactions = new KafkaTransactions({
        kafka,
        transactionalId: work,
        offsets,
        compression: COMPRESSION[compression],
        leaderOf: (topic, partition) => cluster.leaderOf(topic, partition),
        retry,
        clock,
      })
      await transactions.takeOver()
      const begun = await retry(`reading the offsets of group ${work}`, () => offsets.read())
      return new KafkaWriter({ cluster, transactions, retry, maxBatchBytes }, begun)
    } catch (error) {
      await cluster.close()
      throw error
    }
  }

  /** Before write(): topics that open() was not told of. KAFKA_TOPIC: one is not there. */
  async learn(topics: Iterable<string>): Promise<void> {
    for (const topic of topics) {
      if (this.partitionsOf(topic) > 0) continue
      await this.#retry(`looking for topic ${topic}`, () => this.#cluster.look([topic]))
    }
  }

  partitionsOf(topic: string): number {
    return this.#cluster.partitionsOf(topic)
  }

  /** In the order given, within each partition. places: how far the work has got with them. */
  async write(messages: readonly AddressedMessage[], places: readonly ConsumedPartition[]): Promise<void> {
    const sinks = new Map<string, KafkaSink<OutputMessage>>()
    for (const message of messages) {
      const { topic } = message
      const sink = sinks.get(topic) ?? this.#sinkOf(topic)
      sinks.set(topic, sink)
      sink.append(message)
    }
    const content = [...sinks.values()].map(sink => sink.take()).filter(taken => taken !== undefined)
    await this.#transactions.transact(content, places)
  }

  #sinkOf(topic: string): KafkaSink<OutputMessage> {
    const output = { topic, onePartition: false, toMessage: (message: OutputMessage) => message }
    return new KafkaSink(output, this.partitionsOf(topic), this.#maxBatchBytes)
  }

  async close(): Promise<void> {
    await this.#transactions.close()
    await this.#cluster.close()
  }
}
