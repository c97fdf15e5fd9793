/**
 * Events from Kafka topics as a source; contract in source.ts. Partitions are the "topic/number" of all topics, those
 * known from a checkpoint first and in its order, then by topic and number; partitions added while running come behind.
 *
 * Life: join() enters the group and resolves when this instance is the active one (until then it stands by); then the
 * caller restores its state, says with resume() where that state stands, and open() begins to read. open() joins by
 * itself if need be. Instances of one group never share partitions: kafka-assigner.ts.
 *
 * Order: merge.ts. What the clock decides there is handed to onDecision before any record that depends on it; after a
 * crash resume() gives the decisions back, and until `until` is reached the clock has no say.
 *
 * Flow: the consumer only moves messages into the lanes and pauses those that are full; next() decodes and merges. So
 * heartbeats and fetches go on while the caller learns. Offsets are not committed here: they belong into the
 * transaction of what was made of the records.
 *
 * Errors, from join, open and next: KAFKA_REFUSED, KAFKA_TOPIC, KAFKA_OFFSET_LOST, KAFKA_FENCED (another instance got
 * the partitions), REGISTRY_FAILED. Brokers that can not be reached are waited for, with a line in the log.
 */
import type { KafkaConnection } from '../config/kafka-connection.js'
import { parsePlace } from '../config/topic-place.js'
import { MillraceError } from '../domain/errors.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../std/clock.js'
import { GroupConsumer, type Place } from './kafka-consumer.js'
import type { KafkaLane } from './kafka-lane.js'
import { byPlace, KafkaLanes, orderNames } from './kafka-lanes.js'
import { findStarts, lostOffset } from './kafka-starts.js'
import { KafkaTopics } from './kafka-topics.js'
import { SchemaVerdicts } from './kafka-verdicts.js'
import type { FetchedMessage } from './kept-messages.js'
import { ReadingOrder } from './reading-order.js'
import { knownNames, type Resume } from './repetition.js'
import { Signal } from './signal.js'
import type { MergeDecision, MessageDecoder, Source, SourceRecord, UnknownSchema } from './source.js'

export interface KafkaSourceOptions {
  /** kafkaConnection(config.kafka, …) */
  connection: KafkaConnection
  /** config.source.kafka */
  topics: readonly string[]
  group: string
  from: string
  idleTimeout: number
  sessionTimeout: number
  onLostOffset: 'fail' | 'jump'
  /** config.join.maxFuture */
  maxFuture: number
  decoder: MessageDecoder
  logger: Log
  clock: Clock
  /** What the clock decided; belongs into the journal. */
  onDecision?(decision: MergeDecision): void
  /** A record is rejected because the registry does not know its schema; belongs into the journal. */
  onUnknownSchema?(unknown: UnknownSchema): void
  /** Begin at `from`, whatever the group has committed. */
  anew?: boolean
  /** This instance reads, or another one does. */
  onRole?(role: KafkaRole): void
  /** Finite: a place as in config.source.kafka.until; the clock then has no say in the order. Absent: for ever. */
  until?: string
  /** How long next() waits for records. */
  waitMs?: number
  /** How long a broker may hold a fetch that has nothing. */
  maxWaitMs?: number
  /** Topics and partitions added while running are found after so long. */
  metadataAgeMs?: number
  /** A partition's buffer holds at most so many messages, and what one more fetch brings. */
  laneMessages?: number
  /** All buffers together. */
  bufferBytes?: number
}

export type KafkaRole = 'active' | 'standby'

export interface KafkaLag {
  topic: string
  /** Its number. */
  partition: number
  /** Records in the log that were not delivered. */
  records: number
  /** The next to be delivered. */
  nextOffset: bigint
  idle: boolean
}

const BATCH_RECORDS = 1024
/** Following recorded decisions without a record for so long, though all is there: they do not fit. */
const PATIENCE_MS = 10_000

export class KafkaSource implements Source {
  readonly #options: KafkaSourceOptions
  readonly #topics: KafkaTopics
  readonly #consumer: GroupConsumer
  readonly #signal = new Signal()
  readonly #lanes: KafkaLanes
  readonly #verdicts: SchemaVerdicts
  #order: ReadingOrder<KafkaLane> | undefined
  #assigned: Place[] = []
  #role: KafkaRole = 'standby'
  #sinceMs: number
  #isJoined = false
  #isOpen = false
  #isClosed = false
  #fault: MillraceError | undefined
  #resume: Resume | undefined
  /** See passed(). */
  #told: bigint[] | undefined
  #topicTimer: NodeJS.Timeout | undefined
  /** Time during which brokers answered fetches: silence of a broker is not silence of a partition. */
  #listenedMs = 0
  #answeredMs = Number.NaN
  #tookMs = 0
  #read = 0
  #toRead = 0

