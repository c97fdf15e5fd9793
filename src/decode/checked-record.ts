/**
 * A record of schemas/ → its bytes, read back by the very decoder that will read the log. What passes here is an event
 * for every reader with the same limits, and no dead letter.
 */
import type { Event, EventKind } from '../domain/event.js'
import { EVENT_KINDS, userOf } from '../domain/event.js'
import type { Outcome } from '../domain/outcome.js'
import type { RecordDecoder } from '../source/source.js'
import { idAwareType } from '../std/avro-long.js'
import { readSchemaFile } from '../std/schema-file.js'
import { createDecoderFactory } from './record-decoder.js'
import type { EventLimits } from './to-event.js'

export interface CheckedRecord {
  outcome: Outcome<Event>
  /** To be written: as it came, but for its user where users have pseudonyms. */
  record: object
  /** The same in Avro, by the kind's schema. */
  body: Buffer
}

/** Throws where the record is not of its schema's shape at all. */
export function createRecordCheck(limits: EventLimits): (kind: EventKind, record: object) => CheckedRecord {
  const decoderFor = createDecoderFactory(limits)
  const ways = new Map<EventKind, { type: ReturnType<typeof idAwareType>; decoder: RecordDecoder }>(
    EVENT_KINDS.map(kind => {
      const schema = readSchemaFile(kind)
      return [kind, { type: idAwareType(schema), decoder: decoderFor(JSON.stringify(schema)) }]
    }),
  )
  return function check(kind, record) {
    const { type, decoder } = ways.get(kind) as NonNullable<ReturnType<typeof ways.get>>
    const body = type.toBuffer(record)
    const outcome = decoder.decode(body, 0, body.length)
    if (limits.pseudonyms === undefined || outcome.kind !== 'ok') return { outcome, record, body }
    const user = userOf(outcome.value)
    const named = user === undefined ? record : { ...record, [kind === 'user' ? 'id' : 'user']: user }
    return { outcome, record: named, body: type.toBuffer(named) }
  }
}
