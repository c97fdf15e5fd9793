/**
 * A record of our reader schemas → a checked event. What is checked here holds for every event behind it: ids are
 * non-empty, of bounded length and valid UTF-8; times are whole milliseconds between 1970 and 2200; numbers are finite;
 * lists are bounded. Item profiles come out folded: title, category, brand and price are attributes like the others.
 */
import type { Event, EventKind, Id, Impression, PositiveKind, Profile, ScoreRequest } from '../domain/event.js'
import type { Outcome, RejectReason } from '../domain/outcome.js'

const MAX_CANDIDATES = 10_000
const MAX_EMBEDDING = 4096
const MAX_TITLE_WORDS = 16
/** 2200-01-01. Later ones are nonsense in any stream; earlier ones are judged against the stream's own time elsewhere. */
const MAX_TIME_MS = 7_258_118_400_000

export interface EventLimits {
  /** Bytes of a record's body. */
  maxDecodeBytes: number
  /** UTF-8 bytes of an id. */
  maxIdBytes: number
  /** Users come out under pseudonyms made with this key. Absent: under their ids. */
  pseudonyms?: { key: string } | undefined
}

/** As avsc reads a record by our reader schemas. */
export interface EventRecord {
  eventId: string
  eventTime: number
  user: Id
  item: Id
  id: Id
  requestId: string | null
  position: number | null
  value: number
  context: Record<string, string> | null
  candidates: Id[]
  title: string | null
  category: string | null
  brand: string | null
  price: number | null
  embedding: number[] | null
  embeddings: Record<string, number[]>
  attributes: Record<string, string[]>
  numbers: Record<string, number>
}

type Reject = Extract<Outcome<Event>, { kind: 'reject' }>

export function reject(reason: RejectReason, message: string): Reject {
  return { kind: 'reject', reason, message }
}

const ok = (value: Event): Outcome<Event> => ({ kind: 'ok', value })

