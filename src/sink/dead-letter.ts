/** What of a record goes into the dead-letter output: its bytes and schema as written, and why it could not be used. */
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
  const { offset, outcome, data, start, end, schema, original } = record
  const own = outcome.kind === 'reject' ? outcome : { reason: 'undecodable' as const, message: '' }
  const { reason, message, stage } = refusal ?? { ...own, stage: 'decode' }
  return {
    partition,
    offset: String(offset),
    reason,
    stage,
    message,
    schema: schema ?? null,
    payload: data.subarray(start, end),
    eventTime: outcome.kind === 'ok' ? outcome.value.eventTimeMs : null,
    ...(original === undefined ? {} : { original }),
  }
}
