/**
 * What of a record goes into the dead-letter output: its bytes and schema as written where the source kept them. A
 * record that was decoded and is refused later has lost its bytes; its event is kept as JSON instead, without a schema.
 */
import type { RejectReason } from '../domain/outcome.js'
import type { SourceRecord } from '../source/source.js'
import type { DeadLetterRecord } from './output-records.js'

export interface Refusal {
  reason: RejectReason
  message: string
  /** Where it was found out: decode, join and so on. */
  stage: string
}

/** partition: its name. refusal: absent if the record's own outcome is the reject. */
export function deadLetter(partition: string, record: SourceRecord, refusal?: Refusal): DeadLetterRecord {
  const { outcome } = record
  const event = outcome.kind === 'ok' ? outcome.value : undefined
  const own = outcome.kind === 'reject' ? outcome : { reason: 'undecodable' as const, message: '' }
  const { reason, message, stage } = refusal ?? { ...own, stage: 'decode' }
  const payload = record.bytes ?? (event === undefined ? new Uint8Array(0) : Buffer.from(JSON.stringify(event)))
  return {
    partition,
    offset: String(record.offset),
    reason,
    stage,
    message,
    schema: record.schema ?? null,
    payload,
    eventTime: event?.eventTimeMs ?? null,
  }
}
