/**
 * Dead letters read back: where the record was, why it could not be used, and the message as it was. The inverse of
 * kafka-dead-letter.ts; letters that Kafka Connect wrote read the same.
 *
 * A letter that is put back carries, behind its own headers, `millrace.replayed.from`: which letter it was. A record that
 * fails again has one for each time.
 */
import type { IHeaders, Message } from 'kafkajs'
import type { OriginalMessage, WireHeaders } from '../source/source.js'
import { PREFIX } from './kafka-dead-letter.js'

const REPLAYED_HEADER = 'millrace.replayed.from'

export interface Letter {
  /** Its own place: topic/partition/offset. */
  id: string
  /** Where the record was; partition -1: it is not said. */
  topic: string
  partition: number
  reason: string
  stage: string
  timestampMs: number
  key: Buffer | null
  value: Buffer | null
  /** As before it failed. */
  headers: IHeaders
}

/** Undefined: the message has none of the headers, so nobody knows where it belongs. Copies what it keeps. */
export function readLetter(id: string, { key, value, headers, timestampMs }: OriginalMessage): Letter | undefined {
  const said = (name: string) => textOf(valuesOf(headers[PREFIX + name]).at(-1))
  const topic = said('topic')
  if (topic === '') return undefined
  const partition = said('partition')
  return {
    id,
    topic,
    partition: /^\d+$/.test(partition) ? Number(partition) : -1,
    reason: said('exception.class.name'),
    stage: said('stage'),
    timestampMs,
    key: copy(key),
    value: copy(value),
    headers: originalHeaders(headers),
  }
}

/** The message as it was, marked. */
export function replayedMessage(letter: Letter): Omit<Message, 'partition'> {
  const { id, key, value, timestampMs, headers } = letter
  const before = headers[REPLAYED_HEADER]
  const marks = [...(before === undefined ? [] : [before].flat()), Buffer.from(id)]
  return {
    key,
    value,
    timestamp: String(timestampMs),
    headers: { ...headers, [REPLAYED_HEADER]: marks.length === 1 ? (marks[0] as Buffer) : marks },
  }
}

/** Of our own headers the last value is of this failure; those before it are of earlier lives and stay. */
function originalHeaders(headers: WireHeaders): IHeaders {
  const kept: IHeaders = {}
  for (const [name, given] of Object.entries(headers)) {
    const values = valuesOf(given).map(value => (typeof value === 'string' ? value : Buffer.from(value)))
    const original = name.startsWith(PREFIX) ? values.slice(0, -1) : values
    const [only] = original
    if (only !== undefined) kept[name] = original.length === 1 ? only : original
  }
  return kept
}

function valuesOf(given: WireHeaders[string]): readonly (Uint8Array | string)[] {
  if (given === undefined) return []
  return typeof given === 'string' || given instanceof Uint8Array ? [given] : given
}

const textOf = (value: Uint8Array | string | undefined) =>
  value === undefined ? '' : Buffer.from(value as Uint8Array).toString()
const copy = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes))
