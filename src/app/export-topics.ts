/**
 * `export`: a range of the topics of a configuration → a message log. Reads beside whoever is live, in a group of its own
 * to which nothing is committed.
 */
import { kafkaConnection } from '../config/kafka-connection.js'
import type { LoadedConfig } from '../config/load.js'
import { FrameReader, type SchemaRef } from '../decode/framing.js'
import type { SchemaRegistry } from '../decode/registry.js'
import { MillraceError } from '../domain/errors.js'
import type { MessageLogManifest } from '../domain/message-log.js'
import type { Log } from '../observe/log.js'
import { registerCodecs } from '../sink/kafka-codecs.js'
import { MessageLogWriter } from '../sink/message-log.js'
import { readKafkaRange } from '../source/kafka-range.js'
import type { PartitionStart } from '../source/kafka-starts.js'
import { systemClock } from '../std/clock.js'
import { uniqueName } from '../std/unique-name.js'
import { withClosers } from './closers.js'
import { openRegistry } from './kafka-registry.js'
import type { MakingProgress } from './prepare-log.js'
import { writerSchemas } from './writer-schemas.js'

export interface ExportOptions {
  loaded: LoadedConfig
  logger: Log
  onProgress: MakingProgress
}

/** folder: of the new log. CONFIG_INVALID: there are no topics to read. */
export async function exportTopics(
  { loaded, logger, onProgress }: ExportOptions,
  folder: string,
): Promise<MessageLogManifest> {
  const { config } = loaded
  const source = config.source.kafka
  if (source === undefined) throw new MillraceError('CONFIG_INVALID', `${loaded.file} has no source.kafka to export`)
  registerCodecs()
  return withClosers(async closers => {
    const registry =
      source.framing === 'confluent' ? openRegistry(loaded, { logger, clock: systemClock }, closers) : undefined
    if (source.framing === 'confluent' && registry === undefined)
      throw new MillraceError('CONFIG_INVALID', "source.kafka.framing 'confluent' needs kafka.registry")
    const { schema, schemaOf } = writerSchemas(loaded, source)
    if (schemaOf !== undefined)
      throw new MillraceError(
        'CONFIG_INVALID',
        'a log has one schema for bare messages: export topics of one schema at a time',
      )
    const frame = new FrameReader(source.framing)
    const refs = new Set<SchemaRef>()
    let writer: MessageLogWriter | undefined
    let count = 0
    let total = 0
    await readKafkaRange(
      {
        ...source,
        connection: kafkaConnection(config.kafka, loaded.folder, logger),
        group: `${source.group}-export-${uniqueName()}`,
        logger,
        clock: systemClock,
      },
      {
        begin(partitions) {
          writer = new MessageLogWriter(folder, partitions.map(originOf))
          for (const { offset, end } of partitions) if (end > offset) total += Number(end - offset)
        },
        message(partition, _, message) {
          writer?.write(partition, message)
          const ref = message.value === null ? undefined : frame.read(message.value as Buffer, message.headers)
          if (ref !== undefined) refs.add(ref)
          onProgress(++count, Math.min(count / total, 1))
        },
      },
    )
    if (writer === undefined) throw new MillraceError('INTERNAL', 'the range was never begun')
    return writer.close({
      framing: source.framing,
      schema: schema ?? null,
      schemas: registry === undefined ? {} : await fetchSchemas(registry, refs),
    })
  })
}

const originOf = ({ topic, partition, offset, end }: PartitionStart) => ({
  topic,
  partition,
  from: String(offset),
  until: String(end > offset ? end : offset),
})

/** Those that the registry knows; messages of others are dead letters, here as there. */
async function fetchSchemas(registry: SchemaRegistry, refs: ReadonlySet<SchemaRef>): Promise<Record<string, string>> {
  const schemas: Record<string, string> = {}
  for (const ref of [...refs].sort()) {
    const answer = await registry.schema(ref)
    if (answer.kind === 'known') schemas[String(ref)] = answer.schema
  }
  return schemas
}
