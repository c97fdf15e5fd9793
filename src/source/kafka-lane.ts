/**
 * One partition of a Kafka topic on its way to the merge: messages that were fetched and copied, whose schemas are then
 * prepared in order, and which are decoded when the merge looks at them. Bounded: when `isFull` the consumer pauses
 * the partition, when `hasRoom` it goes on.
 *
 * An offset is delivered once, whatever the consumer re-reads: what lies before `fetchOffset` is dropped.
 */
import type { SchemaVerdicts } from './kafka-verdicts.js'
import type { MergeLane } from './merge.js'
import type { OriginalMessage, SourceRecord, WireHeaders } from './source.js'

/** A message of the client, whose bytes are views of its fetch buffer. */
export interface FetchedMessage {
  offset: string
  value: Buffer | null
  key: Buffer | null
  timestamp: string
  headers?: WireHeaders | undefined
}

interface KeptMessage extends OriginalMessage {
  offset: bigint
  value: Buffer | null
  key: Buffer | null
}

export interface LaneLimits {
  messages: number
  bytes: number
}

const COMPACT = 4096
const NO_HEADERS: WireHeaders = {}

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
  #queue: KeptMessage[] = []
  #head = 0
  /** Decoded already: the head and those behind it that were looked at. */
  readonly #decoded: SourceRecord[] = []
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
    return this.#queue.length - this.#head
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

  /** Whether no record before this offset is left to be taken. */
  isPast(offset: bigint): boolean {
    if (this.nextOffset >= offset) return true
    if (this.#messages === 0) return this.fetchOffset >= offset
    const head = this.#queue[this.#head]
    return head !== undefined && head.offset >= offset
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
    this.#bytes -= sizeOf(this.#queue[this.#head])
    this.#messages--
    this.#head++
    if (this.#head >= COMPACT && this.#head * 2 >= this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
    return record
  }

  /**
   * Takes over messages in order of their offsets; resolves when they can be taken. lastOffset: how far the broker has
   * been read, with what is never delivered (markers of transactions, what compaction removed).
   */
  push(messages: readonly FetchedMessage[], lastOffset: bigint): Promise<void> {
    const kept = this.#keep(messages)
    if (lastOffset >= this.fetchOffset) this.fetchOffset = lastOffset + 1n
    if (kept.length > 0) {
      this.#messages += kept.length
      for (const message of kept) this.#bytes += sizeOf(message)
      this.#preparing = this.#preparing.then(async () => {
        await this.#verdicts.decoder.prepare(kept)
        for (const message of kept) this.#queue.push(message)
      })
    }
    return this.#preparing
  }

  /** Copies what is wanted into one block: the views would hold a whole fetch of all partitions in memory. */
  #keep(messages: readonly FetchedMessage[]): KeptMessage[] {
    const wanted = messages.filter(({ offset }) => {
      const at = BigInt(offset)
      return at >= this.fetchOffset && (this.endOffset === undefined || at < this.endOffset)
    })
    let size = 0
    for (const { value, key } of wanted) size += (value?.length ?? 0) + (key?.length ?? 0)
    const block = Buffer.allocUnsafeSlow(size)
    let at = 0
    const copy = (bytes: Buffer | null): Buffer | null => {
      if (bytes === null) return null
      const start = at
      at += bytes.copy(block, at)
      return block.subarray(start, at)
    }
    return wanted.map(({ offset, value, key, timestamp, headers }) => ({
      offset: BigInt(offset),
      value: copy(value),
      key: copy(key),
      timestampMs: Number(timestamp),
      headers: copyHeaders(headers),
    }))
  }

  #decodeNext(): void {
    const message = this.#queue[this.#head + this.#decoded.length] as KeptMessage
    const { offset, value, headers } = message
    const { outcome, bytes, bodyStart, schema } = this.#verdicts.decode(this, offset, value, headers)
    this.#decoded.push({
      partition: this.index,
      offset,
      outcome,
      data: bytes,
      start: bodyStart,
      end: bytes.length,
      schema,
      original: message,
    })
  }
}

function sizeOf(message: KeptMessage | undefined): number {
  return 64 + (message?.value?.length ?? 0) + (message?.key?.length ?? 0)
}

function copyHeaders(headers: WireHeaders | undefined): WireHeaders {
  if (headers === undefined) return NO_HEADERS
  const names = Object.keys(headers)
  if (names.length === 0) return NO_HEADERS
  return Object.fromEntries(
    names.map(name => {
      const value = headers[name]
      if (value === undefined) return [name, undefined]
      return [name, typeof value === 'string' || value instanceof Uint8Array ? copyOf(value) : value.map(copyOf)]
    }),
  )
}

const copyOf = (value: Uint8Array | string) => (typeof value === 'string' ? value : Buffer.from(value))
