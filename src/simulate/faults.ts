/**
 * What goes wrong in real logs, as far as a valid Avro file can hold it. One fault is made of one session's records just
 * before they are scheduled: some faults add a record, others move one. Faults go round in a fixed order, so that every
 * kind occurs once there are as many faults as kinds; a fault that this session has no material for gives way to the next.
 */
import type { LogId } from '../sink/sink.js'
import type { Random } from '../std/random.js'
import type { Entry, Scheduled } from './records.js'

export const FAULTS = [
  'nan-price', // item profile whose price is not a number
  'empty-id', // click of nobody
  'negative-time', // impression before 1970
  'future-time', // impression in the year 3000
  'duplicate', // the same record again, byte for byte, within seconds
  'click-first', // the click's record comes before its impression's
  'click-earlier', // the click's clock is behind: its time is before the impression's
  'hours-late', // a record that comes hours after its time
  'unknown-item', // buy of an item that no profile or impression named
  'infinite-value', // rating that is infinite
  'huge-id', // an item id of 1 MB; at most MAX_HUGE a log, so that a long log does not consist of them
] as const

export type Fault = (typeof FAULTS)[number]

const MAX_HUGE = 4
const HUGE_BYTES = 1_000_000
const YEAR_3000_MS = 32_503_680_000_000

export class FaultMaker {
  readonly counts: Record<Fault, number> = Object.fromEntries(FAULTS.map(fault => [fault, 0])) as Record<Fault, number>
  readonly #random: Random
  readonly #rate: number
  #due = 0
  #turn = 0
  #made = 0

  constructor(random: Random, rate: number) {
    this.#random = random
    this.#rate = rate
  }

  /** Adds to and changes the records of one session; `session` is not empty. */
  disturb(session: Scheduled[]): void {
    // Of n sound records and f faults beside them, f / (n + f) shall be the rate.
    this.#due += (session.length * this.#rate) / (1 - this.#rate)
    const sound = session.length
    for (; this.#due >= 1; this.#due--) {
      for (let tries = 0; tries < FAULTS.length; tries++) {
        const fault = FAULTS[this.#turn++ % FAULTS.length] ?? 'empty-id'
        if (!this.#make(fault, session, sound)) continue
        this.counts[fault]++
        break
      }
    }
  }

  #make(fault: Fault, session: Scheduled[], sound: number): boolean {
    const like = session[this.#random.integer(sound)]
    if (like === undefined) return false
    const { partition, arrivalMs } = like
    const add = (entry: Entry, later = 0) => {
      session.push({ ...entry, arrivalMs: arrivalMs + later, partition })
      return true
    }
    const stamp = { eventId: `x${this.#made++}`, eventTime: Math.round(arrivalMs) }
    const pair = { ...stamp, ...actors(like) }
    switch (fault) {
      case 'nan-price':
        return add({ kind: 'item', record: { ...stamp, id: pair.item, price: Number.NaN } })
      case 'empty-id':
        return add({ kind: 'click', record: { ...pair, user: '' } })
      case 'negative-time':
        return add({ kind: 'impression', record: { ...pair, eventTime: -1 - this.#random.integer(1e9) } })
      case 'future-time':
        return add({ kind: 'impression', record: { ...pair, eventTime: YEAR_3000_MS + this.#random.integer(1e9) } })
      case 'duplicate':
        return add(like, 2000 * this.#random.uniform())
      case 'unknown-item':
        return add({ kind: 'buy', record: { ...pair, item: `unlisted-${this.#made}` } })
      case 'infinite-value':
        return add({ kind: 'rating', record: { ...pair, value: Number.POSITIVE_INFINITY } })
      case 'huge-id':
        return (
          this.counts[fault] < MAX_HUGE &&
          add({ kind: 'impression', record: { ...pair, item: 'x'.repeat(HUGE_BYTES) } })
        )
      case 'hours-late':
        if (!untouched(like)) return false
        like.arrivalMs += (2 + 6 * this.#random.uniform()) * 3_600_000
        return true
      default:
        return this.#reverse(fault, session)
    }
  }

  /** A click and its impression in the wrong order: of arrival, or of time. */
  #reverse(fault: 'click-first' | 'click-earlier', session: Scheduled[]): boolean {
    for (const click of session) {
      if (click.kind !== 'click') continue
      const { item, requestId, eventTime } = click.record
      const shown = session.find(
        ({ kind, record }) => kind === 'impression' && record.item === item && record.requestId === requestId,
      )
      if (shown === undefined || !untouched(click) || !untouched(shown) || shown.record.eventTime > eventTime) continue
      if (fault === 'click-first') click.arrivalMs = shown.arrivalMs - 5
      else click.record = { ...click.record, eventTime: shown.record.eventTime - 1000 - this.#random.integer(4000) }
      return true
    }
    return false
  }
}

/** Whether no fault has moved it yet: one must not undo another. */
function untouched({ arrivalMs, record }: Scheduled): boolean {
  return arrivalMs === record.eventTime
}

/** Whom a made-up record is about: those of a sound one, so that only one thing is wrong with it. */
function actors({ kind, record }: Scheduled): { user: LogId; item: LogId } {
  if (kind === 'user') return { user: record.id, item: 100_001n }
  if (kind === 'item') return { user: 'u1', item: record.id }
  if (kind === 'erase') return { user: record.user, item: 100_001n }
  if (kind === 'score-request') return { user: record.user, item: record.candidates[0] ?? 100_001n }
  return { user: record.user, item: record.item }
}
