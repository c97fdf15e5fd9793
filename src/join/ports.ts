/** What the join asks of its caller, and what it counts. */
import type { Id, PositiveKind } from '../domain/event.js'
import type { DropReason } from '../domain/outcome.js'

/** What features are taken of: an impression, a positive that is an example itself, or a sampled negative. */
export interface JoinSubject {
  user: Id
  item: Id
  eventTimeMs: number
  requestId: string | null
  position: number | null
  context: Record<string, string> | null
  /** A sampled negative has the event id of its positive. */
  eventId: string
}

/** Called from within handle(), advance() and end(); must not call back into the joiner. */
export interface JoinPorts {
  /** A new row with the subject's features as of now. score: ask for its score (false: it is scored in its learning step). */
  arrive(subject: JoinSubject, score: boolean): number
  /** labels, mask: [tasks], valid during the call only; never all masked; mask: see domain/example.ts. fresh: never scored before. */
  mature(row: number, labels: Float32Array, mask: Uint8Array, fresh: boolean, impressionTimeMs: number): void
  /** No later call names this row. */
  release(row: number): void
  drop(reason: DropReason, count: number): void
}

/** Part of the saved state, so that a resumed run counts on. */
export interface JoinCounters {
  /** Calls of mature(). */
  matured: number
  /** Positives that found an impression, at once or later. */
  attributed: Record<PositiveKind, number>
  /** Of those: the ones whose impression came after them. */
  resolved: number
  /** Positives that became organic examples. */
  organic: number
  /** Positives that no task uses. */
  unused: number
  /** Per task: events whose value for it was missing. */
  missing: number[]
  /** Records behind the watermark, dropped or not. */
  late: number
  /** late, organic: positives and impressions not used. capacity: impressions and positives decided before their time. erased: of users who are. */
  dropped: { late: number; capacity: number; organic: number; erased: number }
}

export interface JoinStats extends JoinCounters {
  /** Impressions that wait. */
  waiting: number
  /** Positives that wait for their impression. */
  orphans: number
}

export function createCounters(tasks: number): JoinCounters {
  return {
    matured: 0,
    attributed: { click: 0, buy: 0, rating: 0 },
    resolved: 0,
    organic: 0,
    unused: 0,
    missing: new Array<number>(tasks).fill(0),
    late: 0,
    dropped: { late: 0, capacity: 0, organic: 0, erased: 0 },
  }
}
