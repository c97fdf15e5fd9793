/**
 * Writes a message log (domain/message-log.ts): each message as it is, in the order of its partition. Equal messages make
 * equal files, wherever they came from: offsets are in the manifest only.
 */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import avro from 'avsc'
import { MESSAGE_LOG_FILE, type MessageLogManifest } from '../domain/message-log.js'
import type { OriginalMessage, WireHeaders } from '../source/source.js'
import { readSchemaFile } from '../std/schema-file.js'
import { outputError } from './container.js'
import { LogPartition, partitionFolders } from './log-partition.js'

type PartitionOrigin = Omit<MessageLogManifest['partitions'][number], 'folder' | 'messages'>

export class MessageLogWriter {
  readonly #path: string
  readonly #type: avro.Type
  readonly #partitions: LogPartition[]
  readonly #origins: readonly PartitionOrigin[]

  constructor(path: string, origins: readonly PartitionOrigin[]) {
    const schema = readSchemaFile('message')
    this.#path = path
    this.#type = avro.Type.forSchema(schema as never)
    this.#origins = origins
    this.#partitions = partitionFolders(origins.length).map(name => new LogPartition(path, name, { schema }))
  }

  /** partition: index of its origin. Encodes at once. */
  write(partition: number, { key, value, headers, timestampMs }: OriginalMessage): void {
    const record = { timestamp: timestampMs, key: bytes(key), value: bytes(value), headers: headerList(headers) }
    this.#partitions[partition]?.append(this.#type, record)
  }

  /** Files first: a folder without a manifest is no message log. */
  close(about: Pick<MessageLogManifest, 'framing' | 'schema' | 'schemas'>): MessageLogManifest {
    for (const partition of this.#partitions) partition.close()
    const folders = partitionFolders(this.#origins.length)
    const manifest: MessageLogManifest = {
      format: 1,
      ...about,
      partitions: this.#origins.map((origin, index) => ({
        folder: folders[index] ?? '',
        ...origin,
        messages: this.#partitions[index]?.records ?? 0,
      })),
    }
    const file = join(this.#path, MESSAGE_LOG_FILE)
    try {
      writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`)
    } catch (error) {
      throw outputError(file, error)
    }
    return manifest
  }
}

/** avsc takes Buffers only. No bytes are copied. */
function bytes(given: Uint8Array | null): Buffer | null {
  return given === null ? null : Buffer.from(given.buffer, given.byteOffset, given.byteLength)
}

function headerList(headers: WireHeaders): { name: string; value: Buffer | null }[] {
  return Object.entries(headers).flatMap(([name, values]) => {
    const list = Array.isArray(values) ? values : [values as Uint8Array | string | undefined]
    return list.map(value => ({ name, value: typeof value === 'string' ? Buffer.from(value) : bytes(value ?? null) }))
  })
}
