/**
 * One consumer of a group, kept running: connected again and again while brokers can not be reached, replaced when it
 * crashes or falls silent, and subscribed anew when a pattern matches another topic. Only what can never succeed
 * (refused, a missing topic) is handed to onFault, after which it is closed.
 *
 * kafkajs heartbeats between fetches and whenever a batch was handed over, so the callbacks must return at once: they
 * run on the thread that heartbeats. onAssigned is called inside the join, before anything is fetched, and says where
 * each partition goes on; the client forgets its places at each join.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import kafkajs, { type Consumer, type EachBatchPayload, type KafkaConfig } from 'kafkajs'
import { type KafkaConnection, kafkaFault } from '../config/kafka-connection.js'
import { MillraceError } from '../domain/errors.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../std/clock.js'
import { createOneMemberAssigner, type MemberRole } from './kafka-assigner.js'
import type { FetchedMessage } from './kept-messages.js'

const { Kafka } = kafkajs

export interface Place {
  topic: string
  partition: number
}

export interface ConsumerCallbacks {
  /** The member's assignment; returns where to go on and what not to fetch yet. Called at each join. */
  onAssigned(partitions: readonly Place[]): { seek: (Place & { offset: bigint })[]; paused: Place[] }
  onMessages(place: Place, messages: readonly FetchedMessage[], lastOffset: bigint, highWatermark: bigint): void
  /** A broker answered a fetch, maybe with nothing. */
  onAnswer(): void
  /** The wanted offset is not in the log; the client goes on at its beginning. */
  onOffsetLost(place: Place): void
  /** Nothing more will come. */
  onFault(fault: MillraceError): void
}

export interface ConsumerOptions {
  connection: KafkaConnection
  group: string
  sessionTimeoutMs: number
  /** How long a broker may hold a fetch that has nothing; also how long closing waits. */
  maxWaitMs: number
  /** Partitions added while running are found after so long. */
  metadataAgeMs: number
  role(): MemberRole
  /** The topics to subscribe to; asked before each (re)start. */
  topics(): Promise<string[]>
  logger: Log
  clock: Clock
}

/**
 * Of one partition in one answer, at least one message. The client decodes an answer as a whole, into several objects a
 * message: smaller ones are gone again before the garbage collector has to keep them.
 */
const FETCH_BYTES = 1 << 18
/** Without any sign of life for so many session timeouts the consumer is replaced. */
const SILENT = 3
const FIRST_RETRY_MS = 200
const LAST_RETRY_MS = 5000

export class GroupConsumer {
  readonly #options: ConsumerOptions
  readonly #callbacks: ConsumerCallbacks
  #consumer: Consumer | undefined
  #watchdog: NodeJS.Timeout | undefined
  #aliveMs = 0
  #isStarting = false
  #isClosed = false
  #topics: string[] = []
  /** Why it stopped while starting. */
  #crash: unknown
  /** What a broker said last when it refused something: the client hides it behind "not found". */
  #refusal: string | undefined
  /** How often it was started anew, and how often the group was joined. */
  restarts = 0
  joins = 0

  constructor(options: ConsumerOptions, callbacks: ConsumerCallbacks) {
    this.#options = options
    this.#callbacks = callbacks
  }

  /** Returns at once; the callbacks tell the rest. */
  start(): void {
    const { sessionTimeoutMs } = this.#options
    this.#watchdog = setInterval(() => this.#watch(), sessionTimeoutMs / 2)
    this.#watchdog.unref()
    void this.#startUntilRunning()
  }

  /** Since a broker answered last. */
  get silentMs(): number {
    return this.#options.clock.monotonicMs() - this.#aliveMs
  }

  /** Topics have changed: subscribe anew if they have. */
  resubscribe(topics: readonly string[]): void {
    const isSame =
      topics.length === this.#topics.length && topics.every((topic, index) => topic === this.#topics[index])
    if (!isSame) this.#restart('the topics have changed')
  }

  pause(places: readonly Place[]): void {
    if (places.length > 0) this.#consumer?.pause(byTopic(places))
  }

  resume(places: readonly Place[]): void {
    if (places.length > 0) this.#consumer?.resume(byTopic(places))
  }

  seek(place: Place, offset: bigint): void {
    this.#consumer?.seek({ ...place, offset: String(offset) })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#watchdog)
    const consumer = this.#consumer
    this.#consumer = undefined
    if (consumer !== undefined) await leave(consumer, 5000)
  }

  #watch(): void {
    const { clock, sessionTimeoutMs } = this.#options
    if (this.#isStarting || clock.monotonicMs() - this.#aliveMs < SILENT * sessionTimeoutMs) return
    this.#restart('the consumer has fallen silent')
  }

  #restart(reason: string): void {
    if (this.#isClosed || this.#isStarting) return
    this.#options.logger.warn({ group: this.#options.group }, `${reason}: it is started anew`)
    const old = this.#consumer
    this.#consumer = undefined
    this.restarts++
    void this.#startUntilRunning(old)
  }

