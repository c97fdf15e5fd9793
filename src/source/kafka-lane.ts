/**
 * One partition of a Kafka topic on its way to the merge: messages that were fetched and copied, whose schemas are then
 * prepared in order, and which are decoded when the merge looks at them. Bounded: when `isFull` the consumer pauses
 * the partition, when `hasRoom` it goes on.
 *
 * An offset is delivered once, whatever the consumer re-reads: what lies before `fetchOffset` is dropped.
 */
import type { Event } from '../domain/event.js'
import type { Outcome } from '../domain/outcome.js'
import type { SchemaVerdicts } from './kafka-verdicts.js'
import { type FetchedMessage, KeptMessages } from './kept-messages.js'
import type { MergeLane } from './merge.js'
import type { DecodedMessage, OriginalMessage, SourceRecord } from './source.js'

export interface LaneLimits {
  messages: number
  bytes: number
}

/** What a message costs beside its bytes. */
const MESSAGE_BYTES = 64

export class KafkaLane implements MergeLane {
  readonly name: string
  readonly topic: string
  readonly number: number
  readonly index: number
  /** Next offset to deliver. */
  nextOffset = 0n
  /** Next offset wanted from the broker. */
  fetchOffset = 0n
  highWatermark = 0n
  /** Finite reading: ends before this offset. */
  endOffset: bigint | undefined
  paused = false
  /** The broker said that the wanted offset is not there. */
  isLost = false
  readonly #verdicts: SchemaVerdicts
  readonly #limits: LaneLimits
  /** What can be taken, oldest first; the head is message #head of the first. */
  readonly #queue: KeptMessages[] = []
  #head = 0
  #length = 0
  /** Decoded already: the head and those behind it that were looked at. */
  readonly #decoded: SourceRecord[] = []
  /** The next to be decoded: which one of which of the queue. */
  #nextKept = 0
  #nextIndex = 0
  /** Fetched and not taken, prepared or not. */
  #messages = 0
  #bytes = 0
  #preparing: Promise<void> = Promise.resolve()

  constructor(place: { topic: string; number: number; index: number }, verdicts: SchemaVerdicts, limits: LaneLimits) {
    this.topic = place.topic
    this.number = place.number
    this.index = place.index
    this.name = `${place.topic}/${place.number}`
    this.#verdicts = verdicts
    this.#limits = limits
  }

  /** Before anything is pushed. */
  start(offset: bigint): void {
    this.nextOffset = offset
    this.fetchOffset = offset
  }

  get length(): number {
    return this.#length
  }

  get ended(): boolean {
    return this.endOffset !== undefined && this.fetchOffset >= this.endOffset && this.#messages === this.length
  }

  get behind(): boolean {
    return this.fetchOffset < this.highWatermark || this.#messages > this.length
  }

  get isFull(): boolean {
    return this.#messages >= this.#limits.messages || this.#bytes >= this.#limits.bytes
  }

  get hasRoom(): boolean {
    return this.#messages * 2 <= this.#limits.messages && this.#bytes * 2 <= this.#limits.bytes
  }

  /** Records in the log that were not delivered; what only transactions left there is not counted once it was passed. */
  get lag(): number {
    const behind = this.fetchOffset < this.highWatermark ? Number(this.highWatermark - this.fetchOffset) : 0
    return behind + this.#messages
  }

  /** The offset before which no record is left to be taken. */
  get passed(): bigint {
    if (this.#messages === 0 && this.fetchOffset > this.nextOffset) return this.fetchOffset
    return this.#queue[0]?.offset(this.#head) ?? this.nextOffset
  }

  isPast(offset: bigint): boolean {
    return this.passed >= offset
  }

  timeMs(ahead: number): number {
    while (this.#decoded.length <= ahead) this.#decodeNext()
    const { outcome } = this.#decoded[ahead] as SourceRecord
    return outcome.kind === 'ok' ? outcome.value.eventTimeMs : Number.NaN
  }

  /** The head; there must be one. */
  take(): SourceRecord {
    if (this.#decoded.length === 0) this.#decodeNext()
    const record = this.#decoded.shift() as SourceRecord
    this.nextOffset = record.offset + 1n
    const [kept] = this.#queue
    this.#bytes -= MESSAGE_BYTES + (kept?.bytes(this.#head) ?? 0)
    this.#messages--
    this.#length--
    this.#head++
    if (this.#head === kept?.count) {
      this.#queue.shift()
      this.#head = 0
      this.#nextKept--
    }
    return record
  }

  /**
   * Takes over messages in order of their offsets; resolves when they can be taken. lastOffset: how far the broker has
   * been read, with what is never delivered (markers of transactions, what compaction removed).
   */
  push(messages: readonly FetchedMessage[], lastOffset: bigint): Promise<void> {
    const wanted = messages.filter(({ offset }) => this.#isWanted(BigInt(offset)))
    if (lastOffset >= this.fetchOffset) this.fetchOffset = lastOffset + 1n
    if (wanted.length > 0) {
      const kept = new KeptMessages(wanted)
      this.#messages += kept.count
      for (let index = 0; index < kept.count; index++) this.#bytes += MESSAGE_BYTES + kept.bytes(index)
      this.#preparing = this.#preparing.then(async () => {
        await this.#verdicts.decoder.prepare(kept.wire())
        this.#queue.push(kept)
        this.#length += kept.count
      })
    }
    return this.#preparing
  }

  #isWanted(offset: bigint): boolean {
    return offset >= this.fetchOffset && (this.endOffset === undefined || offset < this.endOffset)
  }

  #decodeNext(): void {
    const kept = this.#queue[this.#nextKept] as KeptMessages
    const index = this.#nextIndex
    const offset = kept.offset(index)
    const decoded = this.#verdicts.decode(this, offset, kept.value(index), kept.headers(index))
    this.#decoded.push(new KafkaRecord(this.index, offset, decoded, kept, index))
    if (++this.#nextIndex < kept.count) return
    this.#nextKept++
    this.#nextIndex = 0
  }
}

/** Its message is put together when somebody asks for it: for dead letters, and what the clock holds. */
class KafkaRecord implements SourceRecord {
  readonly partition: number
  readonly offset: bigint
  readonly outcome: Outcome<Event>
  readonly data: Uint8Array
  readonly start: number
  readonly end: number
  readonly schema: string | undefined
  readonly #kept: KeptMessages
  readonly #index: number

  constructor(partition: number, offset: bigint, decoded: DecodedMessage, kept: KeptMessages, index: number) {
    const { outcome, bytes, bodyStart, schema } = decoded
    this.partition = partition
    this.offset = offset
    this.outcome = outcome
    this.data = bytes
    this.start = bodyStart
    this.end = bytes.length
    this.schema = schema
    this.#kept = kept
    this.#index = index
  }

  get original(): OriginalMessage {
    return this.#kept.original(this.#index)
  }
}
