/**
 * An output as an Avro log: one folder of segment files. Contract in sink.ts; how blocks and segments come about in
 * container.ts.
 *
 * flush() writes complete blocks only, so that block boundaries do not depend on it; the open block is in memory and in
 * saveState(). close() writes the open block as a short last one, which makes the files complete for other readers.
 * A later loadState() cuts that block off again: the files after `close, loadState, append…` are byte for byte those of
 * a run that never closed. saveState() describes the output as of the last append; it may only be relied upon once a
 * flush() called after that append has resolved.
 *
 * Without loadState() the output starts anew: segments that lie in the folder are removed at the first write.
 */
import { type FileHandle, mkdir, open, readdir, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import avro from 'avsc'
import { MillraceError } from '../domain/errors.js'
import type { Json, LoadedState, PartState } from '../domain/state.js'
import { readSchemaFile } from '../std/schema-file.js'
import { type Chunk, type Codec, ContainerWriter, isSegmentFile, outputError, segmentFile } from './container.js'
import { syncFolder, writeFully } from './durable.js'
import type { Sink } from './sink.js'

export interface AvroFileSinkOptions<T> {
  /** Folder of this output's segments. */
  path: string
  /** Name of schemas/<schema>.avsc. */
  schema: string
  codec?: Codec
  /** Record bytes after which a block closes. Readers of a growing output see complete blocks only. */
  blockBytes?: number
  /** Records after which a block closes; for outputs of few records that others wait for. */
  blockRecords?: number
  segmentBytes?: number
  /** What is encoded for a record; it may return the same object each time. undefined: nothing. Absent: the record itself. */
  toRecord?: (record: T) => unknown
}

interface OpenSegment {
  first: bigint
  file: string
  handle: FileHandle
}

export class AvroFileSink<T> implements Sink<T> {
  readonly #path: string
  readonly #type: avro.Type
  readonly #writer: ContainerWriter
  readonly #toRecord: ((record: T) => unknown) | undefined
  /** Complete blocks that are not on the disk, in order. */
  #pending: Chunk[] = []
  #pendingBytes = 0
  /** Blocks that were completed, and of them those on the disk. */
  #enqueued = 0
  #written = 0
  #segment: OpenSegment | undefined
  #prepared = false
  #writing: Promise<void> = Promise.resolve()
  #closed = false

  constructor(options: AvroFileSinkOptions<T>) {
    const schema = readSchemaFile(options.schema)
    this.#path = options.path
    this.#type = avro.Type.forSchema(schema as never)
    this.#toRecord = options.toRecord
    this.#writer = new ContainerWriter({
      name: options.schema,
      schema,
      codec: options.codec ?? 'null',
      blockBytes: options.blockBytes ?? 65_536,
      blockRecords: options.blockRecords ?? Number.POSITIVE_INFINITY,
      segmentBytes: options.segmentBytes ?? 134_217_728,
    })
  }

  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** Records appended, in all runs that led here. */
  get records(): bigint {
    return this.#writer.records
  }

  append(record: T): void {
    const content = this.#toRecord === undefined ? record : this.#toRecord(record)
    if (content === undefined) return
    const chunk = this.#writer.append(this.#type, content)
    if (chunk !== undefined) this.#enqueue(chunk)
  }

  flush(after?: Promise<void>): Promise<void> {
    const upTo = this.#enqueued
    // One after another: a failed flush leaves its chunks pending, and writing them again at their place is harmless.
    const before = this.#writing.catch(() => undefined)
    this.#writing = Promise.all([before, after]).then(() => this.#write(upTo))
    return this.#writing
  }

  saveState(): PartState {
    const point = this.#writer.point()
    const meta: Json = {
      segment: String(point.segment),
      length: point.length,
      records: String(point.records),
      blockRecords: point.blockRecords,
    }
    return { meta, arrays: { block: point.block } }
  }

  async loadState(state: LoadedState): Promise<void> {
    const meta = state.meta as { segment: string; length: number; records: string; blockRecords: number }
    const point = {
      segment: BigInt(meta.segment),
      length: meta.length,
      records: BigInt(meta.records),
      blockRecords: meta.blockRecords,
      block: state.arrays.block as Uint8Array,
    }
    try {
      await this.#cut(point.segment, point.length)
    } catch (error) {
      throw outputError(this.#path, error)
    }
    this.#writer.goTo(point)
    this.#prepared = true
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const chunk = this.#writer.closeBlock()
    if (chunk !== undefined) this.#enqueue(chunk)
    try {
      await this.flush()
    } finally {
      await this.#segment?.handle.close()
      this.#segment = undefined
    }
  }

  #enqueue(chunk: Chunk): void {
    this.#pending.push(chunk)
    this.#enqueued++
    this.#pendingBytes += chunk.bytes.length
  }

  async #write(upTo: number): Promise<void> {
    const chunks = this.#pending.splice(0, upTo - this.#written)
    if (chunks.length === 0) return
    let file = this.#path
    try {
      if (!this.#prepared) await this.#cut(0n, 0)
      this.#prepared = true
      let done = 0
      while (done < chunks.length) {
        const { segment, position } = chunks[done] as Chunk
        let next = done
        while (next < chunks.length && chunks[next]?.segment === segment) next++
        file = join(this.#path, segmentFile(segment))
        const { handle } = await this.#openSegment(segment)
        await writeFully(handle, Buffer.concat(chunks.slice(done, next).map(chunk => chunk.bytes)), position)
        await handle.sync()
        done = next
      }
      for (const chunk of chunks) this.#pendingBytes -= chunk.bytes.length
      this.#written += chunks.length
    } catch (error) {
      this.#pending = [...chunks, ...this.#pending]
      throw outputError(file, error)
    }
  }

  async #openSegment(first: bigint): Promise<OpenSegment> {
    if (this.#segment?.first === first) return this.#segment
    await this.#segment?.handle.close()
    this.#segment = undefined
    const file = join(this.#path, segmentFile(first))
    // Not 'a': the position of each write is explicit. 'r+' keeps what a checkpoint refers to.
    const handle = await open(file, 'r+').catch(() => open(file, 'w'))
    this.#segment = { first, file, handle }
    await syncFolder(this.#path)
    return this.#segment
  }

  /** Removes everything behind `length` bytes of this segment. */
  async #cut(segment: bigint, length: number): Promise<void> {
    await mkdir(this.#path, { recursive: true })
    const kept = segmentFile(segment)
    const files = (await readdir(this.#path)).filter(isSegmentFile).sort()
    for (const file of files) {
      if (file > kept || (file === kept && length === 0)) await rm(join(this.#path, file))
    }
    if (length > 0) {
      const file = join(this.#path, kept)
      const { size } = await stat(file)
      if (size < length) {
        throw new MillraceError('OUTPUT_FAILED', `${file} has ${size} bytes, but the checkpoint was made at ${length}`)
      }
      await truncate(file, length)
    }
    await syncFolder(this.#path)
  }
}
