/**
 * Delivery to Kafka topics. exactly-once: everything of a commit, and the offsets, in one transaction. at-least-once:
 * messages are sent plainly, again until each is acknowledged, and then the offsets are committed, in a small transaction
 * of their own, so that an instance that has been replaced can not move them.
 *
 * open() connects, waits for the brokers if need be, and checks the topics; it disturbs nobody. recover() takes over: see
 * kafka-transactions.ts for what that means. Between the two an instance stands by, with the journal's reader ready.
 *
 * The number of partitions of each output is that of open(): keys keep their partitions as long as this runs.
 */
import kafkajs, { type Admin, type Kafka, type KafkaConfig } from 'kafkajs'
import type { KafkaConnection } from '../config/kafka-connection.js'
import { MillraceError } from '../domain/errors.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../std/clock.js'
import { type ConsumedPartition, type Delivery, OUTPUT_NAMES, type Outputs, type Recovered } from './delivery.js'
import { createDiscardSink } from './discard.js'
import { KafkaCluster } from './kafka-cluster.js'
import { COMPRESSION, registerCodecs } from './kafka-codecs.js'
import { listenForCoordinatorErrors } from './kafka-coordinator-errors.js'
import { KafkaJournalReader } from './kafka-journal.js'
import { GroupOffsets } from './kafka-offsets.js'
import type { KafkaOutputs } from './kafka-outputs.js'
import { PlainSender } from './kafka-plain.js'
import type { TopicContent } from './kafka-requests.js'
import { createRetry, type Retry, type RetryReason } from './kafka-retry.js'
import { type KafkaOutput, KafkaSink } from './kafka-sink.js'
import { KafkaTransactions, type TransactionResult } from './kafka-transactions.js'
import type { JournalRecord } from './output-records.js'
import type { Sink } from './sink.js'

// A CommonJS module whose names Node can not see from outside.
const { Kafka: Client } = kafkajs

export interface KafkaDeliveryOptions {
  connection: KafkaConnection
  /** Whose offsets are committed. */
  groupId: string
  transactionalId: string
  /** Unlike any other instance's, also an earlier one's of this machine; no spaces. */
  instance: string
  delivery: 'exactly-once' | 'at-least-once'
  compression: keyof typeof COMPRESSION
  /** Batches are at most so large; a single message may be larger, if the topic takes it. */
  maxMessageBytes: number
  outputs: KafkaOutputs
  /** A journal entry from the value of its message. */
  decodeJournal(value: Buffer): JournalRecord
  logger: Log
  clock: Clock
  /** For metrics. A commit that was repeated counts once. */
  onCommit?(commit: { messages: number; bytes: number; durationMs: number }): void
  /** For metrics: something failed and is tried again. */
  onFault?(message: string, reason: RetryReason): void
  /** For metrics: a transaction ended. */
  onTransaction?(result: TransactionResult): void
}

interface Parts {
  kafka: Kafka
  cluster: KafkaCluster
  retry: Retry
  ending: AbortController
  sinks: KafkaSink<never>[]
  outputs: Outputs
}

export class KafkaDelivery implements Delivery {
  readonly outputs: Outputs
  readonly #options: KafkaDeliveryOptions
  readonly #parts: Parts
  readonly #offsets: GroupOffsets
  readonly #transactions: KafkaTransactions
  readonly #plain: PlainSender | undefined
  #journal: KafkaJournalReader | undefined
  #commits: Promise<void> = Promise.resolve()
  #lastOffsets: string | undefined
  #isActive = false

