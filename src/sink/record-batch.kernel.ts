/**
 * The records of one batch for one partition, as the wire has them (message format 2, KIP-98), encoded one behind the
 * other where they are appended:
 *   length varint · attributes int8 · timestamp delta varlong · offset delta varint · key · value · headers
 * Key, value and header parts are length varint and bytes; all varints are zigzag. The batch's head (offsets, producer,
 * checksum) is made when it is sent. What is appended is copied; a batch is never changed once it was sent, so that
 * it can be sent again.
 */
export interface RecordContent {
  key?: Buffer | string | null
  value: Buffer | string | null
  /** Of value, if it is not all of it. */
  valueBytes?: number
  headers?: Readonly<Record<string, HeaderValue | HeaderValue[] | undefined>>
  /** Milliseconds as text; absent: the time of sending. */
  timestamp?: string
}

type HeaderValue = Buffer | string

const FIRST_BYTES = 4096
const FEW_BYTES = 256
/** Varints and attributes of a record: 5 + 1 + 10 + 5 + 5 + 5 + 5. */
const AROUND = 36

export class RecordBatch {
  readonly partition: number
  /** Records. */
  count = 0
  /** Of all of them; undefined: no record has a time of its own. */
  firstMs: number | undefined
  latestMs: number | undefined
  #buffer = Buffer.allocUnsafeSlow(FIRST_BYTES)
  #end = 0

  constructor(partition: number) {
    this.partition = partition
  }

  /** The records, encoded: a view, not a copy. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#end)
  }

  get length(): number {
    return this.#end
  }

  /** Times count from the first record's, and all of a batch have one or none has. */
  fits({ timestamp }: RecordContent): boolean {
    if (this.count === 0) return true
    if (timestamp === undefined || this.firstMs === undefined)
      return timestamp === undefined && this.firstMs === undefined
    const timeMs = Number(timestamp)
    return timeMs === this.firstMs || (this.firstMs >= 0 && timeMs >= this.firstMs)
  }

  append(content: RecordContent): void {
    const { key = null, value, headers, timestamp } = content
    const deltaMs = timestamp === undefined ? 0 : this.#advance(Number(timestamp))
    const keyBytes = byteLength(key)
    const valueBytes = content.valueBytes ?? byteLength(value)
    const names = headers === undefined ? NO_NAMES : Object.keys(headers)
    const headersBytes = names.length === 0 ? 1 : sizeOfHeaders(headers!, names)
    const offset = this.count
    const size =
      1 +
      varintBytes(deltaMs) +
      varintBytes(offset) +
      varintBytes(keyBytes) +
      Math.max(keyBytes, 0) +
      varintBytes(valueBytes) +
      Math.max(valueBytes, 0) +
      headersBytes
    this.#reserve(size + AROUND)
    this.#varint(size)
    this.#buffer[this.#end++] = 0
    this.#varint(deltaMs)
    this.#varint(offset)
    this.#part(key, keyBytes)
    this.#part(value, valueBytes)
    if (names.length === 0) this.#buffer[this.#end++] = 0
    else this.#headers(headers!, names)
    this.count++
  }

  #advance(timeMs: number): number {
    this.firstMs ??= timeMs
    this.latestMs = Math.max(this.latestMs ?? timeMs, timeMs)
    return timeMs - this.firstMs
  }

  #headers(headers: NonNullable<RecordContent['headers']>, names: readonly string[]): void {
    let count = 0
    for (const name of names) count += valuesOf(headers[name]).length
    this.#varint(count)
    for (const name of names) {
      for (const value of valuesOf(headers[name])) {
        this.#part(name, byteLength(name))
        this.#part(value, byteLength(value))
      }
    }
  }

  /** bytes: its length, -1 for null. */
  #part(part: Buffer | string | null, bytes: number): void {
    this.#varint(bytes)
    if (part === null) return
    if (typeof part !== 'string') this.#copy(part, bytes)
    else if (bytes === part.length) for (let i = 0; i < bytes; i++) this.#buffer[this.#end + i] = part.charCodeAt(i)
    else this.#buffer.write(part, this.#end)
    this.#end += bytes
  }

  /** A call out of JavaScript costs more than a few bytes do. */
  #copy(part: Buffer, bytes: number): void {
    if (bytes > FEW_BYTES) this.#buffer.set(bytes === part.length ? part : part.subarray(0, bytes), this.#end)
    else for (let i = 0; i < bytes; i++) this.#buffer[this.#end + i] = part[i]!
  }

  #varint(value: number): void {
    // Beyond 32 bits only by a time delta.
    let rest = value >= 0 ? value * 2 : -value * 2 - 1
    while (rest > 127) {
      this.#buffer[this.#end++] = (rest % 128) | 128
      rest = Math.floor(rest / 128)
    }
    this.#buffer[this.#end++] = rest
  }

  #reserve(bytes: number): void {
    const needed = this.#end + bytes
    if (needed <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, this.#buffer.length * 2))
    larger.set(this.#buffer.subarray(0, this.#end))
    this.#buffer = larger
  }
}

const NO_NAMES: readonly string[] = []

/** UTF-8; -1: null. */
function byteLength(part: Buffer | string | null): number {
  if (part === null) return -1
  if (typeof part !== 'string') return part.length
  for (let i = 0; i < part.length; i++) if (part.charCodeAt(i) > 127) return Buffer.byteLength(part)
  return part.length
}

function sizeOfHeaders(headers: NonNullable<RecordContent['headers']>, names: readonly string[]): number {
  let count = 0
  let size = 0
  for (const name of names) {
    const nameBytes = byteLength(name)
    for (const value of valuesOf(headers[name])) {
      const bytes = byteLength(value)
      size += varintBytes(nameBytes) + nameBytes + varintBytes(bytes) + bytes
      count++
    }
  }
  return varintBytes(count) + size
}

function valuesOf(values: HeaderValue | HeaderValue[] | undefined): HeaderValue[] {
  if (values === undefined) return []
  return Array.isArray(values) ? values : [values]
}

function varintBytes(value: number): number {
  let rest = value >= 0 ? value * 2 : -value * 2 - 1
  let bytes = 1
  for (; rest > 127; bytes++) rest = Math.floor(rest / 128)
  return bytes
}
