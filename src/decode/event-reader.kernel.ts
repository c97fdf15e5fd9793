/**
 * Reads impressions, clicks, buys and ratings whose writer's schema is our own, as most are: one pass with its bounds
 * checked. It stands beside the general way (skim, then avsc) and gives up on everything out of the ordinary: damaged
 * bytes, blocks with sizes, numbers beyond 2^53. Then the general way decides, and says what is wrong; what is read here is what
 * avsc would read (test/property/event-reader.test.ts).
 */
import type { EventKind } from '../domain/event.js'
import { longText } from '../std/avro-long.js'
import { SkimCursor } from './skim.js'
import { TextCache } from './text-cache.kernel.js'
import type { EventRecord } from './to-event.js'

/** In the order of their schemas: what comes between the request and the context. */
const MIDDLES: Partial<Record<EventKind, 'position' | 'value' | 'nothing'>> = {
  impression: 'position',
  click: 'nothing',
  buy: 'value',
  rating: 'value',
}
const MAX_LONG_BYTES = 10
/** The cursor's longs are exact below this. */
const EXACT = 2 ** 52

export class EventReader {
  readonly #middle: 'position' | 'value' | 'nothing'
  /** Ids, and names and values of contexts come again and again; names of events do not. */
  readonly #texts = new TextCache()
  #cursor = new SkimCursor()
  /** Something is out of the ordinary. */
  #isOdd = false

  private constructor(middle: 'position' | 'value' | 'nothing') {
    this.#middle = middle
  }

  /** undefined: events of this kind are read in the general way only. */
  static of(kind: EventKind): EventReader | undefined {
    const middle = MIDDLES[kind]
    return middle === undefined ? undefined : new EventReader(middle)
  }

  /** Moves the cursor behind the record; undefined: it gave up, and the cursor is where it was. */
  read(cursor: SkimCursor): EventRecord | undefined {
    this.#cursor = cursor
    this.#isOdd = false
    const start = cursor.position
    const record = {
      eventId: this.#newText(),
      eventTime: this.#long(),
      user: this.#id(),
      item: this.#id(),
      requestId: this.#isNull() ? null : this.#newText(),
      position: this.#middle === 'position' && !this.#isNull() ? this.#long() : null,
      value: this.#middle === 'value' ? this.#double() : 0,
      context: this.#isNull() ? null : this.#context(),
    }
    if (!this.#isOdd) return record as unknown as EventRecord
    cursor.position = start
    return undefined
  }

  /** The branch of a union with null in front. */
  #isNull(): boolean {
    const branch = this.#byte()
    if (branch !== 0 && branch !== 2) this.#isOdd = true
    return branch === 0
  }

  #id(): string {
    const branch = this.#byte()
    if (branch === 0) return this.#text()
    if (branch !== 2) this.#isOdd = true
    const start = this.#cursor.position
    let byte = this.#byte()
    let value = byte & 127
    for (let shift = 7; byte > 127 && shift < 28; shift += 7) {
      byte = this.#byte()
      value |= (byte & 127) << shift
    }
    if (byte < 128) return String((value >>> 1) ^ -(value & 1))
    while (byte > 127 && !this.#isOdd && this.#cursor.position - start < MAX_LONG_BYTES) byte = this.#byte()
    if (byte > 127) this.#isOdd = true
    return longText(this.#cursor.buffer.subarray(start, this.#cursor.position))
  }

  #context(): Record<string, string> {
    const context: Record<string, string> = {}
    let count = this.#long()
    while (count > 0 && !this.#isOdd) {
      for (; count > 0 && !this.#isOdd; count--) {
        const name = this.#text()
        context[name] = this.#text()
      }
      count = this.#long()
    }
    if (count !== 0) this.#isOdd = true
    return context
  }

  #text(): string {
    const end = this.#end()
    const { buffer, position } = this.#cursor
    this.#cursor.position = end
    return this.#texts.of(buffer as Buffer, position, end)
  }

  #newText(): string {
    const end = this.#end()
    const { buffer, position } = this.#cursor
    this.#cursor.position = end
    return (buffer as Buffer).toString('utf8', position, end)
  }

  /** Where the text ends whose length comes next. */
  #end(): number {
    const length = this.#long()
    const { position, limit } = this.#cursor
    if (length >= 0 && length <= limit - position) return position + length
    this.#isOdd = true
    return position
  }

  #double(): number {
    const { buffer, position } = this.#cursor
    if (this.#cursor.skip(8)) return (buffer as Buffer).readDoubleLE(position)
    this.#isOdd = true
    return 0
  }

  #long(): number {
    const value = this.#cursor.long()
    if (!(value >= -EXACT && value < EXACT)) this.#isOdd = true
    return value
  }

  /** 0 behind the end, which ends every loop over bytes. */
  #byte(): number {
    const cursor = this.#cursor
    if (cursor.position < cursor.limit) return cursor.buffer[cursor.position++]!
    this.#isOdd = true
    return 0
  }
}
