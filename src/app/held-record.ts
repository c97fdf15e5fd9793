/** How the stream clock compares and saves the records that it holds. */
import type { Event } from '../domain/event.js'
import type { Json } from '../domain/state.js'
import type { HeldPayload } from '../join/watermark.js'
import type { OriginalMessage, SourceRecord } from '../source/source.js'

interface SavedRecord {
  partition: number
  offset: string
  event: Event | null
  bytes: string
  schema: string | null
  /** The message around the body; its byte strings as base64. */
  original: SavedMessage | null
}

interface SavedMessage {
  key: string | null
  value: string | null
  headers: [name: string, values: string[]][]
  timestampMs: number
}

export const heldRecord: HeldPayload<SourceRecord> = {
  same(a, b) {
    if (a.outcome.kind !== 'ok' || b.outcome.kind !== 'ok') return false
    return a.outcome.value.eventId === b.outcome.value.eventId && a.outcome.value.kind === b.outcome.value.kind
  },
  toJson({ partition, offset, outcome, data, start, end, schema, original }) {
    const saved: SavedRecord = {
      partition,
      offset: String(offset),
      event: outcome.kind === 'ok' ? outcome.value : null,
      bytes: Buffer.from(data.subarray(start, end)).toString('base64'),
      schema: schema ?? null,
      original: original === undefined ? null : saveMessage(original),
    }
    return saved as unknown as Json
  },
  fromJson(json) {
    const { partition, offset, event, bytes, schema, original } = json as unknown as SavedRecord
    const data = Buffer.from(bytes, 'base64')
    return {
      partition,
      offset: BigInt(offset),
      outcome: event === null ? { kind: 'drop', reason: 'late' } : { kind: 'ok', value: event },
      data,
      start: 0,
      end: data.length,
      schema: schema ?? undefined,
      ...(original === null ? {} : { original: loadMessage(original) }),
    }
  },
}

const toText = (bytes: Uint8Array | string) => Buffer.from(bytes as Uint8Array).toString('base64')
const toBytes = (text: string) => Buffer.from(text, 'base64')

function saveMessage({ key, value, headers, timestampMs }: OriginalMessage): SavedMessage {
  const lists = Object.entries(headers).map(([name, values]): [string, string[]] => {
    const list = values === undefined ? [] : Array.isArray(values) ? values : [values as Uint8Array | string]
    return [name, list.map(toText)]
  })
  return {
    key: key === null ? null : toText(key),
    value: value === null ? null : toText(value),
    headers: lists,
    timestampMs,
  }
}

function loadMessage({ key, value, headers, timestampMs }: SavedMessage): OriginalMessage {
  return {
    key: key === null ? null : toBytes(key),
    value: value === null ? null : toBytes(value),
    headers: Object.fromEntries(headers.map(([name, values]) => [name, values.map(toBytes)])),
    timestampMs,
  }
}
