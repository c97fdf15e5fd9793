/** The records of the snapshot output that a configuration names, in their order: from a folder of files or from a topic. */
import { open, readdir } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import avro from 'avsc'
import { kafkaConnection } from '../config/kafka-connection.js'
import type { LoadedConfig } from '../config/load.js'
import { SchemaRegistry } from '../decode/registry.js'
import { MillraceError } from '../domain/errors.js'
import { silentLog } from '../observe/log.js'
import { isSegmentFile } from '../sink/container.js'
import type { SnapshotRecord } from '../sink/output-records.js'
import { ContainerReader, decompress } from '../source/container.js'
import { systemClock } from '../std/clock.js'
import { readSchemaFile } from '../std/schema-file.js'
import { uniqueName } from '../std/unique-name.js'

/** Magic byte and schema id before the Avro body. */
const FRAME_BYTES = 5

export interface SnapshotPlace {
  /** For people: the folder or the topic. */
  name: string
  /** Calls back with each record from the beginning to the present end. What can not be read is left out. */
  read(take: (record: SnapshotRecord) => void): Promise<void>
}

export function snapshotPlace({ config, folder }: LoadedConfig): SnapshotPlace {
  const { outputs, kafka } = config
  if (outputs.kafka === undefined) {
    const path = resolve(folder, outputs.path, 'snapshots')
    return { name: relative(process.cwd(), path), read: take => readFolder(path, take) }
  }
  const topic = outputs.kafka.snapshots
  return { name: `topic ${topic}`, read: take => readTopic(kafka, folder, topic, take) }
}

type RecordReader = (bytes: Buffer, at: number) => { value: SnapshotRecord; offset: number }

/** By the schema that wrote records: what reads them as records of this version. */
function createReaders(): (writer: string) => RecordReader {
  const type = avro.Type.forSchema(readSchemaFile('snapshot') as never)
  const readers = new Map<string, RecordReader>()
  return writer => {
    const known = readers.get(writer)
    if (known !== undefined) return known
    const resolver = type.createResolver(avro.Type.forSchema(JSON.parse(writer)))
    const read: RecordReader = (bytes, at) => type.decode(bytes, at, resolver) as ReturnType<RecordReader>
    readers.set(writer, read)
    return read
  }
}

async function readFolder(path: string, take: (record: SnapshotRecord) => void): Promise<void> {
  const names = (await readdir(path).catch(() => [])).filter(isSegmentFile).sort()
  const readerOf = createReaders()
  for (const [index, name] of names.entries()) {
    // The last one may still be written to; what is not complete there is no damage.
    const isFinal = index < names.length - 1
    const reader = new ContainerReader(join(path, name), await open(join(path, name)), 0)
    try {
      const header = await reader.header(isFinal)
      if (typeof header === 'string' || 'kind' in header) continue
      const read = readerOf(header.schema)
      for (
        let stretch = await reader.next(isFinal);
        typeof stretch !== 'string';
        stretch = await reader.next(isFinal)
      ) {
        const data = stretch.kind === 'block' ? await decompress(stretch.data, header.codec) : undefined
        if (stretch.kind !== 'block' || data === undefined) continue
        for (let left = stretch.count, at = 0; left > 0; left--) {
          const { value, offset } = read(data, at)
          take(value)
          at = offset
        }
      }
    } finally {
      await reader.close()
    }
  }
}

async function readTopic(
  kafka: LoadedConfig['config']['kafka'],
  folder: string,
  topic: string,
  take: (record: SnapshotRecord) => void,
): Promise<void> {
  if (kafka.registry === undefined)
    throw new MillraceError('CONFIG_INVALID', 'kafka.registry is needed: records are framed with the ids of schemas')
  // Loading the client takes a tenth of a second, which readers of files need not wait for.
  const { readWholeTopic } = await import('../source/kafka-topic.js')
  const { registerCodecs } = await import('../sink/kafka-codecs.js')
  registerCodecs()
  const registry = new SchemaRegistry({ ...kafka.registry, clock: systemClock })
  const readerOf = createReaders()
  const connection = kafkaConnection(kafka, folder, silentLog)
  try {
    await readWholeTopic({ connection, topic, groupId: `millrace-snapshots-${uniqueName()}` }, async ({ value }) => {
      if (value === null || value[0] !== 0 || value.length < FRAME_BYTES) return
      const answer = await registry.schema(value.readUInt32BE(1))
      if (answer.kind === 'unknown') throw new MillraceError('REGISTRY_FAILED', `${topic}: ${answer.message}`)
      // Views would keep all that was fetched with it.
      take(readerOf(answer.schema)(Buffer.from(value), FRAME_BYTES).value)
    })
  } finally {
    registry.close()
  }
}
