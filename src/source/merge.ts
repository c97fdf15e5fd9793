/**
 * Merges partitions that grow while they are read into one order by event time. Of the active partitions' heads the
 * earliest comes next, ties by partition index; a head without a time (it can not be decoded) follows its predecessor at
 * once. Every active partition must have a head before one is taken, so what is taken depends on the log alone, and on
 * which partitions are active:
 *
 * - a partition that lacks a record for `idleMs` becomes idle: the others go on without it, and what it holds waits;
 * - an idle partition becomes active again with its next record.
 *
 * Both depend on when records arrive. So each such decision is handed out, with the number of records taken before it,
 * before any record is taken that depends on it; and the same decisions, given back to follow(), make the same order
 * of the same log, bit for bit. While there are decisions to follow, and whenever next() is called without a time, the
 * clock decides nothing.
 *
 * A head more than `maxFutureMs` ahead of the earliest head is far: one wrong timestamp must not hold up its partition
 * until all others get there. Its place is then that of the first record within SIGHT behind it that is not far, and
 * its own if there is none. This too must not depend on arrival: what is not there yet is waited for like a head.
 *
 * A partition that has been idle and gets only a record now and then would make all others wait `idleMs` behind each of
 * them: it is not waited for again until it is steady, unless more of it is known to be there (`behind`).
 */

import type { MergeDecision } from './source.js'

/** next(): what is recorded leads to a partition that had been read to its end. */
export const UNFIT = -2
/** Records of a partition that are looked at: the head and those behind it. */
export const SIGHT = 4
/** So many records in quick succession make a partition worth waiting for. */
const STEADY = 8
/** Quick: within this share of idleMs. */
const QUICK = 1 / 8

/** What the merge must know of a partition. */
export interface MergeLane {
  /** Records that are there. */
  readonly length: number
  /** Nothing will come behind them: the end of a finite log. */
  readonly ended: boolean
  /** More is known to be in the log. */
  readonly behind: boolean
  /** Event time of the record so many places behind the head, below `length` and SIGHT; NaN: it has none. */
  timeMs(ahead: number): number
}

export interface MergeOptions {
  maxFutureMs: number
  idleMs: number
  /** Records taken in earlier runs; decisions count from there. */
  records?: number
  onDecision(decision: MergeDecision): void
}

interface Seat {
  lane: MergeLane
  idle: boolean
  /** Idle: records that it had then. Lacking: records that it had when the wait began. */
  length: number
  /** Since when it is idle, or lacking; NaN: neither. */
  sinceMs: number
  /** Not waited for: it had to be sat out, and has not been steady since. */
  sparse: boolean
  /** Quick records, less slow ones; 0..STEADY. */
  quick: number
}

export class EventTimeMerge {
  readonly #maxFutureMs: number
  readonly #idleMs: number
  readonly #onDecision: (decision: MergeDecision) => void
  readonly #seats: Seat[] = []
  /** Partitions that keep the others from going on. */
  readonly #lacking: Seat[] = []
  /** Some seat may have a wait that is over. */
  #isWaiting = false
  #forced: MergeDecision[] = []
  #records: number

  constructor({ maxFutureMs, idleMs, records = 0, onDecision }: MergeOptions) {
    this.#maxFutureMs = maxFutureMs
    this.#idleMs = idleMs
    this.#records = records
    this.#onDecision = onDecision
  }

  /** Records taken, those of earlier runs included. */
  get records(): number {
    return this.#records
  }

  /** The next partition. */
  add(lane: MergeLane): void {
    this.#seats.push({ lane, idle: false, length: 0, sinceMs: Number.NaN, sparse: false, quick: STEADY })
  }

  /** One that was added while running: idle until its first record. Without a name that is decided already. */
  addIdle(lane: MergeLane, name?: string): void {
    const partition = this.#seats.length
    this.#seats.push({ lane, idle: true, length: 0, sinceMs: Number.NaN, sparse: true, quick: 0 })
    if (name !== undefined) this.#onDecision({ records: this.#records, partition, idle: true, name })
  }

  /** Decisions of an earlier run from here on, in order. */
  follow(decisions: readonly MergeDecision[]): void {
    this.#forced = [...decisions]
  }

  get following(): boolean {
    return this.#forced.length > 0
  }

  /** A record was taken without being asked for here. */
  pass(): void {
    this.#records++
  }

  /** Partitions. */
  get size(): number {
    return this.#seats.length
  }

  /** Gives up what is still to be followed; returns how much that was. */
  abandon(): number {
    return this.#forced.splice(0).length
  }

  /** Makes the recorded decisions that belong here, though no record is taken any more. */
  settle(): void {
    this.#applyForced()
  }

  /** Decisions that bring a merge at the same place to the present state; part of a checkpoint. */
  standing(): MergeDecision[] {
    this.#applyForced()
    return this.#seats.flatMap(({ idle }, partition) => (idle ? [{ records: this.#records, partition, idle }] : []))
  }

  isIdle(partition: number): boolean {
    return this.#seats[partition]?.idle ?? false
  }

