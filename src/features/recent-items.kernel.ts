/**
 * The items of each user's most recent events of one kind, as hashes of their ids, in the words of the user's row: a
 * ring of `max` keys behind its two counters, where the next one goes and how many there are.
 */
import type { EntityTable } from './entity-table.kernel.js'

export class RecentItems {
  readonly #table: EntityTable
  readonly #firstWord: number
  readonly #max: number

  constructor(table: EntityTable, max: number) {
    this.#table = table
    this.#max = max
    this.#firstWord = table.addWords(2 + 2 * max)
  }

  push(row: number, lo: number, hi: number): void {
    const words = this.#table.words
    const at = row * this.#table.wordWidth + this.#firstWord
    const next = words[at]!
    words[at + 2 + next * 2] = lo
    words[at + 3 + next * 2] = hi
    words[at] = (next + 1) % this.#max
    if (words[at + 1]! < this.#max) words[at + 1]!++
  }

  count(row: number): number {
    return this.#table.words[row * this.#table.wordWidth + this.#firstWord + 1]!
  }

  /** Place of the low word of the nth most recent item (0 = newest) in the table's words; the high word follows. */
  place(row: number, nth: number): number {
    const at = row * this.#table.wordWidth + this.#firstWord
    return at + 2 + ((this.#table.words[at]! + this.#max - 1 - nth) % this.#max) * 2
  }
}
