/**
 * Which rows go. Both parts run between batches and are bounded in work a call:
 * - expiry: a hand sweeps a thousandth of each table, so a row goes within about a thousand calls of its time;
 * - the row limit: for each row too many, the longest untouched of eight drawn pairs of neighbours (a pair costs one
 *   cache miss) goes, as in Redis; exact order would cost every row two links.
 * Draws come from a seeded generator whose state is saved: equal histories evict equal rows.
 */
import type { KeyIndex } from '../../std/key-index.kernel.js'
import { Random } from '../../std/random.js'

const SWEEPS_A_PASS = 1024
const RUNS = 8
const RUN_ROWS = 2

/** What retention needs of a table. */
export interface RetainedTable {
  readonly index: KeyIndex
  /** Rows of values. */
  readonly size: number
  /** Rows below are never removed. */
  readonly pinned: number
  /** Seconds of event time at the last use. */
  touched(row: number): number
  /** In use right now. */
  inBatch(row: number): boolean
  remove(row: number): void
}

export type RetentionState = { hands: number[]; random: [number, number, number, number] }

export class Retention {
  readonly #tables: readonly RetainedTable[]
  readonly #random: Random
  readonly #hands: number[]

  constructor(tables: readonly RetainedTable[], seed: number) {
    this.#tables = tables
    this.#random = new Random(seed ^ 0x65766963)
    this.#hands = tables.map(() => 0)
  }

  /** Removes rows last touched before the second, in the part of each table that is due. */
  expire(beforeSecond: number): number {
    let removed = 0
    this.#tables.forEach((table, at) => {
      const rows = table.index.rows
      let hand = this.#hands[at] ?? 0
      for (let left = Math.min(rows, SWEEPS_A_PASS + Math.floor(rows / SWEEPS_A_PASS)); left > 0; left--) {
        if (hand >= rows) hand = 0
        if (table.touched(hand) < beforeSecond && removable(table, hand)) {
          table.remove(hand)
          removed++
        }
        hand++
      }
      this.#hands[at] = hand
    })
    return removed
  }

  /** Removes rows until the tables together hold at most so many. */
  evict(maxRows: number): number {
    let size = 0
    for (const table of this.#tables) size += table.size
    let removed = 0
    for (; size > maxRows; size--) {
      if (!this.#evictOne()) break
      removed++
    }
    return removed
  }

  #evictOne(): boolean {
    let places = 0
    for (const table of this.#tables) places += table.index.rows
    let oldest: RetainedTable | undefined
    let oldestRow = -1
    let oldestSecond = Number.POSITIVE_INFINITY
    // Freed rows and shared ones are drawn in vain; there are few of them when the limit is reached.
    for (let run = 0; run < RUNS || (oldest === undefined && run < 4096); run++) {
      let row = Math.floor((this.#random.uint32() / 4294967296) * places)
      for (const table of this.#tables) {
        if (row >= table.index.rows) {
          row -= table.index.rows
          continue
        }
        const first = row - (row % RUN_ROWS)
        for (let near = first; near < Math.min(first + RUN_ROWS, table.index.rows); near++) {
          const second = table.touched(near)
          if (second < oldestSecond && removable(table, near)) {
            oldest = table
            oldestRow = near
            oldestSecond = second
          }
        }
        break
      }
    }
    if (oldest === undefined) return false
    oldest.remove(oldestRow)
    return true
  }

  saveState(): RetentionState {
    return { hands: [...this.#hands], random: this.#random.state() }
  }

  loadState({ hands, random }: RetentionState): void {
    hands.forEach((hand, at) => {
      this.#hands[at] = hand
    })
    this.#random.restore(random)
  }
}

function removable(table: RetainedTable, row: number): boolean {
  return row >= table.pinned && table.index.isLive(row) && !table.inBatch(row)
}
