/**
 * Puts messages onto topics as they come, without a transaction: write() resolves when every replica that the topic asks
 * for has them (acks=all, checked per partition). What is given up on may be there all the same; readers know events by
 * their ids. Brokers that can not be reached are waited for at open(), but in write() only for a while.
 */
import kafkajs, { type KafkaConfig } from 'kafkajs'
import type { KafkaConnection } from '../config/kafka-connection.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../std/clock.js'
import { KafkaCluster } from './kafka-cluster.js'
import { COMPRESSION, registerCodecs } from './kafka-codecs.js'
import { PlainSender } from './kafka-plain.js'
import { createRetry, type Retry } from './kafka-retry.js'
import { KafkaSink, type OutputMessage } from './kafka-sink.js'
import type { AddressedMessage } from './kafka-writer.js'

// A CommonJS module whose names Node can not see from outside.
const { Kafka: Client } = kafkajs

export interface KafkaEventsOptions {
  connection: KafkaConnection
  topics: readonly string[]
  compression: keyof typeof COMPRESSION
  maxBatchBytes: number
  logger: Log
  clock: Clock
}

/** How long write() tries. */
const PATIENCE_MS = 10_000

export class KafkaEvents {
  readonly #cluster: KafkaCluster
  readonly #sender: PlainSender
  readonly #maxBatchBytes: number
  readonly #retryFor: (signal: AbortSignal) => Retry
  #retry: Retry

  private constructor({ connection, compression, maxBatchBytes, logger, clock }: KafkaEventsOptions) {
    const kafka = new Client({ ...connection, retry: { ...connection.retry, initialRetryTime: 10 } } as KafkaConfig)
    this.#cluster = new KafkaCluster(kafka)
    this.#maxBatchBytes = maxBatchBytes
    this.#retryFor = signal => createRetry({ logger, clock, signal, refresh: () => this.#cluster.look() })
    this.#retry = this.#retryFor(new AbortController().signal)
    this.#sender = new PlainSender({
      kafka,
      compression: COMPRESSION[compression],
      leaderOf: (topic, partition) => this.#cluster.leaderOf(topic, partition),
      retry: (doing, attempt) => this.#retry(doing, attempt),
    })
  }

  /** KAFKA_TOPIC: one of the topics is not there. */
  static async open(options: KafkaEventsOptions): Promise<KafkaEvents> {
    registerCodecs()
    const events = new KafkaEvents(options)
    try {
      for (const topic of options.topics)
        await events.#retry(`looking for topic ${topic}`, () => events.#cluster.look([topic]))
      return events
    } catch (error) {
      await events.close()
      throw error
    }
  }

  partitionsOf(topic: string): number {
    return this.#cluster.partitionsOf(topic)
  }

  /** In the order given, within each partition; one call at a time. */
  async write(messages: readonly AddressedMessage[]): Promise<void> {
    const sinks = new Map<string, KafkaSink<OutputMessage>>()
    for (const message of messages) {
      const { topic } = message
      const output = { topic, onePartition: false, toMessage: (one: OutputMessage) => one }
      const sink = sinks.get(topic) ?? new KafkaSink(output, this.partitionsOf(topic), this.#maxBatchBytes)
      sinks.set(topic, sink)
      sink.append(message)
    }
    this.#retry = this.#retryFor(AbortSignal.timeout(PATIENCE_MS))
    await this.#sender.send([...sinks.values()].map(sink => sink.take()).filter(taken => taken !== undefined))
  }

  async close(): Promise<void> {
    await this.#sender.close()
    await this.#cluster.close()
  }
}