  async #startUntilRunning(old?: Consumer): Promise<void> {
    if (this.#isStarting) return
    this.#isStarting = true
    // A consumer that hangs must not hang its successor: it leaves when it can, or its session runs out.
    if (old !== undefined) await leave(old, 2000)
    for (let retryMs = FIRST_RETRY_MS; !this.#isClosed; retryMs = Math.min(2 * retryMs, LAST_RETRY_MS)) {
      try {
        await this.#startOnce()
        break
      } catch (error) {
        if (!this.#survives(error, 'connecting')) break
        await sleep(retryMs)
      }
    }
    this.#isStarting = false
  }

  /** Says what happened; false: it can not go on. */
  #survives(error: unknown, doing: string): boolean {
    const { logger, connection } = this.#options
    const fault = this.#refused(doing) ?? kafkaFault(error, doing)
    if (fault.code === 'KAFKA_UNREACHABLE') {
      logger.warn({ code: fault.code, brokers: connection.brokers }, `${fault.message}; trying again`)
      return true
    }
    this.#isClosed = true
    clearInterval(this.#watchdog)
    this.#callbacks.onFault(fault)
    return false
  }

  #refused(doing: string): MillraceError | undefined {
    if (this.#refusal === undefined) return undefined
    return new MillraceError('KAFKA_REFUSED', `${this.#refusal} (while ${doing})`)
  }

  async #startOnce(): Promise<void> {
    const { connection, group, sessionTimeoutMs, maxWaitMs, metadataAgeMs, role, topics, clock } = this.#options
    this.#topics = await topics()
    const client = new Kafka({ ...connection, logCreator: this.#logCreator() } as KafkaConfig)
    const consumer = client.consumer({
      groupId: group,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(2 * sessionTimeoutMs, 15_000),
      heartbeatInterval: Math.floor(Math.min(sessionTimeoutMs / 6, 1000)),
      maxWaitTimeInMs: maxWaitMs,
      maxBytesPerPartition: FETCH_BYTES,
      metadataMaxAge: metadataAgeMs,
      allowAutoTopicCreation: false,
      readUncommitted: false,
      partitionAssigners: [createOneMemberAssigner(role)],
      retry: { ...connection.retry, restartOnFailure: async () => false },
    })
    const isCurrent = () => this.#consumer === consumer
    this.#listen(consumer, isCurrent)
    try {
      await consumer.connect()
      await consumer.subscribe({ topics: this.#topics, fromBeginning: true })
      if (this.#isClosed) throw new Error('closed')
      this.#aliveMs = clock.monotonicMs()
      this.#consumer = consumer
      this.#crash = undefined
      await consumer.run({ autoCommit: false, eachBatch: payload => this.#eachBatch(payload, isCurrent) })
      if (this.#crash !== undefined) throw this.#crash
    } catch (error) {
      if (isCurrent()) this.#consumer = undefined
      await consumer.disconnect().catch(() => undefined)
      throw error
    }
  }

  #listen(consumer: Consumer, isCurrent: () => boolean): void {
    const { events } = consumer
    const { clock, logger, group } = this.#options
    const alive = () => {
      if (isCurrent()) this.#aliveMs = clock.monotonicMs()
    }
    consumer.on(events.HEARTBEAT, alive)
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      if (!isCurrent()) return
      alive()
      this.#refusal = undefined
      this.joins++
      const places = Object.entries(payload.memberAssignment).flatMap(([topic, partitions]) =>
        partitions.map(partition => ({ topic, partition })),
      )
      logger.debug({ group, partitions: places.length, leader: payload.isLeader }, 'joined the group')
      const { seek, paused } = this.#callbacks.onAssigned(places)
      this.pause(paused)
      for (const { offset, ...place } of seek) this.seek(place, offset)
    })
    consumer.on(events.REQUEST, ({ payload }) => {
      if (!isCurrent() || payload.apiName !== 'Fetch') return
      alive()
      this.#callbacks.onAnswer()
    })
    // Batches of which nothing is left for eachBatch: only markers of transactions, or aborted ones.
    consumer.on(events.END_BATCH_PROCESS, ({ payload }) => {
      if (!isCurrent()) return
      const { topic, partition, lastOffset, highWatermark } = payload
      this.#callbacks.onMessages({ topic, partition }, [], BigInt(lastOffset), BigInt(highWatermark))
    })
    consumer.on(events.CRASH, ({ payload }) => {
      if (!isCurrent()) return
      // While joining the group, run() waits for this and the start goes on trying.
      if (this.#isStarting) this.#crash = payload.error
      else if (this.#survives(payload.error, 'reading')) this.#restart('the consumer has stopped')
    })
  }

  async #eachBatch({ batch }: EachBatchPayload, isCurrent: () => boolean): Promise<void> {
    if (!isCurrent()) return
    const { topic, partition, messages, highWatermark } = batch
    this.#callbacks.onMessages(
      { topic, partition },
      messages as FetchedMessage[],
      BigInt(batch.lastOffset()),
      BigInt(highWatermark),
    )
  }

  /** What kafkajs only logs: that it goes on at the beginning of a partition by itself, and who refused it. */
  #logCreator(): KafkaConnection['logCreator'] {
    const write = this.#options.connection.logCreator()
    return () => entry => {
      const { message, topic, partition, error } = entry.log
      if (typeof error === 'string' && error.startsWith('Not authorized')) this.#refusal = error
      if (message.startsWith('Offset out of range, resetting') && typeof topic === 'string') {
        this.#callbacks.onOffsetLost({ topic, partition: Number(partition) })
      }
      write(entry)
    }
  }
}

/** Waits for it no longer than that. A timer that is left would keep the process for as long. */
async function leave(consumer: Consumer, patienceMs: number): Promise<void> {
  const left = new AbortController()
  const patience = sleep(patienceMs, undefined, { signal: left.signal }).catch(() => undefined)
  await Promise.race([consumer.disconnect().catch(() => undefined), patience])
  left.abort()
}

function byTopic(places: readonly Place[]): { topic: string; partitions: number[] }[] {
  const topics = new Map<string, number[]>()
  for (const { topic, partition } of places) {
    const partitions = topics.get(topic) ?? []
    partitions.push(partition)
    topics.set(topic, partitions)
  }
  return [...topics].map(([topic, partitions]) => ({ topic, partitions }))
}
