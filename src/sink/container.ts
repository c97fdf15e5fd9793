/**
 * Avro object-container files, the writing side: records become blocks, blocks become segments. Only bytes; whoever owns
 * this object moves them to the disk.
 *
 * A block closes when its records fill `blockBytes` (or `blockRecords`); a segment ends with the block that reaches
 * `segmentBytes`, and the next one is named by the offset of its first record. So the bytes depend on the records alone.
 * The sync marker is a hash of schema and name: the same output has the same marker in every run and segment.
 */
import { createHash } from 'node:crypto'
import { deflateRawSync } from 'node:zlib'
import type avro from 'avsc'
import { compressSync, uncompressSync } from 'snappy'
import { MillraceError } from '../domain/errors.js'
import { crc32 } from '../std/crc32.js'

export type Codec = 'null' | 'deflate' | 'snappy'

export interface ContainerOptions {
  /** Name of the output; part of the sync marker. */
  name: string
  /** The files' schema. */
  schema: unknown
  codec: Codec
  /** Record bytes after which a block closes, before compression. */
  blockBytes: number
  /** Records after which a block closes. */
  blockRecords: number
  segmentBytes: number
}

/** Bytes at their place in a segment. */
export interface Chunk {
  segment: bigint
  position: number
  bytes: Buffer
}

/** The logical end of an output: everything up to here in complete blocks, then the open block. */
export interface ContainerPoint {
  /** Offset of the first record of the current segment. */
  segment: bigint
  /** Length of the segment's file, complete blocks only. */
  length: number
  /** Records so far, those of the open block included. */
  records: bigint
  blockRecords: number
  block: Uint8Array
}

/** What a long takes at most. */
const LONG_BYTES = 10

export class ContainerWriter {
  readonly #options: ContainerOptions
  readonly #header: Buffer
  readonly #sync: Buffer
  #segment = 0n
  #length = 0
  #records = 0n
  #blockRecords = 0
  #block: Buffer
  #used = 0

  constructor(options: ContainerOptions) {
    this.#options = options
    const schema = JSON.stringify(options.schema)
    this.#sync = createHash('sha256').update(schema).update('\0').update(options.name).digest().subarray(0, 16)
    this.#header = encodeHeader(schema, options.codec, this.#sync)
    this.#block = Buffer.allocUnsafeSlow(Math.min(options.blockBytes, 65_536) + 4096)
  }

  get records(): bigint {
    return this.#records
  }

  /** Encodes one record; returns the chunk of the block that it completed, if it did. branch: index in a union. */
  append(type: avro.Type, record: unknown, branch?: number): Chunk | undefined {
    const start = this.#used
    try {
      for (;;) {
        const at = branch === undefined ? start : writeLong(this.#block, start, branch)
        const end = at < 0 ? at : type.encode(record, this.#block, at)
        if (end >= 0) {
          this.#used = end
          break
        }
        const grown = Buffer.allocUnsafeSlow(2 * this.#block.length - end)
        this.#block.copy(grown, 0, 0, start)
        this.#block = grown
      }
    } catch (cause) {
      throw new MillraceError('INTERNAL', `output ${this.#options.name}: ${(cause as Error).message}`, { cause })
    }
    this.#records++
    this.#blockRecords++
    if (this.#used >= this.#options.blockBytes || this.#blockRecords >= this.#options.blockRecords) {
      return this.closeBlock()
    }
    return undefined
  }

  /** The open block as a chunk of its own, if it has records; and the header, if the segment has none. */
  closeBlock(): Chunk | undefined {
    if (this.#blockRecords === 0 && this.#length > 0) return undefined
    if (this.#length >= this.#options.segmentBytes) {
      this.#segment = this.#records - BigInt(this.#blockRecords)
      this.#length = 0
    }
    const parts = this.#length === 0 ? [this.#header] : []
    if (this.#blockRecords > 0) {
      const data = compress(this.#block.subarray(0, this.#used), this.#options.codec)
      const head = Buffer.alloc(2 * LONG_BYTES)
      const end = writeLong(head, writeLong(head, 0, this.#blockRecords), data.length)
      parts.push(head.subarray(0, end), data, this.#sync)
    }
    const chunk = { segment: this.#segment, position: this.#length, bytes: Buffer.concat(parts) }
    this.#length += chunk.bytes.length
    this.#blockRecords = 0
    this.#used = 0
    return chunk
  }

  point(): ContainerPoint {
    return {
      segment: this.#segment,
      length: this.#length,
      records: this.#records,
      blockRecords: this.#blockRecords,
      block: Uint8Array.prototype.slice.call(this.#block, 0, this.#used),
    }
  }

  goTo(point: ContainerPoint): void {
    this.#segment = point.segment
    this.#length = point.length
    this.#records = point.records
    this.#blockRecords = point.blockRecords
    if (point.block.length > this.#block.length) this.#block = Buffer.allocUnsafeSlow(2 * point.block.length)
    this.#block.set(point.block)
    this.#used = point.block.length
  }
}

/** Name of the segment file whose first record has this offset. */
export function segmentFile(firstOffset: bigint): string {
  return `${String(firstOffset).padStart(20, '0')}.avro`
}

export function isSegmentFile(name: string): boolean {
  return /^\d{20}\.avro$/.test(name)
}

/** DISK_FULL or OUTPUT_FAILED, with the file. */
export function outputError(file: string, cause: unknown): MillraceError {
  if (cause instanceof MillraceError) return cause
  const code = (cause as NodeJS.ErrnoException).code
  return code === 'ENOSPC' || code === 'EDQUOT'
    ? new MillraceError('DISK_FULL', `no space left while writing ${file}`, { cause })
    : new MillraceError('OUTPUT_FAILED', `${file}: ${(cause as Error).message}`, { cause })
}

/** The position behind the varint of a non-negative integer, or what is missing as a negative number. */
function writeLong(buffer: Buffer, position: number, value: number): number {
  if (position + LONG_BYTES > buffer.length) return -LONG_BYTES
  let rest = value * 2
  while (rest > 127) {
    buffer[position++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  buffer[position++] = rest
  return position
}

/** A snappy block of a container, as avsc wants to have it undone. */
export function uncompressBlock(data: Buffer, done: (error: Error | null, plain?: Buffer) => void): void {
  try {
    const plain = Buffer.from(uncompressSync(data.subarray(0, -4)))
    if (crc32(plain) !== data.readUInt32BE(data.length - 4)) throw new Error('a block does not have its checksum')
    done(null, plain)
  } catch (error) {
    done(error as Error)
  }
}

function compress(data: Buffer, codec: Codec): Buffer {
  if (codec === 'deflate') return deflateRawSync(data)
  if (codec === 'null') return data
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(data))
  return Buffer.concat([compressSync(data), sum])
}

function encodeHeader(schema: string, codec: Codec, sync: Buffer): Buffer {
  const parts: Buffer[] = [Buffer.from('Obj\x01', 'latin1'), Buffer.from([4])] // a map block of 2 entries
  for (const text of ['avro.schema', schema, 'avro.codec', codec]) {
    const bytes = Buffer.from(text)
    const length = Buffer.alloc(LONG_BYTES)
    parts.push(length.subarray(0, writeLong(length, 0, bytes.length)), bytes)
  }
  return Buffer.concat([...parts, Buffer.from([0]), sync])
}