  private constructor(options: KafkaDeliveryOptions, parts: Parts) {
    this.#options = options
    this.#parts = parts
    this.outputs = parts.outputs
    const { kafka, cluster, retry } = parts
    const withAdmin = <T>(use: (admin: Admin) => Promise<T>) => cluster.withAdmin(use)
    this.#offsets = new GroupOffsets({
      groupId: options.groupId,
      instance: options.instance,
      journalTopic: options.outputs.journal.topic,
      withAdmin,
    })
    const sending = {
      kafka,
      compression: COMPRESSION[options.compression],
      leaderOf: (topic: string, partition: number) => cluster.leaderOf(topic, partition),
      retry,
    }
    const { transactionalId, clock, delivery } = options
    this.#transactions = new KafkaTransactions({
      ...sending,
      transactionalId,
      offsets: this.#offsets,
      clock,
      onTransaction: result => options.onTransaction?.(result),
    })
    this.#plain = delivery === 'at-least-once' ? new PlainSender(sending) : undefined
  }

  /** Waits until the brokers are there. KAFKA_TOPIC, KAFKA_REFUSED; KAFKA_UNREACHABLE once `stop` is aborted. */
  static async open(options: KafkaDeliveryOptions, stop?: AbortSignal): Promise<KafkaDelivery> {
    registerCodecs()
    const { connection, logger, clock, onFault } = options
    const heard = listenForCoordinatorErrors(connection)
    // The first wait of the client's own retries: it asks again while a transaction is being finished.
    const client = { ...heard.connection, retry: { ...connection.retry, initialRetryTime: 10 } }
    const kafka = new Client(client as KafkaConfig)
    const cluster = new KafkaCluster(kafka)
    const ending = new AbortController()
    const end = () => ending.abort()
    stop?.addEventListener('abort', end)
    if (stop?.aborted === true) end()
    const retry = createRetry({
      logger,
      clock,
      signal: ending.signal,
      refresh: () => cluster.look(),
      explain: heard.explain,
      ...(onFault === undefined ? {} : { onFault }),
    })
    try {
      const topics = OUTPUT_NAMES.map(name => options.outputs[name]?.topic).filter(topic => topic !== undefined)
      for (const topic of new Set(topics)) {
        await retry(`looking for topic ${topic} at ${connection.brokers.join(', ')}`, () => cluster.look([topic]))
      }
      const sinks: KafkaSink<never>[] = []
      const outputs = createSinks(options.outputs, cluster, options.maxMessageBytes, sinks)
      const delivery = new KafkaDelivery(options, { kafka, cluster, retry, ending, sinks, outputs })
      await delivery.#openJournal()
      return delivery
    } catch (error) {
      await cluster.close()
      throw error
    } finally {
      stop?.removeEventListener('abort', end)
    }
  }

  async recover(fromSeq: number): Promise<Recovered> {
    this.#isActive = false
    for (const sink of this.#parts.sinks) sink.take()
    await this.#transactions.takeOver()
    const offsets = await this.#parts.retry(`reading the offsets of group ${this.#options.groupId}`, () =>
      this.#offsets.read(),
    )
    const journal = await this.#parts.retry('reading the journal', () => this.#readJournal(fromSeq))
    // Says who commits now, so that an older instance that comes back knows.
    if (offsets.size > 0) {
      await this.#transactions.transact(
        [],
        [...offsets].map(([partition, next]) => ({ partition, next })),
      )
    }
    this.#lastOffsets = undefined
    this.#commits = Promise.resolve()
    this.#isActive = true
    return { offsets, journal }
  }

  commit(offsets: readonly ConsumedPartition[]): Promise<void> {
    const content = this.#parts.sinks.map(sink => sink.take()).filter(taken => taken !== undefined)
    this.#commits = this.#commits.then(() => this.#deliver(content, offsets))
    // Whoever commits hears of it; the next commit in line does too.
    this.#commits.catch(() => undefined)
    return this.#commits
  }

  async close(): Promise<void> {
    this.#isActive = false
    this.#parts.ending.abort()
    await this.#commits.catch(() => undefined)
    await this.#plain?.close()
    await this.#transactions.close()
    await this.#journal?.close()
    await this.#parts.cluster.close()
  }

  async #deliver(content: TopicContent[], offsets: readonly ConsumedPartition[]): Promise<void> {
    if (!this.#isActive) throw new MillraceError('INTERNAL', 'commit() before recover() or after close()')
    const { clock, onCommit } = this.#options
    const text = offsets.map(({ partition, next }) => `${partition}:${next}`).join()
    if (content.length === 0 && text === this.#lastOffsets) return
    const beganMs = clock.monotonicMs()
    if (this.#plain !== undefined) {
      await this.#plain.send(content)
      await this.#transactions.transact([], offsets)
    } else {
      await this.#transactions.transact(content, offsets)
    }
    this.#lastOffsets = text
    onCommit?.({ ...sizeOf(content), durationMs: clock.monotonicMs() - beganMs })
  }

  async #openJournal(): Promise<KafkaJournalReader> {
    const { kafka, cluster, retry } = this.#parts
    const { outputs, groupId, instance, decodeJournal } = this.#options
    const readers = `${groupId}-journal-${instance}`
    this.#journal ??= await retry(`joining group ${readers} to read the journal`, () =>
      KafkaJournalReader.open({
        kafka,
        topic: outputs.journal.topic,
        groupId: readers,
        decode: decodeJournal,
        withAdmin: use => cluster.withAdmin(use),
      }),
    )
    return this.#journal
  }

  /** The reader is used once: what it holds open is not needed while this instance writes. */
  async #readJournal(fromSeq: number): Promise<JournalRecord[]> {
    const reader = await this.#openJournal()
    try {
      return await reader.read(fromSeq)
    } finally {
      this.#journal = undefined
      await reader.close()
    }
  }
}

function createSinks(
  outputs: KafkaOutputs,
  cluster: KafkaCluster,
  maxBatchBytes: number,
  sinks: KafkaSink<never>[],
): Outputs {
  return {
    journal: sink(outputs.journal),
    predictions: sink(outputs.predictions),
    recommendations: sink(outputs.recommendations),
    metrics: sink(outputs.metrics),
    snapshots: sink(outputs.snapshots),
    deadLetters: sink(outputs.deadLetters),
  }

  function sink<T>(output: KafkaOutput<T> | undefined): Sink<T> {
    if (output === undefined) return createDiscardSink()
    const partitions = cluster.partitionsOf(output.topic)
    if (output.onePartition && partitions !== 1) {
      throw new MillraceError('KAFKA_TOPIC', `topic ${output.topic} has ${partitions} partitions, it must have one`)
    }
    const made = new KafkaSink(output, partitions, maxBatchBytes)
    sinks.push(made as KafkaSink<never>)
    return made
  }
}

function sizeOf(content: readonly TopicContent[]): { messages: number; bytes: number } {
  const batches = content.flatMap(one => one.batches).flat()
  return {
    messages: batches.reduce((sum, { count }) => sum + count, 0),
    bytes: batches.reduce((sum, { length }) => sum + length, 0),
  }
}
