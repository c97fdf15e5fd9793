/**
 * Writes an event log for import and simulate; contract and guarantees in sink.ts. Synchronous: the caller is a command
 * that does nothing else meanwhile, and blocks go to the disk as soon as they are full.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, rmdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type avro from 'avsc'
import { EVENT_KINDS, type EventKind } from '../domain/event.js'
import { idAwareType } from '../std/avro-long.js'
import { readSchemaFile } from '../std/schema-file.js'
import { type Chunk, type Codec, ContainerWriter, isSegmentFile, outputError, segmentFile } from './container.js'
import type { LogRecords, LogSummary, LogWriter } from './sink.js'

export interface LogWriterOptions {
  /** Folder of the log. Segments of an earlier log in it are removed; other files are left alone. */
  path: string
  partitions: number
  codec?: Codec
  blockBytes?: number
  segmentBytes?: number
}

interface OpenSegment {
  file: string
  descriptor: number
}

export function createLogWriter(options: LogWriterOptions): LogWriter {
  return new AvroLogWriter(options)
}

class AvroLogWriter implements LogWriter {
  readonly #folders: string[]
  readonly #writers: ContainerWriter[]
  readonly #open: (OpenSegment | undefined)[]
  readonly #types: avro.Type[]
  #bytes = 0
  #segments = 0

  constructor(options: LogWriterOptions) {
    const schema = EVENT_KINDS.map(readSchemaFile)
    this.#types = schema.map(idAwareType)
    const digits = Math.max(2, String(options.partitions - 1).length)
    const names = Array.from({ length: options.partitions }, (_, index) => `p${String(index).padStart(digits, '0')}`)
    this.#folders = names.map(name => join(options.path, name))
    this.#open = names.map(() => undefined)
    this.#writers = names.map(
      name =>
        new ContainerWriter({
          name,
          schema,
          codec: options.codec ?? 'null',
          blockBytes: options.blockBytes ?? 65_536,
          blockRecords: Number.POSITIVE_INFINITY,
          segmentBytes: options.segmentBytes ?? 134_217_728,
        }),
    )
    try {
      mkdirSync(options.path, { recursive: true })
      removeSegments(options.path)
      for (const folder of this.#folders) mkdirSync(folder, { recursive: true })
    } catch (error) {
      throw outputError(options.path, error)
    }
  }

  write<K extends EventKind>(partition: number, kind: K, record: LogRecords[K]): void {
    const branch = EVENT_KINDS.indexOf(kind)
    const type = this.#types[branch]
    const writer = this.#writers[partition]
    if (type === undefined || writer === undefined) throw new RangeError(`no partition ${partition} or kind ${kind}`)
    const chunk = writer.append(type, record, branch)
    if (chunk !== undefined) this.#put(partition, chunk)
  }

  close(): LogSummary {
    this.#writers.forEach((writer, partition) => {
      const chunk = writer.closeBlock()
      if (chunk !== undefined) this.#put(partition, chunk)
      this.#closeSegment(partition)
    })
    return {
      records: this.#writers.map(writer => Number(writer.records)),
      bytes: this.#bytes,
      segments: this.#segments,
    }
  }

  #put(partition: number, chunk: Chunk): void {
    if (chunk.position === 0) this.#openSegment(partition, chunk.segment)
    const segment = this.#open[partition]
    if (segment === undefined) throw new Error('a chunk came before its segment')
    try {
      for (let done = 0; done < chunk.bytes.length; ) {
        done += writeSync(segment.descriptor, chunk.bytes, done, chunk.bytes.length - done, chunk.position + done)
      }
    } catch (error) {
      throw outputError(segment.file, error)
    }
    this.#bytes += chunk.bytes.length
  }

  #openSegment(partition: number, first: bigint): void {
    this.#closeSegment(partition)
    const file = join(this.#folders[partition] ?? '', segmentFile(first))
    try {
      this.#open[partition] = { file, descriptor: openSync(file, 'w') }
    } catch (error) {
      throw outputError(file, error)
    }
    this.#segments++
  }

  #closeSegment(partition: number): void {
    const segment = this.#open[partition]
    if (segment === undefined) return
    this.#open[partition] = undefined
    try {
      fsyncSync(segment.descriptor)
      closeSync(segment.descriptor)
    } catch (error) {
      throw outputError(segment.file, error)
    }
  }
}

/** Removes the segments of an earlier log, and partition folders that are empty then. */
function removeSegments(path: string): void {
  for (const name of readdirSync(path)) {
    if (!/^p\d{2,}$/.test(name)) continue
    const folder = join(path, name)
    for (const file of readdirSync(folder)) if (isSegmentFile(file)) rmSync(join(folder, file))
    if (readdirSync(folder).length === 0) rmdirSync(folder)
  }
}
