/** How the stream clock compares and saves the records that it holds. */
import type { Event } from '../domain/event.js'
import type { Json } from '../domain/state.js'
import type { HeldPayload } from '../join/watermark.js'
import type { SourceRecord } from '../source/source.js'

interface SavedRecord {
  partition: number
  offset: string
  event: Event | null
  bytes: string
  schema: string | null
}

export const heldRecord: HeldPayload<SourceRecord> = {
  same(a, b) {
    if (a.outcome.kind !== 'ok' || b.outcome.kind !== 'ok') return false
    return a.outcome.value.eventId === b.outcome.value.eventId && a.outcome.value.kind === b.outcome.value.kind
  },
  toJson({ partition, offset, outcome, data, start, end, schema }) {
    const saved: SavedRecord = {
      partition,
      offset: String(offset),
      event: outcome.kind === 'ok' ? outcome.value : null,
      bytes: Buffer.from(data.subarray(start, end)).toString('base64'),
      schema: schema ?? null,
    }
    return saved as unknown as Json
  },
  fromJson(json) {
    const { partition, offset, event, bytes, schema } = json as unknown as SavedRecord
    const data = Buffer.from(bytes, 'base64')
    return {
      partition,
      offset: BigInt(offset),
      outcome: event === null ? { kind: 'drop', reason: 'late' } : { kind: 'ok', value: event },
      data,
      start: 0,
      end: data.length,
      schema: schema ?? undefined,
    }
  },
}
