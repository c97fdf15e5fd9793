/**
 * Avro object-container files, the reading side: one segment file as a sequence of raw blocks and damaged stretches,
 * read in chunks, so that memory is bounded by the largest block. May read a file while it grows.
 *
 * A block is taken when its header, its data and the sync marker behind them are there and fit; otherwise the bytes up
 * to the next sync marker are one damaged stretch. An incomplete block at the end of the file is 'more' (maybe it is
 * being written) until the caller says `final`. Nothing is consumed by 'more': ask again later.
 */
import type { FileHandle } from 'node:fs/promises'
import { inflateRaw } from 'node:zlib'
import { uncompress } from 'snappy'
import { MillraceError } from '../domain/errors.js'
import { crc32 } from '../std/crc32.js'

const CHUNK_BYTES = 1 << 18
const MAX_BLOCK_BYTES = 1 << 26
const MAX_HEADER_BYTES = 1 << 24
const MAX_DATA_BYTES = 1 << 28
const SYNC_BYTES = 16
/** Two longs. */
const BLOCK_HEAD_BYTES = 20

export interface RawBlock {
  kind: 'block'
  /** Byte range in the file. */
  from: number
  to: number
  /** Records, as the header says. */
  count: number
  /** As in the file: compressed. Belongs to the caller. */
  data: Buffer
}

export interface Damage {
  kind: 'damage'
  from: number
  to: number
  /** Records, if a plausible header says so. */
  count: number | undefined
  /** The stretch's first bytes. */
  bytes: Buffer
  message: string
}

export type Stretch = RawBlock | Damage | 'more' | 'end'

export interface ContainerHeader {
  schema: string
  codec: string
}

export class ContainerReader {
  readonly #file: string
  readonly #handle: FileHandle
  readonly #keepBytes: number
  #sync: Buffer = Buffer.alloc(0)
  /** The window: bytes of the file from #at on. */
  #window: Buffer = Buffer.alloc(0)
  #at = 0
  /** Where an unfinished search for the next sync marker began, and why; its first bytes. */
  #lost: { from: number; count: number | undefined; message: string; bytes: Buffer } | undefined

  /** keepBytes: how much of a damaged stretch is kept. The reader owns the handle. */
  constructor(file: string, handle: FileHandle, keepBytes: number) {
    this.#file = file
    this.#handle = handle
    this.#keepBytes = keepBytes
  }

  /** Bytes of the file behind us. */
  get position(): number {
    return this.#at
  }

