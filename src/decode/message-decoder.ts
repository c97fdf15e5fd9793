/**
 * The value of a Kafka message → an event; contract in source.ts. A schema that the registry knows is kept for ever, one
 * that it does not know for as long as there is room, and is asked for again by the next batch that needs it.
 */
import { MillraceError } from '../domain/errors.js'
import type { Event } from '../domain/event.js'
import type { Outcome } from '../domain/outcome.js'
import type {
  DecodedMessage,
  DecoderFactory,
  MessageDecoder,
  RecordDecoder,
  WireHeaders,
  WireMessage,
} from '../source/source.js'
import { schemaFingerprint } from './fingerprint.js'
import { FrameReader, type Framing, type SchemaRef } from './framing.js'
import { readerSchemas } from './reader-types.js'
import { reject } from './to-event.js'

export type SchemaAnswer = { kind: 'known'; schema: string } | { kind: 'unknown'; message: string }

/** Where writers' schemas come from; the registry is one. Waits until there is an answer. */
export interface SchemaLookup {
  schema(ref: SchemaRef): Promise<SchemaAnswer>
}

export interface MessageDecoderOptions {
  decoderFor: DecoderFactory
  framing: Framing
  /** Framing confluent: needed, unless `schemas` are all there is. */
  registry?: SchemaLookup | undefined
  /** Framing confluent: schemas that are known without asking, as JSON. */
  schemas?: ReadonlyMap<SchemaRef, string>
  /** The writer's schema as JSON. Framing bare: needed, or schemaOf; single-object: one more that is known beside those of schemas/. */
  schema?: string | undefined
  /** Framing bare: the writer's schema of a topic as JSON; undefined: it has none. Its answers are kept. */
  schemaOf?: ((topic: string) => string | undefined) | undefined
}

/** Requests to the registry at a time. */
const FETCHES = 8
/** Of unknown schemas so many are remembered with the reason. */
const MAX_UNKNOWN = 100_000
const NOTHING = new Uint8Array(0)
const TOMBSTONE: Outcome<Event> = { kind: 'drop', reason: 'tombstone' }

export function createMessageDecoder(options: MessageDecoderOptions): MessageDecoder {
  const { decoderFor, framing, registry } = options
  if (framing === 'confluent' && registry === undefined && options.schemas === undefined) {
    throw new MillraceError('CONFIG_INVALID', "source.kafka.framing 'confluent' needs kafka.registry")
  }
  const frame = new FrameReader(framing)
  const decoders = new Map<SchemaRef, RecordDecoder>()
  for (const [ref, schema] of localSchemas(options)) decoders.set(ref, decoderFor(schema))
  const unknown = new Map<SchemaRef, Outcome<Event>>()
  let isForgetful = false
  const decoderOf = options.schemaOf === undefined ? undefined : createTopicDecoders(options.schemaOf, decoderFor)

  async function prepare(messages: Iterable<WireMessage>): Promise<void> {
    if (registry === undefined || framing !== 'confluent') return
    const wanted = new Set<SchemaRef>()
    let last: SchemaRef | undefined
    for (const { value, headers } of messages) {
      const ref = value === null ? undefined : frame.read(value, headers)
      if (ref === undefined || ref === last) continue
      last = ref
      if (!decoders.has(ref)) wanted.add(ref)
    }
    if (wanted.size > 0) await fetchAll(registry, wanted)
  }

  async function fetchAll(lookup: SchemaLookup, wanted: Set<SchemaRef>): Promise<void> {
    for (const ref of unknown.keys()) {
      if (unknown.size <= MAX_UNKNOWN) break
      unknown.delete(ref)
      isForgetful = true
    }
    const refs = wanted.values()
    async function work(): Promise<void> {
      for (const ref of refs) {
        const answer = await lookup.schema(ref)
        unknown.delete(ref)
        if (answer.kind === 'known') decoders.set(ref, decoderFor(answer.schema))
        else unknown.set(ref, reject('schema-incompatible', answer.message))
      }
    }
    await Promise.all(Array.from({ length: Math.min(FETCHES, wanted.size) }, work))
  }

  function decode(value: Buffer | null, headers?: WireHeaders, topic = '', asUnknown = false): DecodedMessage {
    if (value === null) return { outcome: TOMBSTONE, bytes: NOTHING, bodyStart: 0, schema: undefined }
    const ref = frame.read(value, headers)
    const { bodyStart } = frame
    if (ref === undefined) {
      return { outcome: reject('undecodable', frame.fault), bytes: value, bodyStart: 0, schema: undefined }
    }
    const decoder = asUnknown ? undefined : (decoderOf?.(topic) ?? decoders.get(ref))
    if (decoder === undefined) {
      const outcome = asUnknown ? notKnown(ref) : unknownSchema(ref, topic)
      return { outcome, bytes: value, bodyStart, schema: undefined, unknown: true }
    }
    let outcome = decoder.decode(value, bodyStart, value.length)
    // A record that ends early was not written by this schema: what was read of it only looks like an event.
    if (decoder.end !== -1 && decoder.end !== value.length) {
      outcome = reject('undecodable', `the record ends ${value.length - decoder.end} bytes before the value does`)
    }
    return { outcome, bytes: value, bodyStart, schema: decoder.schema }
  }

  function unknownSchema(ref: SchemaRef, topic: string): Outcome<Event> {
    const outcome = unknown.get(ref)
    if (outcome !== undefined) return outcome
    if (framing === 'bare') return reject('schema-incompatible', `source.kafka.schema has no schema for topic ${topic}`)
    if (framing !== 'confluent')
      return reject('schema-incompatible', `no schema with the fingerprint ${ref} is known here`)
    if (registry === undefined) return reject('schema-incompatible', `schema ${ref} is not part of the log`)
    if (isForgetful) return notKnown(ref)
    throw new MillraceError('INTERNAL', `schema ${ref} was not prepared`)
  }

  return { prepare, decode }
}

const notKnown = (ref: SchemaRef) => reject('schema-incompatible', `schema ${ref} is not known to the registry`)

/** The schemas that are known without a registry. */
function localSchemas({ framing, schema, schemaOf, schemas }: MessageDecoderOptions): [SchemaRef, string][] {
  if (framing === 'confluent') return [...(schemas ?? [])]
  const given = schema === undefined ? [] : [[fingerprintOf(schema), schema] as [SchemaRef, string]]
  if (framing === 'single-object') {
    return [
      ...readerSchemas().map((one): [SchemaRef, string] => [schemaFingerprint(one), JSON.stringify(one)]),
      ...given,
    ]
  }
  if (schemaOf !== undefined) return []
  if (schema === undefined) throw new MillraceError('CONFIG_INVALID', "source.kafka.framing 'bare' needs a schema")
  return [['', schema]]
}

function createTopicDecoders(schemaOf: (topic: string) => string | undefined, decoderFor: DecoderFactory) {
  const decoders = new Map<string, RecordDecoder | undefined>()
  return function decoderOf(topic: string): RecordDecoder | undefined {
    if (decoders.has(topic)) return decoders.get(topic)
    const schema = schemaOf(topic)
    const decoder = schema === undefined ? undefined : decoderFor(schema)
    decoders.set(topic, decoder)
    return decoder
  }
}

function fingerprintOf(schema: string): string {
  try {
    return schemaFingerprint(JSON.parse(schema))
  } catch (cause) {
    const message = `source.kafka.schema is not an Avro schema: ${(cause as Error).message}`
    throw new MillraceError('CONFIG_INVALID', message, { cause })
  }
}
