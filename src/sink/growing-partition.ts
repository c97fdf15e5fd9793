/**
 * One partition of a log that grows while others read it: whole blocks, appended to segments of its own. Segments that are
 * there already are never written to, and an own one is made only where nobody has made it (so two writers can not write
 * over each other). A foreign segment, or a byte too many in a known one, is another writer: LOG_TAKEN.
 *
 * append() encodes; write() resolves when the disk has it. After a failed write() the partition is of no use any more:
 * what the disk has is found out by opening the log anew.
 */
import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type avro from 'avsc'
import { MillraceError } from '../domain/errors.js'
import { type Chunk, ContainerWriter, outputError, segmentFile } from './container.js'
import { syncFolder, writeFully } from './durable.js'

/** Where it ends when it is opened. */
export interface KnownPartition {
  folder: string
  segments: readonly string[]
  last: { name: string; bytes: number } | undefined
  next: bigint
}

const SEGMENT_BYTES = 134_217_728

export class GrowingPartition {
  readonly #folder: string
  readonly #writer: ContainerWriter
  readonly #known: Set<string>
  /** Segments that somebody could add to, and how long they should be. */
  readonly #lengths = new Map<string, number>()
  #own: { name: string; handle: FileHandle } | undefined
  #pending: Chunk[] = []

  /** schema: of the files. */
  constructor({ folder, segments, last, next }: KnownPartition, schema: unknown, segmentBytes = SEGMENT_BYTES) {
    this.#folder = folder
    this.#known = new Set(segments)
    if (last !== undefined) this.#lengths.set(last.name, last.bytes)
    this.#writer = new ContainerWriter({
      name: 'events',
      schema,
      codec: 'null',
      blockBytes: 65_536,
      blockRecords: Number.POSITIVE_INFINITY,
      segmentBytes,
    })
    this.#writer.goTo({ segment: next, length: 0, records: next, blockRecords: 0, block: new Uint8Array(0) })
  }

  append(type: avro.Type, record: unknown, branch: number): void {
    const chunk = this.#writer.append(type, record, branch)
    if (chunk !== undefined) this.#pending.push(chunk)
  }

  /** LOG_TAKEN, DISK_FULL or OUTPUT_FAILED. */
  async write(): Promise<void> {
    const open = this.#writer.point().blockRecords > 0 ? this.#writer.closeBlock() : undefined
    const chunks = open === undefined ? this.#pending : [...this.#pending, open]
    this.#pending = []
    if (chunks.length === 0) return
    await this.#check()
    let file = this.#folder
    try {
      for (const { segment, position, bytes } of chunks) {
        const name = segmentFile(segment)
        file = join(this.#folder, name)
        const { handle } = await this.#segment(name)
        await writeFully(handle, bytes, position)
        this.#lengths.set(name, position + bytes.length)
      }
      await this.#own?.handle.sync()
    } catch (error) {
      throw outputError(file, error)
    }
    await this.#check()
  }

  async close(): Promise<void> {
    await this.#own?.handle.close()
    this.#own = undefined
  }

  async #segment(name: string): Promise<{ name: string; handle: FileHandle }> {
    if (this.#own?.name === name) return this.#own
    await this.#own?.handle.sync()
    await this.close()
    // An empty one is what an earlier attempt has left.
    const flags = this.#lengths.get(name) === 0 ? 'r+' : 'wx'
    try {
      this.#own = { name, handle: await open(join(this.#folder, name), flags) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      throw new MillraceError('LOG_TAKEN', `${join(this.#folder, name)} was made by another process`)
    }
    this.#known.add(name)
    await syncFolder(this.#folder)
    return this.#own
  }

  async #check(): Promise<void> {
    try {
      for (const name of await readdir(this.#folder)) {
        if (!name.endsWith('.avro') || this.#known.has(name)) continue
        throw new MillraceError('LOG_TAKEN', `${join(this.#folder, name)} was made by another process`)
      }
      for (const [name, bytes] of this.#lengths) {
        const file = join(this.#folder, name)
        const size = (await stat(file).catch(() => undefined))?.size
        // Old segments may be removed, as their retention says; not the one that is written to.
        if (size === bytes || (size === undefined && name !== this.#own?.name)) continue
        throw new MillraceError('LOG_TAKEN', `${file} has ${size ?? 0} bytes instead of ${bytes}`)
      }
    } catch (error) {
      throw outputError(this.#folder, error)
    }
  }
}