  /**
   * Index of the partition whose head comes next, which the caller takes; -1: records have to arrive, or time to pass.
   * nowMs: any clock, undefined: it has no say. isPast: of a repetition; a partition of which nothing is to be repeated any
   * more can not come next: UNFIT.
   */
  next(nowMs?: number, isPast?: (partition: number) => boolean): number {
    this.#applyForced()
    const isLive = nowMs !== undefined && this.#forced.length === 0
    for (;;) {
      if (isLive) this.#wake(nowMs)
      const chosen = this.#choose()
      if (chosen >= 0) {
        if (isPast?.(chosen) === true) return UNFIT
        if (isLive) this.#endWaits(nowMs)
        this.#records++
        return chosen
      }
      if (!isLive || !this.#expire(nowMs)) return -1
    }
  }

  #applyForced(): void {
    for (let next = this.#forced[0]; next !== undefined && next.records <= this.#records; next = this.#forced[0]) {
      this.#forced.shift()
      const seat = this.#seats[next.partition]
      if (seat === undefined) continue
      seat.idle = next.idle
      seat.length = seat.lane.length
      seat.sinceMs = Number.NaN
      if (next.idle) sitOut(seat)
    }
  }

  #choose(): number {
    this.#lacking.length = 0
    let baseMs = Number.POSITIVE_INFINITY
    for (const seat of this.#seats) {
      if (seat.idle) continue
      const { lane } = seat
      if (lane.length > 0) {
        const timeMs = lane.timeMs(0)
        if (timeMs < baseMs) baseMs = timeMs
      } else if (!lane.ended) this.#lacking.push(seat)
    }
    if (this.#lacking.length > 0) return -1
    let chosen = -1
    let chosenMs = Number.POSITIVE_INFINITY
    for (let index = 0; index < this.#seats.length; index++) {
      const seat = this.#seats[index]
      if (seat === undefined || seat.idle || seat.lane.length === 0) continue
      const placeMs = this.#place(seat.lane, baseMs + this.#maxFutureMs)
      if (placeMs === undefined) this.#lacking.push(seat)
      else if (chosen < 0 || placeMs < chosenMs) {
        chosen = index
        chosenMs = placeMs
      }
    }
    return this.#lacking.length > 0 ? -1 : chosen
  }

  /** Where a head belongs; undefined: more of its partition has to be seen. */
  #place(lane: MergeLane, reachMs: number): number | undefined {
    const headMs = lane.timeMs(0)
    if (Number.isNaN(headMs)) return Number.NEGATIVE_INFINITY
    if (headMs <= reachMs) return headMs
    for (let ahead = 1; ahead < SIGHT; ahead++) {
      if (ahead >= lane.length) return lane.ended ? headMs : undefined
      const timeMs = lane.timeMs(ahead)
      if (timeMs <= reachMs) return timeMs
    }
    return headMs
  }

  /** Idle partitions that have something new, whose head is no longer far, or that alone have records left. */
  #wake(nowMs: number): void {
    /** Of the active heads; without one nothing can be said to be near. */
    let baseMs = Number.POSITIVE_INFINITY
    let isAlone = true
    for (const { idle, lane } of this.#seats) {
      if (idle) continue
      if (lane.length > 0 || !lane.ended) isAlone = false
      if (lane.length > 0 && lane.timeMs(0) < baseMs) baseMs = lane.timeMs(0)
    }
    for (let partition = 0; partition < this.#seats.length; partition++) {
      const seat = this.#seats[partition]
      if (seat === undefined || !seat.idle) continue
      const { lane } = seat
      if (lane.length === 0) continue
      const isNew = lane.length > seat.length
      const isFar = baseMs === Number.POSITIVE_INFINITY || lane.timeMs(0) > baseMs + this.#maxFutureMs
      if (!isNew && !isAlone && isFar) continue
      if (isNew) this.#pace(seat, nowMs)
      this.#decide(partition, seat, false, Number.NaN)
    }
  }

  /** Makes those idle that have been waited for long enough; false: nothing changed. */
  #expire(nowMs: number): boolean {
    let isChanged = false
    this.#endWaits(nowMs)
    for (const seat of this.#lacking) {
      const { lane } = seat
      if (Number.isNaN(seat.sinceMs) || seat.length !== lane.length) {
        seat.sinceMs = nowMs
        seat.length = lane.length
        this.#isWaiting = true
      }
      const isWorthIt = !seat.sparse || lane.behind
      if (isWorthIt && nowMs - seat.sinceMs < this.#idleMs) continue
      if (isWorthIt) sitOut(seat)
      this.#decide(this.#seats.indexOf(seat), seat, true, nowMs)
      isChanged = true
    }
    return isChanged
  }

  #decide(partition: number, seat: Seat, idle: boolean, sinceMs: number): void {
    seat.idle = idle
    seat.length = seat.lane.length
    seat.sinceMs = sinceMs
    this.#onDecision({ records: this.#records, partition, idle })
  }

  /** Ends the waits of those whose record came. */
  #endWaits(nowMs: number): void {
    if (!this.#isWaiting) return
    this.#isWaiting = this.#lacking.length > 0
    for (const seat of this.#seats) {
      if (seat.idle || Number.isNaN(seat.sinceMs) || this.#lacking.includes(seat)) continue
      this.#pace(seat, nowMs)
      seat.sinceMs = Number.NaN
    }
  }

  #pace(seat: Seat, nowMs: number): void {
    const isQuick = nowMs - seat.sinceMs <= this.#idleMs * QUICK
    seat.quick = isQuick ? Math.min(seat.quick + 1, STEADY) : Math.max(seat.quick - 1, 0)
    if (seat.quick === 0) seat.sparse = true
    else if (seat.quick === STEADY) seat.sparse = false
  }
}

function sitOut(seat: Seat): void {
  seat.sparse = true
  seat.quick = 0
}
