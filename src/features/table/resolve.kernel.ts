/** From the keys in the examples' columns to rows of a table: one slot of one batch. */
import { type ColumnLayout, SLAB_ROWS, type Slab } from '../columns.js'
import type { SlotLayout } from '../layout.js'
import { NO_VALUE } from './embed.kernel.js'
import type { PendingCounts } from './pending.kernel.js'
import type { ValueTable } from './value-table.kernel.js'

/** Place of a value that has no row and reads as zero. */
export const NO_ROW = -2

/** The keys of one slot side by side, and the rows that they were found to have. */
export class SlotKeys {
  keys = new Uint32Array(0) // [n * places, 2]
  rows = new Int32Array(0) // [n * places]
  owners = new Uint32Array(0) // [n, 2] keys of the examples' users, if they were asked for

  /** Copies the slot's keys and looks them all up. Returns how many there are, empty ones included. */
  find(table: ValueTable, slot: SlotLayout, slabs: readonly Slab[], columns: ColumnLayout, rows: Int32Array): number {
    const { firstPlace, places } = slot
    const { keyPlaces } = columns
    const n = rows.length * places
    if (this.rows.length < n) {
      this.rows = new Int32Array(n * 2)
      this.keys = new Uint32Array(n * 4)
    }
    const { keys } = this
    let to = 0
    for (let i = 0; i < rows.length; i++) {
      const example = rows[i]!
      const from = slabs[(example / SLAB_ROWS) | 0]!.keys
      const first = ((example % SLAB_ROWS) * keyPlaces + firstPlace) * 2
      for (let word = first; word < first + places * 2; word++) keys[to++] = from[word]!
    }
    table.index.findAll(keys, n, this.rows)
    return n
  }

  /** Copies the examples' own users: `place` has their keys. */
  readOwners(place: number, slabs: readonly Slab[], columns: ColumnLayout, rows: Int32Array): void {
    if (this.owners.length < rows.length * 2) this.owners = new Uint32Array(rows.length * 4)
    for (let i = 0; i < rows.length; i++) {
      const example = rows[i]!
      const from = slabs[(example / SLAB_ROWS) | 0]!.keys
      const word = ((example % SLAB_ROWS) * columns.keyPlaces + place) * 2
      this.owners[i * 2] = from[word]!
      this.owners[i * 2 + 1] = from[word + 1]!
    }
  }
}

/** Scoring: fills places [n, keyPlaces] with rows; `unknown` (a row, or NO_ROW) for values that have none. */
export function findRows(
  found: SlotKeys,
  count: number,
  slot: SlotLayout,
  keyPlaces: number,
  unknown: number,
  places: Int32Array,
): void {
  const { keys, rows } = found
  for (let at = 0, place = slot.firstPlace; at < count; place += keyPlaces) {
    for (let next = place; next < place + slot.places; next++, at++) {
      const row = rows[at]!
      places[next] = row >= 0 ? row : (keys[at * 2]! | keys[at * 2 + 1]!) === 0 ? NO_VALUE : unknown
    }
  }
}

/**
 * Learning: as findRows, but a value gets its row (at once without `pending`, else at its nth occurrence), and uniques
 * [n, keyPlaces] gets the row's number in the batch. A cross with a user belongs to the example's. Returns how many rows were made.
 */
export function useRows(
  found: SlotKeys,
  count: number,
  table: ValueTable,
  slot: SlotLayout,
  keyPlaces: number,
  unknown: number,
  pending: PendingCounts | undefined,
  admitAfter: number,
  places: Int32Array,
  uniques: Int32Array,
): number {
  const { keys, rows, owners } = found
  const isOwned = slot.ofUser === 'crossed'
  let created = 0
  for (let at = 0, place = slot.firstPlace, i = 0; at < count; place += keyPlaces, i++) {
    for (let next = place; next < place + slot.places; next++, at++) {
      let row = rows[at]!
      if (row < 0) {
        const lo = keys[at * 2]!
        const hi = keys[at * 2 + 1]!
        if ((lo | hi) === 0) {
          places[next] = NO_VALUE
          uniques[next] = NO_VALUE
          continue
        }
        // An earlier place of this batch may have made the row.
        if (pending !== undefined && table.index.find(lo, hi) < 0 && !pending.count(lo, hi, admitAfter)) row = unknown
        else {
          row = table.findOrCreate(lo, hi)
          if (table.index.inserted) {
            created++
            if (isOwned) table.setOwner(row, owners[i * 2]!, owners[i * 2 + 1]!)
          }
        }
      }
      places[next] = row
      uniques[next] = table.use(row)
    }
  }
  return created
}

/** Copies the numeric inputs to dense [n, columns.dense]. */
export function copyDense(slabs: readonly Slab[], columns: ColumnLayout, rows: Int32Array, dense: Float32Array): void {
  const width = columns.dense
  for (let i = 0; i < rows.length; i++) {
    const example = rows[i]!
    const from = slabs[(example / SLAB_ROWS) | 0]!.dense
    const first = (example % SLAB_ROWS) * width
    for (let d = 0; d < width; d++) dense[i * width + d] = from[first + d]!
  }
}
