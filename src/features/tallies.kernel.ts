/**
 * What happened to each entity of one table: how often, when last, and the sum of its ratings. Tallies of the same
 * kind and half-life are shared by all features that ask for them.
 *
 * With a half-life h an event of age a counts 2^(-a/h). A tally is kept as of the last event of its kind, so that
 * reading it later costs one exp. Event time may run backwards: a late event counts as if it had come at that last
 * one, and ages are never negative.
 */
import { type EntityTable, NONE } from './entity-table.kernel.js'

export const KINDS = ['impression', 'click', 'buy', 'rating'] as const
export type CountedKind = (typeof KINDS)[number]
const DAY_MS = 86_400_000

export interface Tally {
  /** Cells in the table. */
  count: number
  /** Of the rated values; -1 if nobody asked. */
  sum: number
  /** Shared by all that need the time of the last event of a kind; -1 if the tally does not decay. */
  last: number
  /** ln 2 / half-life in ms; 0 = counted for ever. */
  decay: number
}

export class Tallies {
  readonly table: EntityTable
  readonly #byKind: Tally[][] = KINDS.map(() => [])
  readonly #last: number[] = KINDS.map(() => -1)

  constructor(table: EntityTable) {
    this.table = table
  }

  /** Cell with the time of the entity's last event of the kind; NONE before the first one. */
  last(kind: CountedKind): number {
    const index = KINDS.indexOf(kind)
    if (this.#last[index] === -1) this.#last[index] = this.table.addNumber(NONE)
    return this.#last[index]!
  }

  tally(kind: CountedKind, halfLifeMs: number | undefined, withSum = false): Tally {
    const decay = halfLifeMs === undefined ? 0 : Math.LN2 / halfLifeMs
    const tallies = this.#byKind[KINDS.indexOf(kind)]!
    let tally = tallies.find(other => other.decay === decay)
    if (tally === undefined) {
      tally = { count: this.table.addNumber(0), sum: -1, last: decay > 0 ? this.last(kind) : -1, decay }
      tallies.push(tally)
    }
    if (withSum && tally.sum === -1) tally.sum = this.table.addNumber(0)
    return tally
  }

  /** Whether events of the kind (an index into KINDS) leave anything in this table. */
  wants(kind: number): boolean {
    return this.#last[kind] !== -1 || this.#byKind[kind]!.length > 0
  }

  add(kind: number, row: number, nowMs: number, value: number): void {
    const numbers = this.table.numbers
    const first = row * this.table.numberWidth
    const last = this.#last[kind]!
    const ageMs = last === -1 ? 0 : nowMs - numbers[first + last]!
    for (const { count, sum, decay } of this.#byKind[kind]!) {
      const kept = ageMs > 0 && decay > 0 ? Math.exp(-decay * ageMs) : 1
      numbers[first + count] = numbers[first + count]! * kept + 1
      if (sum >= 0) numbers[first + sum] = numbers[first + sum]! * kept + value
    }
    if (ageMs > 0) numbers[first + last] = nowMs
  }
}

/** The count as of now. */
export function countAt(table: EntityTable, row: number, tally: Tally, nowMs: number): number {
  const first = row * table.numberWidth
  return table.numbers[first + tally.count]! * keptAt(table, first, tally, nowMs)
}

/** The sum of ratings as of now. */
export function sumAt(table: EntityTable, row: number, tally: Tally, nowMs: number): number {
  const first = row * table.numberWidth
  return table.numbers[first + tally.sum]! * keptAt(table, first, tally, nowMs)
}

/** Days since the event whose time is in the cell; NONE if there was none. */
export function daysSince(table: EntityTable, row: number, lastCell: number, nowMs: number): number {
  const last = table.numbers[row * table.numberWidth + lastCell]!
  return last === NONE ? NONE : Math.max(0, nowMs - last) / DAY_MS
}

function keptAt(table: EntityTable, first: number, tally: Tally, nowMs: number): number {
  if (tally.decay === 0) return 1
  const ageMs = nowMs - table.numbers[first + tally.last]!
  return ageMs > 0 ? Math.exp(-tally.decay * ageMs) : 1
}
