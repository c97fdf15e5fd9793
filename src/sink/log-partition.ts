/**
 * One partition of a log that is being made: a folder of container files. Synchronous: whoever makes a log does nothing
 * else meanwhile, and blocks go to the disk as soon as they are full, so memory is bounded whatever the log's size.
 */
import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type avro from 'avsc'
import { type Chunk, type ContainerOptions, ContainerWriter, outputError, segmentFile } from './container.js'

export type PartitionFormat = Pick<ContainerOptions, 'schema'> & Partial<ContainerOptions>

/** 'p07': names sort in the order of the partitions. */
export function partitionFolders(count: number): string[] {
  const digits = Math.max(2, String(count - 1).length)
  return Array.from({ length: count }, (_, index) => `p${String(index).padStart(digits, '0')}`)
}

export class LogPartition {
  readonly #folder: string
  readonly #writer: ContainerWriter
  #open: { file: string; descriptor: number } | undefined
  bytes = 0
  segments = 0

  /** Makes the folder; segments that are there are written over. */
  constructor(path: string, name: string, format: PartitionFormat) {
    this.#folder = join(path, name)
    this.#writer = new ContainerWriter({
      name,
      codec: 'null',
      blockBytes: 65_536,
      blockRecords: Number.POSITIVE_INFINITY,
      segmentBytes: 134_217_728,
      ...format,
    })
    try {
      mkdirSync(this.#folder, { recursive: true })
    } catch (error) {
      throw outputError(this.#folder, error)
    }
  }

  get records(): number {
    return Number(this.#writer.records)
  }

  /** branch: index of the record's type, where the schema is a union. */
  append(type: avro.Type, record: unknown, branch?: number): void {
    const chunk = this.#writer.append(type, record, branch)
    if (chunk !== undefined) this.#put(chunk)
  }

  /** Writes what is buffered, makes it durable and closes the file. */
  close(): void {
    const chunk = this.#writer.closeBlock()
    if (chunk !== undefined) this.#put(chunk)
    this.#closeSegment()
  }

  #put(chunk: Chunk): void {
    if (chunk.position === 0) this.#openSegment(chunk.segment)
    if (this.#open === undefined) throw new Error('a chunk came before its segment')
    const { file, descriptor } = this.#open
    try {
      for (let done = 0; done < chunk.bytes.length; ) {
        done += writeSync(descriptor, chunk.bytes, done, chunk.bytes.length - done, chunk.position + done)
      }
    } catch (error) {
      throw outputError(file, error)
    }
    this.bytes += chunk.bytes.length
  }

  #openSegment(first: bigint): void {
    this.#closeSegment()
    const file = join(this.#folder, segmentFile(first))
    try {
      this.#open = { file, descriptor: openSync(file, 'w') }
    } catch (error) {
      throw outputError(file, error)
    }
    this.segments++
  }

  #closeSegment(): void {
    if (this.#open === undefined) return
    const { file, descriptor } = this.#open
    this.#open = undefined
    try {
      fsyncSync(descriptor)
      closeSync(descriptor)
    } catch (error) {
      throw outputError(file, error)
    }
  }
}
