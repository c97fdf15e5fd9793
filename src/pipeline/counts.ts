/** What became of the records, for reports and metrics. Keys are closed unions, so this is bounded. */
import type { EventKind } from '../domain/event.js'
import type { DropReason, RejectReason } from '../domain/outcome.js'

export interface Counts {
  events: Partial<Record<EventKind, number>>
  drops: Partial<Record<DropReason, number>>
  rejects: Partial<Record<RejectReason, number>>
}

export function increment<K extends string>(counts: Partial<Record<K, number>>, key: K, by = 1): void {
  counts[key] = (counts[key] ?? 0) + by
}