/** `timeDivisor`: writer's time units a millisecond. `nameOf`: what a user is called from here on. */
export function createToEvent(kind: EventKind, limits: EventLimits, nameOf: (user: Id) => Id, timeDivisor: number) {
  const { maxIdBytes } = limits
  const badId = (text: string) => text.length === 0 || isTooLong(text, maxIdBytes) || text.includes('\uFFFD')
  const idReject = (field: string, text: string): Reject => {
    if (text.length === 0) return reject('invalid-id', `${field} is empty`)
    if (isTooLong(text, maxIdBytes)) return reject('invalid-id', `${field} is longer than ${maxIdBytes} bytes`)
    return reject('invalid-id', `${field} is not valid UTF-8`)
  }

  function checkStamp(record: EventRecord): Reject | undefined {
    if (badId(record.eventId)) return idReject('eventId', record.eventId)
    if (timeDivisor !== 1) record.eventTime = Math.floor(record.eventTime / timeDivisor)
    if (!(record.eventTime >= 0 && record.eventTime <= MAX_TIME_MS)) {
      return reject('invalid-time', `eventTime is ${record.eventTime} ms since 1970`)
    }
    return undefined
  }

  function checkPair(record: EventRecord): Reject | undefined {
    if (badId(record.user)) return idReject('user', record.user)
    if (badId(record.item)) return idReject('item', record.item)
    if (record.requestId !== null && badId(record.requestId)) return idReject('requestId', record.requestId)
    return undefined
  }

  function toImpression(record: EventRecord): Outcome<Event> {
    const fault = checkStamp(record) ?? checkPair(record)
    if (fault !== undefined) return fault
    const { eventId, eventTime: eventTimeMs, item, requestId, position, context } = record
    if (position !== null && position < 1) return reject('invalid-number', `position is ${position}, not 1 or more`)
    const user = nameOf(record.user)
    const event: Impression = { kind: 'impression', eventId, eventTimeMs, user, item, requestId, position, context }
    return ok(event)
  }

  function toPositive(record: EventRecord): Outcome<Event> {
    const fault = checkStamp(record) ?? checkPair(record)
    if (fault !== undefined) return fault
    const { eventId, eventTime: eventTimeMs, item, requestId, context } = record
    const value = kind === 'click' ? 1 : record.value
    if (!Number.isFinite(value)) return reject('invalid-number', `value is ${value}`)
    const user = nameOf(record.user)
    return ok({ kind: kind as PositiveKind, eventId, eventTimeMs, user, item, requestId, value, context })
  }

  function toScoreRequest(record: EventRecord): Outcome<Event> {
    const fault = checkStamp(record)
    if (fault !== undefined) return fault
    const { eventId, eventTime: eventTimeMs, candidates, context } = record
    const requestId = record.requestId ?? ''
    if (badId(record.user)) return idReject('user', record.user)
    if (badId(requestId)) return idReject('requestId', requestId)
    if (candidates.length > MAX_CANDIDATES) {
      return reject('too-large', `${candidates.length} candidates, at most ${MAX_CANDIDATES} are allowed`)
    }
    for (const candidate of candidates) if (badId(candidate)) return idReject('a candidate', candidate)
    const user = nameOf(record.user)
    const event: ScoreRequest = { kind: 'score-request', eventId, eventTimeMs, requestId, user, candidates, context }
    return ok(event)
  }

  function toProfile(record: EventRecord): Outcome<Event> {
    const fault = checkStamp(record)
    if (fault !== undefined) return fault
    const { eventId, eventTime: eventTimeMs, embedding, embeddings } = record
    if (badId(record.id)) return idReject('id', record.id)
    const unusable = embedding === null ? undefined : embeddingReject('embedding', embedding)
    if (unusable !== undefined) return unusable
    let further = 0
    for (const name in embeddings) {
      further++
      const unusable = embeddingReject(`embeddings.${name}`, embeddings[name] ?? [])
      if (unusable !== undefined) return unusable
    }
    const attributes = { ...record.attributes }
    const numbers = { ...record.numbers }
    if (kind === 'item') foldItem(record, attributes, numbers)
    for (const name of Object.keys(numbers)) {
      if (!Number.isFinite(numbers[name])) return reject('invalid-number', `${name} is ${numbers[name]}`)
    }
    const id = kind === 'user' ? nameOf(record.id) : record.id
    const event: Profile = { kind: kind as 'item' | 'user', eventId, eventTimeMs, id, attributes, numbers, embedding }
    if (further > 0) event.embeddings = embeddings
    return ok(event)
  }

  function toErase(record: EventRecord): Outcome<Event> {
    const fault = checkStamp(record)
    if (fault !== undefined) return fault
    const { eventId, eventTime: eventTimeMs } = record
    if (badId(record.user)) return idReject('user', record.user)
    return ok({ kind: 'erase', eventId, eventTimeMs, user: nameOf(record.user) })
  }

  if (kind === 'impression') return toImpression
  if (kind === 'erase') return toErase
  if (kind === 'score-request') return toScoreRequest
  return kind === 'item' || kind === 'user' ? toProfile : toPositive
}

function embeddingReject(field: string, embedding: readonly number[]): Reject | undefined {
  const { length } = embedding
  if (length > MAX_EMBEDDING)
    return reject('too-large', `${field} has ${length} numbers, at most ${MAX_EMBEDDING} are allowed`)
  return embedding.every(Number.isFinite)
    ? undefined
    : reject('invalid-number', `${field} has a number that is not finite`)
}

function foldItem(record: EventRecord, attributes: Record<string, string[]>, numbers: Record<string, number>): void {
  const words = record.title === null ? [] : titleWords(record.title)
  if (words.length > 0) attributes.title = words
  if (record.category !== null && record.category !== '') attributes.category = [record.category]
  if (record.brand !== null && record.brand !== '') attributes.brand = [record.brand]
  if (record.price !== null) numbers.price = record.price
}

/** Lower-cased words of letters, in order, each once. */
function titleWords(title: string): string[] {
  const words = title.toLowerCase().match(/\p{L}[\p{L}\p{M}]*/gu) ?? []
  return [...new Set(words)].slice(0, MAX_TITLE_WORDS)
}

function isTooLong(text: string, maxBytes: number): boolean {
  // UTF-8 takes 1 to 3 bytes a UTF-16 unit.
  return text.length > maxBytes || (text.length * 3 > maxBytes && Buffer.byteLength(text) > maxBytes)
}
