import type { Id } from '../domain/event.js'

/** What features are taken of: a user and an item that meet, at the time they do. */
export interface FeatureSubject {
  user: Id
  item: Id
  eventTimeMs: number
  requestId: string | null
  position: number | null
  context: Record<string, string> | null
}
