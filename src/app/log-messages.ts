/** How records of a log become messages again (an export), or for the first time (events). */
import avro from 'avsc'
import type { SchemaRef } from '../decode/framing.js'
import { registerSchema } from '../decode/register-schemas.js'
import type { SchemaRegistry } from '../decode/registry.js'
import { MillraceError } from '../domain/errors.js'
import type { Event } from '../domain/event.js'
import { type MessageLogManifest, schemasOf } from '../domain/message-log.js'
import type { AddressedMessage } from '../sink/kafka-writer.js'
import type { SourceRecord } from '../source/source.js'
import { partitionOfBytes } from '../std/murmur2.js'
import { readSchemaFile } from '../std/schema-file.js'

export interface ToMessage {
  /** Where messages go, all of them. */
  topics: readonly string[]
  /** Before the first message: how many partitions the topics have, and the log. */
  begin(partitions: ReadonlyMap<string, number>, logPartitions: number): void
  message(record: SourceRecord): Promise<AddressedMessage> | AddressedMessage
}

const FRAME_BYTES = 5

/** topic: 'new', or 'old=new'; the others keep their names. */
export async function exportedMessages(
  manifest: MessageLogManifest,
  topic: string | undefined,
  registry: SchemaRegistry | undefined,
): Promise<ToMessage> {
  const type = avro.Type.forSchema(readSchemaFile('message') as never)
  const places = placesOf(manifest, topic)
  if (manifest.framing === 'confluent') await checkSchemas(manifest, registry)
  return {
    topics: [...new Set(places.map(place => place.topic))],
    begin(partitions) {
      for (const { topic: name, partition } of places) {
        const there = partitions.get(name) ?? 0
        if (partition < there) continue
        const message = `topic ${name} has ${there} partitions, the log needs number ${partition}: order would be lost`
        throw new MillraceError('KAFKA_TOPIC', message)
      }
    },
    message({ partition, data, start }) {
      const place = places[partition]
      if (place === undefined) throw new MillraceError('LOG_CORRUPT', `the manifest has no partition ${partition}`)
      const { key, value, headers, timestamp } = type.decode(data as Buffer, start).value as Envelope
      const lists = new Map<string, Buffer[]>()
      for (const { name, value: content } of headers) {
        const list = lists.get(name) ?? []
        lists.set(name, list)
        list.push(content ?? Buffer.alloc(0))
      }
      const given = [...lists].map(([name, list]) => [name, list.length === 1 ? list[0] : list] as const)
      return {
        ...place,
        key,
        value,
        timestamp: String(timestamp),
        ...(given.length === 0 ? {} : { headers: Object.fromEntries(given) }),
      }
    },
  }
}

interface Envelope {
  timestamp: number
  key: Buffer | null
  value: Buffer | null
  headers: { name: string; value: Buffer | null }[]
}

function placesOf({ partitions }: MessageLogManifest, topic: string | undefined) {
  const from = new Set(partitions.map(one => one.topic))
  const [old = '', renamed] = topic?.split('=') ?? []
  const to = new Map<string, string>()
  if (renamed !== undefined) {
    if (!from.has(old)) throw new MillraceError('USAGE', `--topic ${topic}: the log has no messages of topic ${old}`)
    to.set(old, renamed)
  } else if (topic !== undefined) {
    if (from.size > 1)
      throw new MillraceError('USAGE', `--topic ${topic}: the log is of ${[...from].join(', ')}; say OLD=${topic}`)
    for (const name of from) to.set(name, topic)
  }
  return partitions.map(one => ({ topic: to.get(one.topic) ?? one.topic, partition: one.partition }))
}

/** The ids in the messages must mean the same there: bytes are not changed. */
async function checkSchemas(manifest: MessageLogManifest, registry: SchemaRegistry | undefined): Promise<void> {
  if (registry === undefined) return
  for (const [ref, schema] of schemasOf(manifest)) {
    const answer = await registry.schema(ref)
    if (answer.kind === 'known' && isSame(answer.schema, schema)) continue
    const what = answer.kind === 'known' ? 'another schema' : 'nothing'
    throw new MillraceError(
      'REGISTRY_FAILED',
      `${registry.http.url}: schema ${describe(ref)} of the log is ${what} there, so nobody could read the messages; register the log's schemas under their ids (mode IMPORT) first`,
    )
  }
}

const describe = (ref: SchemaRef) => (typeof ref === 'number' ? `id ${ref}` : ref)
const isSame = (a: string, b: string) => a === b || JSON.stringify(JSON.parse(a)) === JSON.stringify(JSON.parse(b))

/** Of a log with as many partitions as the topic has, partitions stay what they are; else the key decides. */
export function eventMessages(topic: string, registry: SchemaRegistry | undefined): ToMessage {
  if (registry === undefined)
    throw new MillraceError('CONFIG_INVALID', 'events go out in frames with schema ids: kafka.registry is needed')
  const ids = new Map<string, number>()
  const lastMs = new Map<number, number>()
  let partitions = 1
  let isAsLog = true

  async function idOf(schema: string): Promise<number> {
    const known = ids.get(schema)
    if (known !== undefined) return known
    const { name } = avro.Type.forSchema(JSON.parse(schema))
    const id = await registerSchema((registry as SchemaRegistry).http, `${topic}-${name}`, schema)
    ids.set(schema, id)
    return id
  }

  return {
    topics: [topic],
    begin(counts, logPartitions) {
      partitions = counts.get(topic) ?? 1
      isAsLog = partitions === logPartitions
    },
    async message({ partition, outcome, data, start, end, schema }) {
      const event = outcome.kind === 'ok' ? outcome.value : undefined
      const key = event === undefined ? null : Buffer.from(keyOf(event))
      const timestampMs = event?.eventTimeMs ?? lastMs.get(partition)
      if (timestampMs !== undefined) lastMs.set(partition, timestampMs)
      const id = schema === undefined ? undefined : (ids.get(schema) ?? (await idOf(schema)))
      return {
        topic,
        partition: isAsLog || key === null ? partition % partitions : partitionOfBytes(key, partitions),
        key,
        value: framed(data.subarray(start, end), id),
        ...(timestampMs === undefined ? {} : { timestamp: String(timestampMs) }),
      }
    },
  }
}

export const keyOf = (event: Event) => ('user' in event ? event.user : event.id)

/** Bytes without a schema go as they are, and will be a dead letter. */
export function framed(body: Uint8Array, id: number | undefined): Buffer {
  if (id === undefined) return Buffer.from(body)
  const value = Buffer.allocUnsafe(FRAME_BYTES + body.length)
  value[0] = 0
  value.writeUInt32BE(id, 1)
  value.set(body, FRAME_BYTES)
  return value
}
