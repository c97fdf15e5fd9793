/**
 * One partition of a file log as a sequence of records: its segments in order, each record with its offset. The head is
 * the next record; advance() moves on within a block (synchronous, the hot path), refill() fetches the next block.
 * While a block is being consumed the next one is read and decompressed, so two blocks are in memory at most.
 *
 * The head's place in the merge of partitions is the earliest time among it and the few records behind it: a single
 * record from the far future would otherwise hold up its partition until all others had ended.
 *
 * Offsets: a segment starts at the number in its name (files without one: where the one before ended) and a block takes
 * as many as its header says, whether its records can be read or not; a damaged stretch takes what its header says or 1,
 * and never more than there are up to the next segment. So an offset names the same bytes however reading started.
 */
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '../domain/errors.js'
import type { Event } from '../domain/event.js'
import type { Outcome, RejectReason } from '../domain/outcome.js'
import { ContainerReader, type Damage, decompress, isCodec, type RawBlock } from './container.js'
import { SIGHT } from './merge.js'
import type { OrderedLane } from './repetition.js'
import type { DecoderFactory, RecordDecoder, SourceRecord } from './source.js'

/** Of a record without a time: it follows its predecessor at once. */
const AT_ONCE = Number.NEGATIVE_INFINITY

export interface PartitionOptions {
  name: string
  folder: string
  index: number
  follow: boolean
  decoderFor: DecoderFactory
  /** How many bytes of a damaged stretch are kept. */
  keepBytes: number
}

interface Segment {
  file: string
  /** From the name; undefined if it is not a number. */
  first: bigint | undefined
  bytes: number
}

interface Block {
  kind: 'block'
  file: string
  from: number
  offset: bigint
  count: number
  data: Buffer
  decoder: RecordDecoder
}

type Item = Block | { kind: 'reject'; record: SourceRecord } | 'wait' | 'end'

export class Partition implements OrderedLane {
  /** The next record. */
  head: SourceRecord | undefined
  /** Its place in the merge. */
  headTimeMs = 0
  /** Next offset to deliver. */
  #next = 0n
  /** The head and what is in sight behind it, with their times. */
  readonly #sight: SourceRecord[] = []
  readonly #times: number[] = []
  /** Nothing more is there, or not yet (follow). */
  #isDry = false
  readonly #options: PartitionOptions
  #segments: Segment[] = []
  /** Index of the open segment. */
  #current = -1
  #reader: ContainerReader | undefined
  #codec = ''
  #decoder: RecordDecoder | undefined
  /** First record that is wanted. */
  #from = 0n
  /** Offset of the next block. */
  #offset = 0n
  #ahead: Promise<Item> | undefined
  // The block that is being consumed.
  #block: Block | undefined
  #position = 0
  #index = 0

  constructor(options: PartitionOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.name
  }

  get index(): number {
    return this.#options.index
  }

  async open(from: bigint): Promise<void> {
    this.#from = from
    this.#next = from
    this.#segments = await listSegments(this.#options.folder)
    if (!this.#segments.every(segment => segment.first !== undefined)) return
    const start = this.#segments.findLastIndex(segment => (segment.first ?? 0n) <= from)
    const first = this.#segments[0]?.first
    if (start < 0 && first !== undefined && from > 0n) {
      const message = `${this.#options.folder}: reading should go on at ${from}, but the first record there is ${first}`
      throw new MillraceError('LOG_CORRUPT', message)
    }
    this.#current = Math.max(start, 0) - 1
  }

  /** Bytes behind us and in all. */
  progress(): { done: number; total: number } {
    let done = this.#reader?.position ?? 0
    let total = 0
    this.#segments.forEach((segment, index) => {
      total += segment.bytes
      if (index < this.#current || (index === this.#current && this.#reader === undefined)) done += segment.bytes
    })
    return { done: Math.min(done, total), total }
  }

  /** In sight. */
  get length(): number {
    return this.#sight.length
  }

  /** Nothing will come behind what is in sight. */
  get ended(): boolean {
    return this.#isDry && !this.#options.follow
  }

  /** The last look did not show everything that is there. */
  get behind(): boolean {
    return !this.#isDry
  }

  /** What lies in the log now is in sight; there may be more the next time that refill() looks. */
  get isDry(): boolean {
    return this.#isDry
  }

  isPast(offset: bigint): boolean {
    return this.#next >= offset || (this.head !== undefined && this.head.offset >= offset)
  }

  /** Of a record in sight; NaN: it has none. */
  timeMs(ahead: number): number {
    const timeMs = this.#times[ahead]
    return timeMs === undefined || timeMs === AT_ONCE ? Number.NaN : timeMs
  }