  constructor(options: KafkaSourceOptions) {
    this.#options = options
    const { connection, logger, clock, group, sessionTimeout, maxWaitMs = 100, metadataAgeMs = 30_000 } = options
    const { decoder, laneMessages = 20_000, bufferBytes = 1 << 26 } = options
    this.#verdicts = new SchemaVerdicts(decoder, unknown => options.onUnknownSchema?.(unknown))
    this.#lanes = new KafkaLanes(this.#verdicts, { messages: laneMessages, bytes: bufferBytes })
    this.#sinceMs = clock.nowMs()
    this.#topics = new KafkaTopics(connection, logger)
    this.#consumer = new GroupConsumer(
      {
        connection,
        group,
        sessionTimeoutMs: sessionTimeout,
        maxWaitMs,
        metadataAgeMs,
        role: () => ({ active: this.#role === 'active', sinceMs: this.#sinceMs }),
        topics: () => this.#topics.list(options.topics),
        logger,
        clock,
      },
      {
        onAssigned: places => this.#onAssigned(places),
        onMessages: (place, messages, lastOffset, highWatermark) => {
          const lane = this.#lanes.at(place)
          if (lane !== undefined && this.#isOpen) this.#onMessages(lane, messages, lastOffset, highWatermark)
        },
        onAnswer: () => this.#onAnswer(),
        onOffsetLost: place => {
          const lane = this.#lanes.at(place)
          if (lane !== undefined) lane.isLost = true
        },
        onFault: fault => this.#fail(fault),
      },
    )
  }

  /** Known from open() on; grows when partitions are added. */
  get partitions(): readonly string[] {
    return this.#lanes.all.map(({ name }) => name)
  }

  /** Next offset of each partition: where open() began, and how far next() has come. */
  get nextOffsets(): readonly bigint[] {
    return this.#lanes.all.map(({ nextOffset }) => nextOffset)
  }

  get role(): KafkaRole {
    return this.#role
  }

  /** How often the group was joined and the consumer started anew. */
  get joins(): number {
    return this.#consumer.joins
  }

  get restarts(): number {
    return this.#consumer.restarts
  }

  /** Since a broker answered last. */
  get silentMs(): number {
    return this.#consumer.silentMs
  }

  /** Enters the group; resolves when this instance is to read. */
  async join(stop?: AbortSignal): Promise<void> {
    if (this.#isJoined) return
    this.#isJoined = true
    const { logger, group } = this.#options
    const stopped = () => this.#signal.notify()
    stop?.addEventListener('abort', stopped)
    this.#consumer.start()
    let isSaid = false
    while (this.#role === 'standby' && this.#isLive && stop?.aborted !== true) {
      await this.#signal.wait(1000)
      if (this.#role === 'standby' && this.#consumer.joins > 0 && !isSaid) {
        isSaid = true
        logger.info({ group }, 'another instance reads: standing by')
      }
    }
    stop?.removeEventListener('abort', stopped)
    this.#throwFault()
  }

  /** What the group has committed, by name of the partition; after join(). */
  async committed(): Promise<Map<string, bigint>> {
    const topics = [...new Set(this.#assigned.map(({ topic }) => topic))]
    return this.#topics.committed(this.#options.group, topics)
  }

  /** Before open(): where the restored state stands. */
  resume(resume: Resume): void {
    this.#resume = resume
  }

  async open(offsets: readonly bigint[]): Promise<void> {
    await this.join()
    if (this.#isClosed) return
    const { maxFuture, idleTimeout, onDecision, onLostOffset, from, until, anew, logger } = this.#options
    const resume = this.#resume
    const isAnew = resume !== undefined || anew === true
    const known = resume === undefined ? [] : knownNames(resume)
    const names = orderNames(this.#assigned, known)
    const starts = await findStarts(this.#topics, {
      names,
      offsets,
      from: (resume === undefined ? parsePlace(from) : undefined) ?? 'earliest',
      committed: offsets.length < names.length && !isAnew ? await this.committed() : new Map(),
      onLostOffset,
      until: until === undefined ? undefined : parsePlace(until),
      logger,
    })
    for (const { offset, high, end, ...place } of starts) {
      const lane = this.#lanes.add(place, offset)
      lane.highWatermark = high
      if (until === undefined) continue
      lane.endOffset = end
      if (end > offset) this.#toRead += Number(end - offset)
    }
    this.#order = new ReadingOrder({
      lanes: this.#lanes.all,
      maxFutureMs: maxFuture,
      idleMs: idleTimeout,
      onDecision: decision => onDecision?.(decision),
      resume,
      lost: places =>
        new MillraceError(
          'KAFKA_OFFSET_LOST',
          `the topics do not hold what was recorded of them up to ${places}, maybe they were compacted`,
        ),
      logger,
    })
    if (resume !== undefined) this.#verdicts.follow(resume.unknown ?? [], resume.until)
    this.#order.joinLate()
    this.#isOpen = true
    this.#addMissing()
    this.#goOn()
    if (until !== undefined) return
    this.#topicTimer = setInterval(() => void this.#lookForTopics(), this.#options.metadataAgeMs ?? 30_000)
    this.#topicTimer.unref()
  }

  async next(): Promise<SourceRecord[] | undefined> {
    const { waitMs = 200, clock, until } = this.#options
    const startedMs = clock.monotonicMs()
    const batch: SourceRecord[] = []
    if (this.#order?.isRepeated === true) {
      if (this.#order.thenEnd) return undefined
      this.#verdicts.goLive()
      this.#order.goLive()
      this.#told = undefined
    }
    while (this.#isLive) {
      this.#take(batch)
      this.#resumeDrained()
      if (batch.length > 0 || this.#order?.isRepeated === true || this.#isMissing) {
        this.#tookMs = this.#listenedMs
        if (this.following || this.#order?.isRepeated === true)
          this.#told = this.#lanes.all.map(lane => this.#passedOf(lane))
        return batch
      }
      if (this.#isStuck) this.#order?.giveUp()
      if (this.#lanes.ended) return undefined
      const leftMs = startedMs + waitMs - clock.monotonicMs()
      if (leftMs <= 0 && until === undefined) return []
      await this.#signal.wait(until === undefined ? leftMs : 1000)
    }
    this.#throwFault()
    return undefined
  }

  /** Of a finite reading. */
  progress(): number | undefined {
    if (this.#options.until === undefined) return undefined
    return this.#lanes.ended ? 1 : Math.min(this.#read / Math.max(this.#toRead, 1), 1)
  }

  lag(): KafkaLag[] {
    return this.#lanes.all.map(({ topic, number, lag, nextOffset }, index) => ({
      topic,
      partition: number,
      records: lag,
      nextOffset,
      idle: this.#order?.isIdle(index) ?? false,
    }))
  }

  /** Which partitions are idle, as decisions; part of a checkpoint: see Resume. */
  standing(): MergeDecision[] {
    return this.#order?.standing() ?? []
  }

  /** Rejected for an unknown schema, and not given yet; part of a checkpoint: see Resume. */
  unknownAhead(): UnknownSchema[] {
    return this.#verdicts.ahead()
  }

  /** Whether the records given so far, or the next ones, are a repetition. */
  get following(): boolean {
    return this.#order?.following === true
  }

  passed(): bigint[] | undefined {
    return this.#told
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#topicTimer)
    this.#signal.notify()
    await this.#consumer.close()
    await this.#topics.close()
  }

  get #isLive(): boolean {
    return !this.#isClosed && this.#fault === undefined
  }

  #throwFault(): void {
    if (this.#fault !== undefined && !this.#isClosed) throw this.#fault
  }

  #fail(fault: MillraceError): void {
    this.#fault ??= fault
    this.#signal.notify()
  }

  #take(batch: SourceRecord[]): void {
    const order = this.#order
    if (order === undefined) return
    while (batch.length < BATCH_RECORDS) {
      // The caller must know which records are missing before it takes what comes behind them: see passed().
      if (this.#isMissing) return
      const lane = order.next(this.#options.until === undefined ? this.#listenedMs : undefined)
      if (lane === undefined) return
      batch.push(lane.take())
      this.#read++
    }
  }

  /** Of what is repeated: the offset before which no record is left to be taken. */
  #passedOf({ index, passed }: KafkaLane): bigint {
    const until = this.#resume?.until[index] ?? 0n
    return passed < until ? passed : until
  }

  /** Records that were read once are not there any more, and the caller was not told yet. */
  get #isMissing(): boolean {
    if (!this.following) return false
    return this.#lanes.all.some(lane => {
      const passed = this.#passedOf(lane)
      return passed > lane.nextOffset && passed > (this.#told?.[lane.index] ?? 0n)
    })
  }

  /** The log was read to its end and what was recorded does not lead on. */
  get #isStuck(): boolean {
    return this.#listenedMs - this.#tookMs >= PATIENCE_MS && !this.#lanes.all.some(({ behind }) => behind)
  }

  #onAssigned(places: readonly Place[]): { seek: (Place & { offset: bigint })[]; paused: Place[] } {
    const { logger, group, clock, onRole } = this.#options
    const role: KafkaRole = places.length > 0 ? 'active' : 'standby'
    const before = this.#role
    this.#assigned = [...places].sort(byPlace)
    if (role !== before) {
      this.#role = role
      this.#sinceMs = clock.nowMs()
      logger.info({ group, partitions: places.length }, role === 'active' ? 'this instance reads' : 'standing by')
      onRole?.(role)
    }
    if (before === 'active' && role === 'standby') {
      this.#fail(new MillraceError('KAFKA_FENCED', `another instance of group ${group} reads the topics now`))
    }
    this.#signal.notify()
    if (!this.#isOpen) return { seek: [], paused: this.#assigned }
    this.#addMissing()
    return {
      seek: this.#assigned.map(place => ({ ...place, offset: this.#lanes.at(place)?.fetchOffset ?? 0n })),
      paused: this.#assigned.filter(place => this.#lanes.at(place)?.paused),
    }
  }

  /** Partitions that were added while running; a finite reading has no use for them. */
  #addMissing(): void {
    if (this.#options.until !== undefined) return
    for (const place of this.#assigned) {
      if (this.#lanes.at(place) !== undefined) continue
      this.#options.logger.info({ ...place }, 'a partition was added')
      this.#lanes.add(place)
    }
    this.#order?.joinLate()
  }

  /** Begins to fetch what open() has prepared. */
  #goOn(): void {
    for (const place of this.#assigned) {
      const lane = this.#lanes.at(place)
      if (lane !== undefined) this.#consumer.seek(place, lane.fetchOffset)
    }
    this.#consumer.resume(this.#assigned)
  }

  #onMessages(lane: KafkaLane, messages: readonly FetchedMessage[], lastOffset: bigint, highWatermark: bigint): void {
    const [first] = messages
    if (lane.isLost && first !== undefined) {
      const to = BigInt(first.offset)
      lane.isLost = false
      // Otherwise the client only reads again what is here already.
      if (to > lane.fetchOffset || highWatermark < lane.fetchOffset) {
        const fault = lostOffset(lane.name, lane.fetchOffset, to, this.#options)
        if (fault !== undefined) {
          this.#fail(fault)
          return
        }
        lane.fetchOffset = to
      }
    }
    lane.highWatermark = highWatermark
    lane.push(messages, lastOffset).then(
      () => this.#signal.notify(),
      (error: unknown) => this.#failDecoding(error),
    )
    if (lane.isFull && !lane.paused) {
      lane.paused = true
      this.#consumer.pause([{ topic: lane.topic, partition: lane.number }])
    }
  }

  #failDecoding(error: unknown): void {
    if (this.#isClosed) return
    const isOurs = error instanceof MillraceError
    this.#fail(isOurs ? error : new MillraceError('INTERNAL', `preparing messages: ${(error as Error).message}`))
  }

  #onAnswer(): void {
    const { clock, maxWaitMs = 100 } = this.#options
    const nowMs = clock.monotonicMs()
    const sinceMs = nowMs - this.#answeredMs
    // A longer gap is an outage, or this thread was busy: nothing is known of that time.
    if (sinceMs > 0) this.#listenedMs += Math.min(sinceMs, 2 * maxWaitMs + 100)
    this.#answeredMs = nowMs
    this.#signal.notify()
  }

  #resumeDrained(): void {
    this.#consumer.resume(this.#lanes.takeDrained())
  }

  /** A pattern may match topics that were not there before. */
  async #lookForTopics(): Promise<void> {
    try {
      this.#consumer.resubscribe(await this.#topics.list(this.#options.topics))
      await this.#lookAhead()
    } catch (error) {
      // A topic that is gone for the moment is the consumer's matter; so are brokers that are.
      this.#options.logger.debug({ reason: (error as Error).message }, 'the list of topics could not be had')
    }
  }

  /** What is paused is not fetched, and its fetches do not say how far the log has grown meanwhile. */
  async #lookAhead(): Promise<void> {
    const paused = this.#lanes.all.filter(lane => lane.paused)
    for (const topic of new Set(paused.map(lane => lane.topic))) {
      const bounds = await this.#topics.bounds(topic)
      for (const lane of paused) {
        const high = lane.topic === topic ? bounds.get(lane.number)?.high : undefined
        if (high !== undefined && high > lane.highWatermark) lane.highWatermark = high
      }
    }
  }
}
