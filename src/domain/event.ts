/**
 * Glossary (the words of code, docs and metrics)
 *
 * event       something that happened: impression, click, buy, rating; or a profile; or a score request; or an erasure
 * impression  an item shown to a user
 * label       what became of it: clicked, bought, rated
 * example     an impression or positive joined with its labels; lives as one row of the shared columns
 * task        one head of the model and its loss
 * slot        one categorical feature field; row: one id's embedding
 * step        one mini-batch update of the model; its number is the model's version
 * tick        the event-time interval at which batches are flushed
 * dead letter a record that could not be used, kept byte for byte with the reason
 */

/** An id as decimal or text, exact: longs beyond 2^53 never pass through a JavaScript number. */
export type Id = string

/** In the order of the branches in an event log's union: new kinds go to the end. */
export const EVENT_KINDS = ['impression', 'click', 'buy', 'rating', 'item', 'user', 'score-request', 'erase'] as const

export type EventKind = (typeof EVENT_KINDS)[number]

/** The kinds that can label an impression. */
export type PositiveKind = 'click' | 'buy' | 'rating'

interface Stamped {
  eventId: string
  /** Milliseconds since 1970, event time. */
  eventTimeMs: number
}

export interface Impression extends Stamped {
  kind: 'impression'
  user: Id
  item: Id
  /** Which page or request showed it; a positive with the same id is attributed to this impression. */
  requestId: string | null
  /** 1 = first place on the page; null = unknown. */
  position: number | null
  context: Record<string, string> | null
}

export interface Positive extends Stamped {
  kind: PositiveKind
  user: Id
  item: Id
  requestId: string | null
  /** Rating: the rating. Buy: quantity or amount. Click: 1. */
  value: number
  context: Record<string, string> | null
}

/** A profile replaces the one before it as a whole. Attribute values are text; several values make a multi-valued attribute. */
export interface Profile extends Stamped {
  kind: 'item' | 'user'
  id: Id
  /** Categorical attributes. Items: category, brand, title words and so on. */
  attributes: Record<string, string[]>
  /** Numeric attributes: price, age and so on. */
  numbers: Record<string, number>
  /** A pretrained embedding of the item's text or picture, if there is one. */
  embedding: number[] | null
  /** Further ones by name; absent: none. */
  embeddings?: Record<string, number[]>
}

export interface ScoreRequest extends Stamped {
  kind: 'score-request'
  requestId: string
  user: Id
  candidates: Id[]
  context: Record<string, string> | null
}

/** What is kept of a user is to be forgotten, as of its place in the log: its time says nothing and moves no clock. */
export interface Erase extends Stamped {
  kind: 'erase'
  user: Id
}

export type Event = Impression | Positive | Profile | ScoreRequest | Erase

/** An event that has its place in event time. */
export type TimedEvent = Exclude<Event, Erase>

/** Whose the event is; undefined: nobody's, as an item's profile. */
export function userOf(event: Event): Id | undefined {
  if ('user' in event) return event.user
  return event.kind === 'user' ? event.id : undefined
}

/** Where a record came from: partition and offset name it for ever. */
export interface RecordPosition {
  /** Index of the partition in the source's sorted partition list. */
  partition: number
  offset: bigint
}