  /** Must come first and give a header before next() is called. Damage covers the whole file. */
  async header(final: boolean): Promise<ContainerHeader | Damage | 'more' | 'end'> {
    let parsed = parseHeader(this.#window)
    while (parsed === 'more' && this.#window.length < MAX_HEADER_BYTES && (await this.#read())) {
      parsed = parseHeader(this.#window)
    }
    if (typeof parsed === 'object') {
      this.#sync = Buffer.from(parsed.sync)
      this.#consume(parsed.end)
      return { schema: parsed.schema, codec: parsed.codec }
    }
    if (parsed === 'more' && this.#window.length < MAX_HEADER_BYTES) {
      if (this.#window.length === 0) return 'end'
      if (!final) return 'more'
    }
    const bytes = Buffer.from(this.#window.subarray(0, this.#keepBytes))
    const to = Math.max((await this.#handle.stat()).size, this.#window.length)
    return this.#damage(0, to, undefined, bytes, 'the header of the file can not be read')
  }

  /** The next block or damaged stretch. final: nobody writes to this file any more. */
  async next(final: boolean): Promise<Stretch> {
    if (this.#lost !== undefined) return this.#search(final)
    await this.#ensure(BLOCK_HEAD_BYTES)
    if (this.#window.length === 0) return 'end'
    const from = this.#at
    const head = parseBlockHead(this.#window)
    if (head === 'bad') return this.#lose(final, undefined, 'a block header is not valid')
    const size = head === 'more' ? Number.POSITIVE_INFINITY : head.end + head.bytes + SYNC_BYTES
    if (head === 'more' || !(await this.#ensure(size))) {
      const count = head === 'more' ? undefined : head.count
      // A sync marker inside what claims to be one unfinished block: its header lies, and waiting for more is in vain.
      if (!final && this.#window.indexOf(this.#sync) < 0) return 'more'
      return this.#lose(final, count, 'a block is not complete')
    }
    const { count, end, bytes } = head
    if (this.#window.compare(this.#sync, 0, SYNC_BYTES, end + bytes, size) !== 0) {
      return this.#lose(final, count, 'a block does not end with the sync marker')
    }
    const data = Buffer.from(this.#window.subarray(end, end + bytes))
    this.#consume(size)
    return { kind: 'block', from, to: this.#at, count, data }
  }

  async close(): Promise<void> {
    await this.#handle.close()
  }

  #lose(final: boolean, count: number | undefined, message: string): Promise<Stretch> {
    this.#lost = { from: this.#at, count, message, bytes: Buffer.alloc(0) }
    return this.#search(final)
  }

  /** Moves on to behind the next sync marker; the end of a final file ends the stretch too. */
  async #search(final: boolean): Promise<Stretch> {
    const lost = this.#lost
    if (lost === undefined) throw new Error('nothing is lost')
    for (;;) {
      const found = this.#window.indexOf(this.#sync)
      if (found >= 0) {
        this.#lost = undefined
        const bytes = this.#keep(lost.bytes, found + SYNC_BYTES)
        this.#consume(found + SYNC_BYTES)
        return this.#damage(lost.from, this.#at, lost.count, bytes, lost.message)
      }
      // The marker may straddle the end of the window.
      const passed = Math.max(0, this.#window.length - SYNC_BYTES + 1)
      lost.bytes = this.#keep(lost.bytes, passed)
      this.#consume(passed)
      if (await this.#read()) continue
      if (!final) return 'more'
      this.#lost = undefined
      const bytes = this.#keep(lost.bytes, this.#window.length)
      this.#consume(this.#window.length)
      return this.#damage(lost.from, this.#at, lost.count, bytes, lost.message)
    }
  }

  #keep(kept: Buffer, length: number): Buffer {
    const wanted = Math.min(length, this.#keepBytes - kept.length)
    return wanted > 0 ? Buffer.concat([kept, this.#window.subarray(0, wanted)]) : kept
  }

  #damage(from: number, to: number, count: number | undefined, bytes: Buffer, message: string): Damage {
    const before = from === 0 ? 'no byte before it is good' : `the last good byte is ${from - 1}`
    message = `${this.#file}, bytes ${from} to ${to - 1}: ${message}; ${before}`
    return { kind: 'damage', from, to, count, bytes, message }
  }

  #consume(bytes: number): void {
    this.#window = this.#window.subarray(bytes)
    this.#at += bytes
  }

  /** Has the window hold so many bytes; false if the file does not have them. */
  async #ensure(bytes: number): Promise<boolean> {
    while (this.#window.length < bytes) if (!(await this.#read(bytes - this.#window.length))) return false
    return true
  }

  /** Appends the next chunk of the file to the window; false at its present end. */
  async #read(wanted = 0): Promise<boolean> {
    const kept = this.#window.length
    const window = Buffer.allocUnsafeSlow(kept + Math.max(wanted, CHUNK_BYTES))
    this.#window.copy(window)
    try {
      const { bytesRead } = await this.#handle.read(window, kept, window.length - kept, this.#at + kept)
      this.#window = window.subarray(0, kept + bytesRead)
      return bytesRead > 0
    } catch (cause) {
      throw new MillraceError('LOG_CORRUPT', `${this.#file}: ${(cause as Error).message}`, { cause })
    }
  }
}

/** Undoes a codec; undefined if the data is damaged. */
export async function decompress(data: Buffer, codec: string): Promise<Buffer | undefined> {
  if (codec === 'null') return data
  try {
    if (codec === 'deflate') return await inflate(data)
    if (data.length < 5 || snappyLength(data) > MAX_DATA_BYTES) return undefined
    const plain = await uncompress(data.subarray(0, -4), { asBuffer: true })
    return crc32(plain as Buffer) === data.readUInt32BE(data.length - 4) ? (plain as Buffer) : undefined
  } catch {
    return undefined
  }
}

export function isCodec(name: string): boolean {
  return name === 'null' || name === 'deflate' || name === 'snappy'
}

function inflate(data: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    inflateRaw(data, { maxOutputLength: MAX_DATA_BYTES }, (error, plain) => (error ? reject(error) : resolve(plain)))
  })
}

function snappyLength(data: Buffer): number {
  let length = 0
  for (let index = 0; index < 5; index++) {
    const byte = data[index] ?? 0
    length += (byte & 127) * 128 ** index
    if (byte < 128) break
  }
  return length
}

/** A long and the position behind it; 'more' if it is cut off, 'bad' if it is too long. */
function parseLong(bytes: Buffer, position: number): { value: number; end: number } | 'more' | 'bad' {
  let value = 0
  for (let index = 0; index < 10; index++) {
    const byte = bytes[position + index]
    if (byte === undefined) return 'more'
    value += (byte & 127) * 128 ** index
    if (byte < 128) return { value: value % 2 === 0 ? value / 2 : -(value + 1) / 2, end: position + index + 1 }
  }
  return 'bad'
}

function parseBlockHead(bytes: Buffer): { count: number; bytes: number; end: number } | 'more' | 'bad' {
  const count = parseLong(bytes, 0)
  if (typeof count === 'string') return count
  const size = parseLong(bytes, count.end)
  if (typeof size === 'string') return size
  const plausible =
    count.value >= 0 && size.value >= 0 && size.value <= MAX_BLOCK_BYTES && count.value <= MAX_DATA_BYTES
  return plausible ? { count: count.value, bytes: size.value, end: size.end } : 'bad'
}

function parseHeader(bytes: Buffer): { schema: string; codec: string; sync: Buffer; end: number } | 'more' | 'bad' {
  const magic = bytes.subarray(0, 4).toString('latin1')
  if (magic !== 'Obj\x01'.slice(0, magic.length)) return 'bad'
  if (bytes.length < 4) return 'more'
  const meta = new Map<string, string>()
  let at = 4
  for (;;) {
    const count = parseLong(bytes, at)
    if (typeof count === 'string') return count
    at = count.end
    if (count.value === 0) break
    if (count.value < 0) {
      const size = parseLong(bytes, at)
      if (typeof size === 'string') return size
      at = size.end
    }
    for (let left = Math.abs(count.value); left > 0; left--) {
      const pair: string[] = []
      while (pair.length < 2) {
        const length = parseLong(bytes, at)
        if (typeof length === 'string') return length
        if (length.value < 0 || length.value > MAX_HEADER_BYTES) return 'bad'
        at = length.end + length.value
        if (at > bytes.length) return 'more'
        pair.push(bytes.toString('utf8', length.end, at))
      }
      meta.set(pair[0] ?? '', pair[1] ?? '')
    }
  }
  if (at + SYNC_BYTES > bytes.length) return 'more'
  const sync = bytes.subarray(at, at + SYNC_BYTES)
  return { schema: meta.get('avro.schema') ?? '', codec: meta.get('avro.codec') ?? 'null', sync, end: at + SYNC_BYTES }
}
