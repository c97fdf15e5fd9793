/** From the keys in the examples' columns to rows of a table: one slot of one batch. */
import { type ColumnLayout, SLAB_ROWS, type Slab } from '../columns.js'
import type { SlotLayout } from '../layout.js'
import { NO_VALUE } from './embed.kernel.js'
import type { PendingCounts } from './pending.kernel.js'
import type { ValueTable } from './value-table.kernel.js'

/** Place of a value that has no row and reads as zero. */
export const NO_ROW = -2

/** Scoring: fills places [n, keyPlaces] with rows; `unknown` (a row, or NO_ROW) for values that have none. */
export function findRows(
  table: ValueTable,
  slot: SlotLayout,
  slabs: readonly Slab[],
  columns: ColumnLayout,
  rows: Int32Array,
  unknown: number,
  places: Int32Array,
): void {
  const { index } = table
  const { keyPlaces } = columns
  for (let i = 0; i < rows.length; i++) {
    const example = rows[i]!
    const { keys } = slabs[Math.floor(example / SLAB_ROWS)]!
    let key = ((example % SLAB_ROWS) * keyPlaces + slot.firstPlace) * 2
    const first = i * keyPlaces + slot.firstPlace
    for (let place = first; place < first + slot.places; place++, key += 2) {
      const lo = keys[key]!
      const hi = keys[key + 1]!
      if ((lo | hi) === 0) {
        places[place] = NO_VALUE
        continue
      }
      const row = index.find(lo, hi)
      places[place] = row < 0 ? unknown : row
    }
  }
}

/**
 * Learning: as findRows, but a value gets its row (at once without `pending`, else at its nth occurrence), and uniques
 * [n, keyPlaces] gets the row's number in the batch. Returns how many rows were made.
 */
export function useRows(
  table: ValueTable,
  slot: SlotLayout,
  slabs: readonly Slab[],
  columns: ColumnLayout,
  rows: Int32Array,
  unknown: number,
  pending: PendingCounts | undefined,
  admitAfter: number,
  places: Int32Array,
  uniques: Int32Array,
): number {
  const { index } = table
  const { keyPlaces } = columns
  let created = 0
  for (let i = 0; i < rows.length; i++) {
    const example = rows[i]!
    const { keys } = slabs[Math.floor(example / SLAB_ROWS)]!
    let key = ((example % SLAB_ROWS) * keyPlaces + slot.firstPlace) * 2
    const first = i * keyPlaces + slot.firstPlace
    for (let place = first; place < first + slot.places; place++, key += 2) {
      const lo = keys[key]!
      const hi = keys[key + 1]!
      if ((lo | hi) === 0) {
        places[place] = NO_VALUE
        uniques[place] = NO_VALUE
        continue
      }
      let row = index.find(lo, hi)
      if (row < 0) {
        if (pending?.count(lo, hi, admitAfter) === false) row = unknown
        else {
          row = table.create(lo, hi)
          created++
        }
      }
      places[place] = row
      uniques[place] = table.use(row)
    }
  }
  return created
}

/** Copies the numeric inputs to dense [n, columns.dense]. */
export function copyDense(slabs: readonly Slab[], columns: ColumnLayout, rows: Int32Array, dense: Float32Array): void {
  const width = columns.dense
  for (let i = 0; i < rows.length; i++) {
    const example = rows[i]!
    const from = slabs[Math.floor(example / SLAB_ROWS)]!.dense
    const first = (example % SLAB_ROWS) * width
    for (let d = 0; d < width; d++) dense[i * width + d] = from[first + d]!
  }
}
