/**
 * Posted events on their way to the topics that are read: keyed by user as every producer's should be, in Confluent's
 * frame, each type under the subject <topic>-<record name>, as `import kafka` writes them.
 */
import avro from 'avsc'
import { kafkaConnection } from '../config/kafka-connection.js'
import type { LoadedConfig } from '../config/load.js'
import { registerSchema } from '../decode/register-schemas.js'
import { MillraceError } from '../domain/errors.js'
import { EVENT_KINDS, type EventKind } from '../domain/event.js'
import type { Log } from '../observe/log.js'
import { KafkaEvents } from '../sink/kafka-events.js'
import { systemClock } from '../std/clock.js'
import { partitionOfBytes } from '../std/murmur2.js'
import { readSchemaFile } from '../std/schema-file.js'
import { withClosers } from './closers.js'
import type { CheckedEvent, EventStore } from './event-store.js'
import { openRegistry } from './kafka-registry.js'
import { framed, keyOf } from './log-messages.js'

/** topics: by type of event; those without one are not taken. Waits for brokers and registry. */
export async function openKafkaStore(
  loaded: LoadedConfig,
  topics: Partial<Record<EventKind, string>>,
  logger: Log,
): Promise<EventStore> {
  const { config, folder } = loaded
  const places = await registered(loaded, topics, logger)
  const names = [...new Set(Object.values(topics))]
  const target = await KafkaEvents.open({
    connection: kafkaConnection(config.kafka, folder, logger),
    topics: names,
    compression: config.outputs.kafka?.compression ?? 'none',
    maxBatchBytes: config.outputs.kafka?.maxMessageBytes ?? 900_000,
    logger,
    clock: systemClock,
  })

  function messageOf({ event, body }: CheckedEvent) {
    const { topic, id } = places.get(event.kind) as { topic: string; id: number }
    const key = Buffer.from(keyOf(event))
    const partition = partitionOfBytes(key, target.partitionsOf(topic))
    return { topic, partition, key, value: framed(body, id), timestamp: String(event.eventTimeMs) }
  }

  return {
    lacks: kind => (places.has(kind) ? undefined : `no topic is configured for events of type ${kind}`),
    append: events => target.write(events.map(messageOf)),
    close: () => target.close(),
  }
}

/** Once, before the first event: nobody who posts waits for a registry. */
function registered(loaded: LoadedConfig, topics: Partial<Record<EventKind, string>>, logger: Log) {
  return withClosers(async closers => {
    const registry = openRegistry(loaded, { logger, clock: systemClock }, closers)
    if (registry === undefined)
      throw new MillraceError('CONFIG_INVALID', 'http.ingest on topics needs kafka.registry: events go out in frames')
    const places = new Map<EventKind, { topic: string; id: number }>()
    for (const kind of EVENT_KINDS) {
      const topic = topics[kind]
      if (topic === undefined) continue
      const schema = JSON.stringify(readSchemaFile(kind))
      const { name } = avro.Type.forSchema(JSON.parse(schema))
      places.set(kind, { topic, id: await registerSchema(registry.http, `${topic}-${name}`, schema) })
    }
    return places
  })
}
