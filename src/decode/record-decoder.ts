/**
 * Bytes by some writer's schema → events. The writer's schema is one record or a union of records (a log of several
 * event types in one order); each of its record types is matched by name with one of our reader schemas and resolved
 * by Avro's rules: added and removed fields, defaults, aliases, promotions. Three steps a record: skim (where does it
 * end, are its lengths sound), avsc's resolver, checks; the first two in one where the writer's schema is ours (EventReader). Whatever the bytes are, the outcome is a value, never a throw.
 */
import avro from 'avsc'
import type { Event, EventKind, Id } from '../domain/event.js'
import type { Outcome } from '../domain/outcome.js'
import type { DecoderFactory, RecordDecoder } from '../source/source.js'
import { createPseudonyms } from '../std/pseudonyms.js'
import { EventReader } from './event-reader.kernel.js'
import { readerType } from './reader-types.js'
import { createSkim, type Skim, SkimCursor } from './skim.js'
import { createToEvent, type EventLimits, type EventRecord, reject } from './to-event.js'

/** One record type of the writer. */
interface Branch {
  skim: Skim
  schema: string
  /** Decodes the body at a position that skim found sound. */
  read: (buffer: Buffer, position: number) => Outcome<Event>
  /** The short way, which may give up. */
  quick: { reader: EventReader; toEvent: (record: EventRecord) => Outcome<Event> } | undefined
}

export function createDecoderFactory(limits: EventLimits): DecoderFactory {
  const nameOf = createPseudonyms(limits.pseudonyms?.key)
  return keepDecoders(writerSchemaJson => new AvroRecordDecoder(writerSchemaJson, limits, nameOf))
}

/** Decoders are kept: the segments of a log mostly share one schema. */
export function keepDecoders(make: DecoderFactory): DecoderFactory {
  const decoders = new Map<string, RecordDecoder>()
  return function decoderFor(writerSchemaJson) {
    let decoder = decoders.get(writerSchemaJson)
    if (decoder === undefined) {
      decoder = make(writerSchemaJson)
      decoders.set(writerSchemaJson, decoder)
    }
    return decoder
  }
}

class AvroRecordDecoder implements RecordDecoder {
  end = -1
  bodyStart = 0
  schema: string
  readonly #maxBytes: number
  readonly #branches: readonly Branch[]
  /** Records are preceded by the number of their branch. */
  readonly #isUnion: boolean
  readonly #fault: Outcome<Event> | undefined
  readonly #cursor = new SkimCursor()

  constructor(writerSchemaJson: string, limits: EventLimits, nameOf: (user: Id) => Id) {
    this.schema = writerSchemaJson
    this.#maxBytes = limits.maxDecodeBytes
    let branches: Branch[] = []
    let isUnion = false
    try {
      const raw: unknown = JSON.parse(writerSchemaJson)
      const type = avro.Type.forSchema(raw as never)
      const types = (type as unknown as { types?: avro.Type[] }).types
      isUnion = types !== undefined
      branches = (types ?? [type]).map((one, index) => {
        const json = Array.isArray(raw) ? raw[index] : raw
        return createBranch(one, json, (kind, divisor) => createToEvent(kind, limits, nameOf, divisor))
      })
    } catch (error) {
      this.#fault = reject('schema-incompatible', `the writer's schema is not valid: ${(error as Error).message}`)
    }
    this.#branches = branches
    this.#isUnion = isUnion
  }

  decode(buffer: Buffer, position: number, limit: number): Outcome<Event> {
    this.end = -1
    this.bodyStart = position
    if (this.#fault !== undefined) return this.#fault
    const cursor = this.#cursor
    cursor.buffer = buffer
    cursor.position = position
    cursor.limit = limit
    const number = this.#isUnion ? cursor.long() : 0
    const branch = this.#branches[number]
    if (branch === undefined) return reject('undecodable', `there is no record type ${number} in the writer's schema`)
    this.bodyStart = cursor.position
    this.schema = branch.schema
    const record = branch.quick?.reader.read(cursor)
    if (record === undefined && !skims(branch.skim, cursor))
      return reject('undecodable', "the bytes do not fit the writer's schema")
    this.end = cursor.position
    const bytes = this.end - this.bodyStart
    if (bytes > this.#maxBytes) return reject('too-large', `${bytes} bytes, at most ${this.#maxBytes} are allowed`)
    if (record !== undefined && branch.quick !== undefined) return branch.quick.toEvent(record)
    return branch.read(buffer, this.bodyStart)
  }
}

function skims(skim: Skim, cursor: SkimCursor): boolean {
  try {
    return skim(cursor)
  } catch {
    return false // a recursive schema's datum nested beyond the stack
  }
}

type ToEventFactory = (kind: EventKind, timeDivisor: number) => (record: EventRecord) => Outcome<Event>

function createBranch(writer: avro.Type, raw: unknown, toEventOf: ToEventFactory): Branch {
  return { skim: createSkim(writer), schema: branchSchema(writer, raw), ...createWays(writer, raw, toEventOf) }
}

/** As written if that stands for itself; a branch that refers to types of another branch is written out. */
function branchSchema(writer: avro.Type, raw: unknown): string {
  try {
    avro.Type.forSchema(raw as never)
    return JSON.stringify(raw)
  } catch {
    return JSON.stringify(writer.schema({ exportAttrs: true }))
  }
}

/** Writers stamp in milliseconds or, as their schema says, in microseconds. avsc drops that note, the JSON has it. */
function timeDivisor(raw: unknown, reader: avro.Type): number {
  const { name, aliases } = (reader as avro.types.RecordType).field('eventTime')
  const fields = (raw as { fields?: { name: string; type: unknown }[] } | null)?.fields
  const field = Array.isArray(fields) ? fields.find(one => one.name === name || aliases.includes(one.name)) : undefined
  return JSON.stringify(field?.type ?? null).includes('"timestamp-micros"') ? 1000 : 1
}

function createWays(writer: avro.Type, raw: unknown, toEventOf: ToEventFactory): Pick<Branch, 'read' | 'quick'> {
  const name = writer.name ?? writer.typeName
  const reader = readerType(name)
  if (reader === undefined) {
    const unknown = reject('unknown-event', `'${name}' is not an event that is known here`)
    return { read: () => unknown, quick: undefined }
  }
  const { kind, type } = reader
  let resolver: ReturnType<avro.Type['createResolver']> | undefined
  try {
    if (!type.equals(writer)) resolver = type.createResolver(writer, { ignoreNamespaces: true })
  } catch (error) {
    const incompatible = reject('schema-incompatible', `'${name}' can not be read: ${(error as Error).message}`)
    return { read: () => incompatible, quick: undefined }
  }
  const toEvent = toEventOf(kind, timeDivisor(raw, type))
  const quick = resolver === undefined ? EventReader.of(kind) : undefined
  return { read, quick: quick && { reader: quick, toEvent } }

  function read(buffer: Buffer, position: number): Outcome<Event> {
    try {
      return toEvent(type.decode(buffer, position, resolver).value as EventRecord)
    } catch (error) {
      const message = (error as Error).message
      // The only plain long of the events is the time, and avsc refuses longs beyond 2^53.
      if (message === 'potential precision loss') return reject('invalid-time', 'eventTime is beyond 2^53')
      return reject('undecodable', message)
    }
  }
}
