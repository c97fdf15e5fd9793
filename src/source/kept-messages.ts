/**
 * Messages of one fetch, copied out of it: their bytes in one block, the rest in columns. Tens of thousands wait before
 * the merge; as objects of their own they would all be live for the garbage collector, so they become objects only when
 * they are looked at. (The client's own are views that would hold a whole fetch of all partitions in memory.)
 */
import type { OriginalMessage, WireHeaders, WireMessage } from './source.js'

/** A message of the client, whose bytes are views of its fetch buffer. */
export interface FetchedMessage {
  offset: string
  value: Buffer | null
  key: Buffer | null
  timestamp: string
  headers?: WireHeaders | undefined
}

const NO_HEADERS: WireHeaders = {}
/** Magic 0 and a schema id (decode/framing.ts). */
const HEAD_BYTES = 5
/** In ends: null instead of bytes. */
const NULL = -1

export class KeptMessages {
  readonly count: number
  readonly #offsets: BigInt64Array
  readonly #timesMs: Float64Array
  readonly #block: Buffer
  /** Where key and value of each begin; [count + 1, 2]. */
  readonly #starts: Int32Array
  /** Where they end, or NULL. [count, 2] */
  readonly #ends: Int32Array
  /** Absent: no message has any. */
  readonly #headers: WireHeaders[] | undefined

  constructor(messages: readonly FetchedMessage[]) {
    const count = messages.length
    this.count = count
    this.#offsets = new BigInt64Array(count)
    this.#timesMs = new Float64Array(count)
    this.#starts = new Int32Array(count * 2 + 2)
    this.#ends = new Int32Array(count * 2)
    let size = 0
    for (const { value, key } of messages) size += (value?.length ?? 0) + (key?.length ?? 0)
    this.#block = Buffer.allocUnsafeSlow(size)
    let at = 0
    const copy = (bytes: Buffer | null, column: number) => {
      this.#starts[column] = at
      if (bytes !== null) this.#block.set(bytes, at)
      at += bytes?.length ?? 0
      this.#ends[column] = bytes === null ? NULL : at
    }
    let headers: WireHeaders[] | undefined
    for (const [index, message] of messages.entries()) {
      this.#offsets[index] = BigInt(message.offset)
      this.#timesMs[index] = Number(message.timestamp)
      copy(message.key, index * 2)
      copy(message.value, index * 2 + 1)
      const own = copyHeaders(message.headers)
      if (own === undefined) continue
      headers ??= new Array<WireHeaders>(count).fill(NO_HEADERS)
      headers[index] = own
    }
    this.#starts[count * 2] = at
    this.#headers = headers
  }

  offset(index: number): bigint {
    return this.#offsets[index] ?? 0n
  }

  headers(index: number): WireHeaders {
    return this.#headers?.[index] ?? NO_HEADERS
  }

  key(index: number): Buffer | null {
    return this.#bytes(index * 2)
  }

  value(index: number): Buffer | null {
    return this.#bytes(index * 2 + 1)
  }

  /** Of key and value. */
  bytes(index: number): number {
    return (this.#starts[index * 2 + 2] ?? 0) - (this.#starts[index * 2] ?? 0)
  }

  /** The message around the body. */
  original(index: number): OriginalMessage {
    return {
      key: this.key(index),
      value: this.value(index),
      headers: this.headers(index),
      timestampMs: this.#timesMs[index] ?? 0,
    }
  }

  /**
   * For the decoder to find out which schemas are there, one after another. A message without headers that begins with magic
   * 0 and the schema id of the one before is left out: most do, and a view of each would cost more than to look.
   */
  *wire(): Iterable<WireMessage> {
    for (let index = 0; index < this.count; index++) {
      if (this.#beginsLikeLast(index)) continue
      yield { value: this.value(index), headers: this.headers(index) }
    }
  }

  #beginsLikeLast(index: number): boolean {
    if (index === 0 || this.#headers !== undefined) return false
    const start = this.#starts[index * 2 + 1] ?? 0
    const last = this.#starts[index * 2 - 1] ?? 0
    const isLong = (at: number, place: number) => (this.#ends[at * 2 + 1] ?? NULL) - place >= HEAD_BYTES
    if (!isLong(index, start) || !isLong(index - 1, last) || this.#block[start] !== 0) return false
    for (let i = 0; i < HEAD_BYTES; i++) if (this.#block[start + i] !== this.#block[last + i]) return false
    return true
  }

  #bytes(column: number): Buffer | null {
    const end = this.#ends[column] ?? NULL
    return end === NULL ? null : this.#block.subarray(this.#starts[column], end)
  }
}

function copyHeaders(headers: WireHeaders | undefined): WireHeaders | undefined {
  const names = Object.keys(headers ?? NO_HEADERS)
  if (headers === undefined || names.length === 0) return undefined
  return Object.fromEntries(
    names.map(name => {
      const value = headers[name]
      if (value === undefined) return [name, undefined]
      return [name, typeof value === 'string' || value instanceof Uint8Array ? copyOf(value) : value.map(copyOf)]
    }),
  )
}

const copyOf = (value: Uint8Array | string) => (typeof value === 'string' ? value : Buffer.from(value))
