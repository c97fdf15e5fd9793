/**
 * The keyed state of one kind of entity (users, items, categories, user–item pairs …): a key index and two blocks of
 * cells by row, numbers (float64) and words (uint32, for 64-bit keys). Who needs cells asks for them before the first
 * row is made; what a cell means is its asker's business.
 *
 * Bounded: at `maxRows` a new row takes the place of one that was unused for long, by the clock algorithm (Corbató
 * 1968): a hand goes round, spares each row used since its last visit once, and takes the first one that was not.
 * A use is a byte written, unlike the list of an exact LRU. New rows start as not used again: what comes once goes
 * first. Depends on the order of calls alone, so a replay evicts the same rows.
 */
import { MillraceError } from '../domain/errors.js'
import type { Json, LoadedState, PartState, PublishedState, SnapshotKind, StateArray } from '../domain/state.js'
import { ChangedRows, type RowWords } from '../std/changed-rows.kernel.js'
import { KeyIndex, LOOSE } from '../std/key-index.kernel.js'
import { loadedArray, loadedInteger } from './loaded.js'
import { applyRows, publishRows } from './table/published-rows.js'

/** "There is none": a number that no event has. Not NaN, whose bytes may differ from run to run. */
export const NONE = Number.NEGATIVE_INFINITY

export class EntityTable {
  readonly name: string
  /** [capacity, numberWidth]; replaced when it grows. */
  numbers = new Float64Array(0)
  /** [capacity, wordWidth]; replaced when it grows. */
  words = new Uint32Array(0)
  wordWidth = 0
  /** Rows that had to go for new ones. */
  evicted = 0
  readonly #maxRows: number
  readonly #index = new KeyIndex(1024, 2, LOOSE)
  readonly #empty: number[] = []
  #used = new Uint8Array(0)
  #capacity = 0
  #hand = 0
  readonly #tracksChanges: boolean
  /** [capacity, 2] of a pair with a user: the user's hash. For erase() alone, so it is not published. */
  #owners: Uint32Array | undefined
  /** Rows changed since the last publication; undefined: nobody publishes deltas, or cells are still asked for. */
  #changes: ChangedRows | undefined

  /** isOwned: rows are a user's, and their keys do not tell whose. */
  constructor(name: string, maxRows: number, tracksChanges = false, isOwned = false) {
    this.name = name
    if (isOwned) this.#owners = new Uint32Array(0)
    this.#maxRows = maxRows
    this.#tracksChanges = tracksChanges
  }

  get numberWidth(): number {
    return this.#empty.length
  }

  get size(): number {
    return this.#index.size
  }

