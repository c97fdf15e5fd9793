/**
 * Event time of the stream. Stream time is the highest admitted event time; the watermark is that minus `disorder`.
 * A record behind the watermark is late, all others within reach are ordinary.
 *
 * A record further ahead than `reach` (maxFuture, at least disorder) must not move the clock alone: one wrong timestamp
 * would let everything mature. But real logs do jump, over nights and outages. So such a record is held until others
 * have spoken, and what counts is what comes behind it in the log, whatever the partition:
 * - an ordinary record, or another one far ahead, that lies more than `reach` before it contradicts it: it is rejected;
 * - with CONFIRMATIONS later records far ahead that do not contradict it, it is admitted, and so is what it brings into
 *   reach. Held records are judged in their order, each by the ones behind it, so that a wrong timestamp right behind a
 *   real jump is not carried along;
 * - a late record says nothing about the present and changes nothing;
 * - a held record's own copy (`same`) confirms nothing: a producer that retries does not make its mistake true.
 * So at most CONFIRMATIONS records are held. The first record of a log has no stream time to be measured by: everything
 * is far ahead of it, and it is judged in the same way. At the end of a finite log nothing can contradict what is still
 * held, and it is admitted.
 *
 * The order of what comes out is a function of the log: records in log order, except that held ones come later than the
 * late records that they were read before.
 */
import type { Json, LoadedState, PartState } from '../domain/state.js'

const CONFIRMATIONS = 2

/** ordinary, late: use it now. held: not yet. settled: see StreamClock.settled, which has this record too unless it is held. */
export type Admission = 'ordinary' | 'late' | 'held' | 'settled'

export interface Settled<P> {
  payload: P
  /** rejected: a timestamp that the stream contradicts ('future-time'). duplicate: a copy of a held record. */
  verdict: 'ordinary' | 'late' | 'rejected' | 'duplicate'
  /** The watermark as of this record. */
  watermarkMs: number
}

/** What the clock must know of the records that it holds. */
export interface HeldPayload<P> {
  same(a: P, b: P): boolean
  toJson(payload: P): Json
  fromJson(json: Json): P
}

interface Held<P> {
  eventTimeMs: number
  payload: P
}

export class StreamClock<P> {
  readonly #disorderMs: number
  readonly #reachMs: number
  readonly #payloads: HeldPayload<P>
  #streamMs = Number.NEGATIVE_INFINITY
  #held: Held<P>[] = []
  /** After admit() said 'settled', and after end(): what is decided now, in the order in which to use it. */
  settled: Settled<P>[] = []

  constructor(config: { disorder: number; maxFuture: number }, payloads: HeldPayload<P>) {
    this.#disorderMs = config.disorder
    this.#reachMs = Math.max(config.maxFuture, config.disorder)
    this.#payloads = payloads
  }

  /** Highest admitted event time; -Infinity before the first. */
  get streamMs(): number {
    return this.#streamMs
  }

  /** No ordinary record before this time will come; -Infinity before the first. */
  get watermarkMs(): number {
    return this.#streamMs - this.#disorderMs
  }

  /** Records that wait for confirmation. */
  get held(): number {
    return this.#held.length
  }

  admit(eventTimeMs: number, payload: P): Admission {
    if (eventTimeMs < this.watermarkMs) return 'late'
    const isNear = eventTimeMs <= this.#streamMs + this.#reachMs
    if (this.#held.length === 0) {
      if (!isNear) {
        this.#held.push({ eventTimeMs, payload })
        return 'held'
      }
      if (eventTimeMs > this.#streamMs) this.#streamMs = eventTimeMs
      return 'ordinary'
    }
    this.settled = []
    if (this.#held.some(held => this.#payloads.same(held.payload, payload))) {
      this.settled.push({ payload, verdict: 'duplicate', watermarkMs: this.watermarkMs })
      return 'settled'
    }
    this.#contradict(eventTimeMs)
    this.#held.push({ eventTimeMs, payload })
    this.#confirm(isNear)
    return this.settled.length > 0 ? 'settled' : 'held'
  }

  /**
   * The stream had come so far here, by records that are not in the log any more; without a word of this kind their
   * successors would be held. See `settled`.
   */
  witness(eventTimeMs: number): void {
    this.settled = []
    if (eventTimeMs <= this.#streamMs) return
    this.#streamMs = eventTimeMs
    this.#confirm(false)
  }

  /** Drops held records for which the test holds, as if they had never come; how many. */
  forget(test: (payload: P) => boolean): number {
    const before = this.#held.length
    this.#held = this.#held.filter(({ payload }) => !test(payload))
    return before - this.#held.length
  }

  /** The end of a finite log: admits what is held; see `settled`. */
  end(): void {
    this.settled = []
    this.#confirm(true)
  }

  saveState(): PartState {
    return {
      meta: {
        streamMs: this.#streamMs === Number.NEGATIVE_INFINITY ? null : this.#streamMs,
        held: this.#held.map(({ eventTimeMs, payload }) => ({ eventTimeMs, payload: this.#payloads.toJson(payload) })),
      },
      arrays: {},
    }
  }

  loadState(state: LoadedState): void {
    const meta = state.meta as { streamMs: number | null; held: { eventTimeMs: number; payload: Json }[] }
    this.#streamMs = meta.streamMs ?? Number.NEGATIVE_INFINITY
    this.#held = meta.held.map(({ eventTimeMs, payload }) => ({
      eventTimeMs,
      payload: this.#payloads.fromJson(payload),
    }))
  }

  /** Rejects what is held too far ahead of this later record. */
  #contradict(eventTimeMs: number): void {
    this.#held = this.#held.filter(held => {
      const stands = held.eventTimeMs <= eventTimeMs + this.#reachMs
      if (!stands) this.settled.push({ payload: held.payload, verdict: 'rejected', watermarkMs: this.watermarkMs })
      return stands
    })
  }

  /** Admits from the front what is confirmed, what is within reach by now, or all. */
  #confirm(all: boolean): void {
    for (;;) {
      const first = this.#held[0]
      if (first === undefined) return
      const isNear = first.eventTimeMs <= this.#streamMs + this.#reachMs
      if (!all && !isNear && this.#held.length <= CONFIRMATIONS) return
      this.#held.shift()
      const verdict = first.eventTimeMs < this.watermarkMs ? 'late' : 'ordinary'
      this.#streamMs = Math.max(this.#streamMs, first.eventTimeMs)
      this.settled.push({ payload: first.payload, verdict, watermarkMs: this.watermarkMs })
    }
  }
}