  /** refill() has to be called before the head may be used. */
  get needsRefill(): boolean {
    return this.head === undefined || (this.#block === undefined && this.#sight.length < SIGHT && !this.#isDry)
  }

  /** 'wait': nothing is there now (follow). 'end': nothing will come. */
  async refill(): Promise<'head' | 'wait' | 'end'> {
    this.#isDry = false
    while (this.#sight.length < SIGHT) {
      let item = await (this.#ahead ?? this.#pull())
      // That was while the block before it was being consumed.
      if (item === 'wait' && this.#ahead !== undefined) item = await this.#pull()
      this.#ahead = undefined
      if (item === 'wait' || item === 'end') {
        this.#isDry = true
        return this.head === undefined ? item : 'head'
      }
      this.#ahead = this.#pull()
      this.#ahead.catch(() => undefined) // thrown where it is awaited, if it is
      if (item.kind === 'block') {
        this.#block = item
        this.#position = 0
        this.#index = 0
      } else if (item.record.offset >= this.#from) {
        this.#see(item.record, AT_ONCE)
      }
      this.#look()
    }
    return 'head'
  }

  /** Makes the next record the head. */
  advance(): void {
    const taken = this.#sight.shift()
    if (taken !== undefined) this.#next = taken.offset + 1n
    this.#times.shift()
    this.#look()
  }

  /** Takes records from the block until enough are in sight, and says where the head belongs. */
  #look(): void {
    while (this.#block !== undefined && this.#sight.length < SIGHT) this.#take(this.#block)
    this.head = this.#sight[0]
    let earliest = this.#times[0] ?? AT_ONCE
    for (const timeMs of this.#times) if (timeMs !== AT_ONCE && timeMs < earliest) earliest = timeMs
    this.headTimeMs = earliest
  }

  #see(record: SourceRecord, timeMs: number): void {
    this.#sight.push(record)
    this.#times.push(timeMs)
  }

  async close(): Promise<void> {
    await this.#ahead?.catch(() => undefined)
    this.#ahead = undefined
    this.#block = undefined
    await this.#closeSegment()
  }

  #take(block: Block): void {
    const { data, decoder, count } = block
    const start = this.#position
    const isLast = this.#index === count - 1
    const offset = block.offset + BigInt(this.#index)
    if (count === 0 || start >= data.length) {
      this.#block = undefined
      if (count === 0 && data.length === 0) return
      const message = `the block says ${count} records and holds ${count === 0 ? 'some' : this.#index}`
      this.#rejectRest(block, offset, 'corrupt-block', message, start)
      return
    }
    const outcome = decoder.decode(data, start, data.length)
    const end = decoder.end
    if (end < 0 || (isLast && end < data.length)) {
      this.#block = undefined
      const known = outcome.kind === 'reject' && (isLast || outcome.reason === 'schema-incompatible')
      const message = outcome.kind === 'reject' ? outcome.message : `the block holds more than ${count} records`
      this.#rejectRest(block, offset, known ? outcome.reason : 'corrupt-block', message, start)
      return
    }
    this.#position = end
    this.#index++
    if (isLast) this.#block = undefined
    if (offset < this.#from) return
    const partition = this.#options.index
    if (outcome.kind === 'ok') {
      this.#see(
        { partition, offset, outcome, data, start: decoder.bodyStart, end, schema: decoder.schema },
        outcome.value.eventTimeMs,
      )
    } else {
      const bytes = Uint8Array.prototype.slice.call(data, decoder.bodyStart, end)
      this.#see(rejected(partition, offset, outcome, bytes, decoder.schema), AT_ONCE)
    }
  }

  /** One record for all that is left of a block. */
  #rejectRest(block: Block, offset: bigint, reason: RejectReason, message: string, start: number): void {
    if (offset < this.#from) return
    const bytes = Uint8Array.prototype.slice.call(block.data, start)
    message = `${block.file}, block at byte ${block.from}, from its data byte ${start} on: ${message}`
    const outcome = { kind: 'reject' as const, reason, message }
    this.#see(rejected(this.#options.index, offset, outcome, bytes, block.decoder.schema), AT_ONCE)
  }

  /** The next block that has wanted records, or damaged stretch. */
  async #pull(): Promise<Item> {
    for (;;) {
      if (this.#reader === undefined && !(await this.#openNext())) return this.#options.follow ? 'wait' : 'end'
      const reader = this.#reader as unknown as ContainerReader
      const final = !this.#options.follow || this.#current < this.#segments.length - 1
      const stretch = this.#decoder === undefined ? await this.#header(reader, final) : await reader.next(final)
      if (stretch === undefined) continue
      if (stretch === 'end' || stretch === 'more') {
        if (final) await this.#closeSegment()
        else if (!(await this.#relist())) return 'wait'
      } else if (stretch.kind === 'damage') {
        return { kind: 'reject', record: this.#damaged(stretch) }
      } else {
        const item = await this.#unpack(stretch)
        if (item !== undefined) return item
      }
    }
  }

  async #header(reader: ContainerReader, final: boolean): Promise<Damage | 'more' | 'end' | undefined> {
    const header = await reader.header(final)
    if (typeof header === 'string') return header
    if ('kind' in header) {
      await this.#closeSegment()
      return header
    }
    if (!isCodec(header.codec)) {
      const file = this.#segments[this.#current]?.file
      throw new MillraceError('LOG_CORRUPT', `${file}: codec '${header.codec}' is not null, deflate or snappy`)
    }
    this.#codec = header.codec
    this.#decoder = this.#options.decoderFor(header.schema)
    return undefined
  }

  async #unpack(raw: RawBlock): Promise<Item | undefined> {
    const before = this.#offset
    const count = this.#reserve(raw.count)
    // Data without an offset of its own (a damaged count) shares the one before it.
    const offset = count === 0 && before > 0n ? before - 1n : before
    const decoder = this.#decoder
    if (decoder === undefined || offset + BigInt(Math.max(count, 1)) <= this.#from) return undefined
    const { from, to } = raw
    const file = this.#segments[this.#current]?.file ?? ''
    const data = await decompress(raw.data, this.#codec)
    if (data !== undefined) return { kind: 'block', file, from, offset, count, data, decoder }
    const message = `${file}, bytes ${from} to ${to - 1}: the block's data is damaged; the last good byte is ${from - 1}`
    return { kind: 'reject', record: this.#corrupt(offset, raw.data.subarray(0, this.#options.keepBytes), message) }
  }

  #damaged(damage: Damage): SourceRecord {
    const offset = this.#offset
    this.#reserve(Math.max(damage.count ?? 1, 1))
    return this.#corrupt(offset, damage.bytes, damage.message)
  }

  #corrupt(offset: bigint, bytes: Uint8Array, message: string): SourceRecord {
    const outcome = { kind: 'reject' as const, reason: 'corrupt-block' as const, message }
    return rejected(this.#options.index, offset, outcome, bytes)
  }

  /** Gives the next `count` offsets away, or as many as there are up to the next segment. */
  #reserve(count: number): number {
    const next = this.#segments[this.#current + 1]?.first
    const room = next === undefined ? BigInt(count) : next - this.#offset
    const taken = room < BigInt(count) ? Math.max(Number(room), 0) : count
    this.#offset += BigInt(taken)
    return taken
  }

  async #openNext(): Promise<boolean> {
    if (this.#current >= this.#segments.length - 1 && !(this.#options.follow && (await this.#relist()))) return false
    const segment = this.#segments[this.#current + 1] as Segment
    try {
      this.#reader = new ContainerReader(segment.file, await open(segment.file), this.#options.keepBytes)
    } catch (cause) {
      throw new MillraceError('LOG_NOT_FOUND', `${segment.file}: ${(cause as Error).message}`, { cause })
    }
    this.#current++
    this.#offset = segment.first ?? this.#offset
    return true
  }

  async #closeSegment(): Promise<void> {
    const reader = this.#reader
    this.#reader = undefined
    this.#decoder = undefined
    await reader?.close()
  }

  /** Looks for segments behind the current one; true if there are any. */
  async #relist(): Promise<boolean> {
    const added = await listSegments(this.#options.folder, this.#segments[this.#current])
    this.#segments = [...this.#segments.slice(0, this.#current + 1), ...added]
    return added.length > 0
  }
}

/** The segments of a folder in order, or only those behind one. */
export async function listSegments(folder: string, after?: Segment): Promise<Segment[]> {
  const segments = (await readdir(folder))
    .filter(name => name.endsWith('.avro'))
    .map(name => {
      const first = /^\d+\.avro$/.test(name) ? BigInt(name.slice(0, -'.avro'.length)) : undefined
      return { file: join(folder, name), first, bytes: 0 }
    })
    .filter(segment => after === undefined || compareSegments(segment, after) > 0)
    .sort(compareSegments)
  for (const segment of segments) segment.bytes = (await stat(segment.file)).size
  return segments
}

function compareSegments(a: Segment, b: Segment): number {
  if (a.first !== undefined && b.first !== undefined && a.first !== b.first) return a.first < b.first ? -1 : 1
  return a.file < b.file ? -1 : a.file > b.file ? 1 : 0
}

function rejected(
  partition: number,
  offset: bigint,
  outcome: Outcome<Event>,
  data: Uint8Array,
  schema?: string,
): SourceRecord {
  return { partition, offset, outcome, data, start: 0, end: data.length, schema }
}
