/**
 * Records of a message log → events: the envelope is walked, and what it holds is decoded like a message from a broker,
 * by the schemas that lie beside the log. A record's body is the whole envelope, so that a dead letter keeps key, headers
 * and timestamp.
 */
import avro from 'avsc'
import type { Event } from '../domain/event.js'
import { type MessageLogManifest, schemasOf } from '../domain/message-log.js'
import type { Outcome } from '../domain/outcome.js'
import type { DecoderFactory, MessageDecoder, RecordDecoder, WireHeaders } from '../source/source.js'
import { createMessageDecoder } from './message-decoder.js'
import { keepDecoders } from './record-decoder.js'
import { createSkim, type Skim, SkimCursor } from './skim.js'
import { reject } from './to-event.js'

interface Envelope {
  headers: { name: string; value: Buffer | null }[]
  value: Buffer | null
}

/** decoderFor: of the values. */
export function createMessageLogDecoder(manifest: MessageLogManifest, decoderFor: DecoderFactory): DecoderFactory {
  const messages = createMessageDecoder({
    decoderFor,
    framing: manifest.framing,
    schema: manifest.schema ?? undefined,
    schemas: schemasOf(manifest),
  })
  return keepDecoders(schemaJson => new EnvelopeDecoder(schemaJson, messages))
}

class EnvelopeDecoder implements RecordDecoder {
  end = -1
  bodyStart = 0
  readonly schema: string
  readonly #type: avro.Type
  readonly #skim: Skim
  readonly #messages: MessageDecoder
  readonly #cursor = new SkimCursor()

  constructor(schema: string, messages: MessageDecoder) {
    this.schema = schema
    this.#type = avro.Type.forSchema(JSON.parse(schema))
    this.#skim = createSkim(this.#type)
    this.#messages = messages
  }

  decode(buffer: Buffer, position: number, limit: number): Outcome<Event> {
    this.end = -1
    this.bodyStart = position
    const cursor = this.#cursor
    cursor.buffer = buffer
    cursor.position = position
    cursor.limit = limit
    if (!this.#skim(cursor)) return reject('undecodable', 'the bytes are not those of a message')
    this.end = cursor.position
    const { value, headers } = this.#type.decode(buffer, position).value as Envelope
    return this.#messages.decode(value, headers.length === 0 ? undefined : wireHeaders(headers)).outcome
  }
}

/** As the client of a broker gives them: a name that occurs several times has a list. */
function wireHeaders(headers: Envelope['headers']): WireHeaders {
  const lists = new Map<string, Uint8Array[]>()
  for (const { name, value } of headers) {
    const list = lists.get(name) ?? []
    lists.set(name, list)
    list.push(value ?? Buffer.alloc(0))
  }
  return Object.fromEntries(lists)
}