  get bytes(): number {
    const { numbers, words } = this
    return (
      this.#index.bytes +
      numbers.byteLength +
      words.byteLength +
      this.#used.byteLength +
      (this.#owners?.byteLength ?? 0) +
      (this.#changes?.bytes ?? 0)
    )
  }

  /** Place of a new number in each row, `empty` in a new row. */
  addNumber(empty: number): number {
    return this.#empty.push(empty) - 1
  }

  /** First place of `count` new words in each row, 0 in a new row. */
  addWords(count: number): number {
    const first = this.wordWidth
    this.wordWidth += count
    return first
  }

  /** Row of the key or -1; counts as a use. */
  find(lo: number, hi: number): number {
    const row = this.#index.find(lo, hi)
    if (row >= 0) this.#used[row] = 1
    return row
  }

  /** Row of the key, made if absent, at the cost of another one if the table is full. owner: whose it is, of a table with owners. */
  insert(lo: number, hi: number, ownerLo = 0, ownerHi = 0): number {
    const known = this.find(lo, hi)
    if (known >= 0) return known
    if (this.#index.size >= this.#maxRows) this.#evict()
    const row = this.#index.insert(lo, hi)
    if (row >= this.#capacity) this.#grow(row + 1)
    const numberWidth = this.#empty.length
    for (let cell = 0; cell < numberWidth; cell++) this.numbers[row * numberWidth + cell] = this.#empty[cell]!
    this.words.fill(0, row * this.wordWidth, (row + 1) * this.wordWidth)
    this.#used[row] = 0
    if (this.#owners !== undefined) {
      this.#owners[row * 2] = ownerLo
      this.#owners[row * 2 + 1] = ownerHi
    }
    if (this.#tracksChanges) this.#tracked().created(row)
    return row
  }

  /** Removes a key's row; how many that were. */
  remove(lo: number, hi: number): number {
    const row = this.#index.find(lo, hi)
    if (row < 0) return 0
    this.#remove(row)
    // Nothing of it may be left in what is saved.
    this.numbers.fill(0, row * this.numberWidth, (row + 1) * this.numberWidth)
    this.words.fill(0, row * this.wordWidth, (row + 1) * this.wordWidth)
    this.#used[row] = 0
    this.#owners?.fill(0, row * 2, row * 2 + 2)
    return 1
  }

  /** Removes all rows of an owner; how many that were. Goes through the whole table. */
  removeOf(lo: number, hi: number): number {
    const owners = this.#owners
    if (owners === undefined) return 0
    let removed = 0
    for (let row = 0; row < this.#index.rows; row++) {
      if (owners[row * 2] !== lo || owners[row * 2 + 1] !== hi || !this.#index.isLive(row)) continue
      removed += this.remove(this.#index.keyLo(row), this.#index.keyHi(row))
    }
    return removed
  }

  /** Cells of the row are about to change. */
  changing(row: number): void {
    this.#changes?.changing(row)
  }

  /** All cells by key: what features are made of. How rows were used stays here. */
  publish(kind: SnapshotKind): PublishedState {
    const about = { numbers: this.numberWidth }
    // Without a record of changes everything is one.
    const changes = this.#tracksChanges ? this.#tracked() : this.#newChanges()
    return publishRows(changes, kind, this.size, about, 'cells')
  }

  /** Reads what publish() wrote, in slices. Such a table is read and never evicts. Returns its checksum. */
  apply(kind: SnapshotKind, state: LoadedState): Generator<void, string> {
    const { words, numbers } = state.meta as { words: number; numbers: number }
    if (words !== this.numberWidth * 2 + this.wordWidth || numbers !== this.numberWidth)
      throw new MillraceError(
        'CHECKPOINT_INCOMPATIBLE',
        `features: the published rows of '${this.name}' have other cells`,
      )
    return applyRows(this.#tracked(), kind, state)
  }

  saveState(): PartState {
    const rows = this.#index.rows
    const { arrays } = this.#index.saveState()
    const changes = this.#changes?.saveState()
    const meta: Json = { rows, hand: this.#hand, evicted: this.evicted }
    return {
      meta: changes === undefined ? meta : { ...meta, sum: changes.sum },
      arrays: {
        ...(changes && { changed: changes.changed, removed: changes.removed }),
        ...arrays,
        numbers: this.numbers.subarray(0, rows * this.numberWidth),
        words: this.words.subarray(0, rows * this.wordWidth),
        used: this.#used.subarray(0, rows),
        ...(this.#owners && { owners: this.#owners.subarray(0, rows * 2) }),
      },
    }
  }

  loadState(state: LoadedState): void {
    const rows = loadedInteger(state, 'rows')
    const array = <T extends StateArray>(name: string, type: new (length: number) => T, length?: number): T =>
      loadedArray(state, name, type, length)
    this.#index.loadState(rows, array('keys', Uint32Array, rows * 2), array('free', Uint32Array))
    this.#grow(rows)
    this.numbers.set(array('numbers', Float64Array, rows * this.numberWidth))
    this.words.set(array('words', Uint32Array, rows * this.wordWidth))
    this.#used.set(array('used', Uint8Array, rows))
    this.#owners?.set(array('owners', Uint32Array, rows * 2))
    this.#hand = loadedInteger(state, 'hand')
    this.evicted = loadedInteger(state, 'evicted')
    const { sum } = state.meta as { sum?: [lo: number, hi: number] }
    // Without a sum nothing was tracked, and a full snapshot comes before the next delta.
    if (sum === undefined || !this.#tracksChanges) return
    this.#tracked().loadState({ changed: array('changed', Uint32Array), removed: array('removed', Uint32Array), sum })
  }

  /** A full table has no free rows (they are taken before new ones are made), so every row the hand meets is live. */
  #evict(): void {
    const rows = this.#index.rows
    while (this.#used[this.#hand] === 1) {
      this.#used[this.#hand] = 0
      this.#hand = (this.#hand + 1) % rows
    }
    this.#remove(this.#hand)
    this.#hand = (this.#hand + 1) % rows
    this.evicted++
  }

  #remove(row: number): void {
    this.#changes?.removing(row)
    this.#index.remove(this.#index.keyLo(row), this.#index.keyHi(row))
  }

  #tracked(): ChangedRows {
    this.#changes ??= this.#newChanges()
    return this.#changes
  }

  /** Once all cells have been asked for. */
  #newChanges(): ChangedRows {
    const { numberWidth, wordWidth } = this
    const bits = new Uint32Array(numberWidth * 2)
    const floats = new Float64Array(bits.buffer)
    const words: RowWords = {
      width: numberWidth * 2 + wordWidth,
      read: (row, into, at) => {
        for (let cell = 0; cell < numberWidth; cell++) floats[cell] = this.numbers[row * numberWidth + cell]!
        into.set(bits, at)
        for (let word = 0; word < wordWidth; word++)
          into[at + numberWidth * 2 + word] = this.words[row * wordWidth + word]!
      },
      write: (row, from, at) => {
        if (row >= this.#capacity) this.#grow(row + 1)
        for (let word = 0; word < bits.length; word++) bits[word] = from[at + word]!
        this.numbers.set(floats, row * numberWidth)
        for (let word = 0; word < wordWidth; word++) this.words[row * wordWidth + word] = from[at + bits.length + word]!
      },
    }
    return new ChangedRows(this.#index, words)
  }

  #grow(rows: number): void {
    this.#capacity = Math.max(rows, Math.min(this.#maxRows, Math.max(1024, this.#capacity * 2)))
    const numbers = new Float64Array(this.#capacity * this.numberWidth)
    numbers.set(this.numbers)
    this.numbers = numbers
    const words = new Uint32Array(this.#capacity * this.wordWidth)
    words.set(this.words)
    this.words = words
    const used = new Uint8Array(this.#capacity)
    used.set(this.#used)
    this.#used = used
    if (this.#owners === undefined) return
    const owners = new Uint32Array(this.#capacity * 2)
    owners.set(this.#owners)
    this.#owners = owners
  }
}
