/**
 * Drops records that came before: event ids (their hashes, with the kind) are remembered for duplicateWindow of event
 * time after their record, at most duplicateCapacity of them. Beyond the capacity the oldest go early; how many is
 * counted, because a duplicate of those would pass.
 *
 * Ids leave in arrival order; their age is counted from the highest event time at their arrival.
 */
import type { EventKind } from '../domain/event.js'
import type { LoadedState, PartState } from '../domain/state.js'
import type { Hasher } from '../std/hash.js'
import { KeyQueue } from './key-queue.kernel.js'

const KINDS: Readonly<Record<EventKind, number>> = {
  impression: 1,
  click: 2,
  buy: 3,
  rating: 4,
  item: 5,
  user: 6,
  'score-request': 7,
  erase: 8,
}

export class DuplicateFilter {
  readonly #windowMs: number
  readonly #capacity: number
  readonly #hasher: Hasher
  readonly #ids = new KeyQueue()
  #streamMs = Number.NEGATIVE_INFINITY
  #duplicates = 0
  #forgotten = 0

  constructor(config: { duplicateWindow: number; duplicateCapacity: number }, hasher: Hasher) {
    this.#windowMs = config.duplicateWindow
    this.#capacity = config.duplicateCapacity
    this.#hasher = hasher
  }

  /** Whether the record came before; if not, it is remembered. */
  isDuplicate(kind: EventKind, eventId: string, eventTimeMs: number): boolean {
    if (eventTimeMs > this.#streamMs) this.#streamMs = eventTimeMs
    while (this.#ids.size > 0 && this.#ids.oldestMs + this.#windowMs < this.#streamMs) this.#ids.shift()
    this.#hasher.once(eventId)
    this.#hasher.mix(this.#hasher.lo, this.#hasher.hi, KINDS[kind], 0)
    if (this.#ids.has(this.#hasher.lo, this.#hasher.hi)) {
      this.#duplicates++
      return true
    }
    if (this.#ids.size >= this.#capacity) {
      this.#ids.shift()
      this.#forgotten++
    }
    this.#ids.push(this.#hasher.lo, this.#hasher.hi, this.#streamMs)
    return false
  }

  /** forgotten: ids that had to go before their time. */
  stats(): { remembered: number; duplicates: number; forgotten: number } {
    return { remembered: this.#ids.size, duplicates: this.#duplicates, forgotten: this.#forgotten }
  }

  saveState(): PartState {
    return {
      meta: {
        streamMs: this.#streamMs === Number.NEGATIVE_INFINITY ? null : this.#streamMs,
        duplicates: this.#duplicates,
        forgotten: this.#forgotten,
      },
      arrays: this.#ids.saveArrays(),
    }
  }

  loadState(state: LoadedState): void {
    const meta = state.meta as { streamMs: number | null; duplicates: number; forgotten: number }
    this.#streamMs = meta.streamMs ?? Number.NEGATIVE_INFINITY
    this.#duplicates = meta.duplicates
    this.#forgotten = meta.forgotten
    this.#ids.loadArrays(state.arrays)
  }
}
