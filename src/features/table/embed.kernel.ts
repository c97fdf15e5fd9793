/**
 * Embedding rows of one slot: forward a copy, or the mean of the present values; backward the same weights, summed per
 * row over the batch; then one step of row-wise Adagrad (Duchi et al. 2011, one accumulator a row as in FBGEMM):
 *   accumulator = keep * accumulator + mean(gradient²);  row -= rate * gradient / sqrt(accumulator)
 * `places` and `uniques` are [n, keyPlaces]: a row, or a row's number in the batch; NO_VALUE for an empty place; another
 * negative number for a value without a row, which reads as zero but counts in the mean.
 * Sums are double: JavaScript computes in double, so float32 would cost two conversions an addition, and precision.
 */
import { READ_AHEAD, ROW_SLAB_BITS } from '../../std/key-index.kernel.js'
import type { SlotLayout } from '../layout.js'
import { ACCUMULATOR, type ValueTable, VECTOR } from './value-table.kernel.js'

export const NO_VALUE = -1
const SLAB_MASK = (1 << ROW_SLAB_BITS) - 1
/** Keeps 0 / sqrt(0) a number when an accumulator has decayed away. */
const EPSILON = 1e-10

/** Fills the slot's columns of out [n, width], width = embeddedSlots * dim. */
export function poolSlot(
  table: ValueTable,
  slot: SlotLayout,
  places: Int32Array,
  keyPlaces: number,
  n: number,
  out: Float32Array,
  width: number,
): void {
  const { floats, words } = table
  const { dim } = table.shape
  const { firstPlace } = slot
  const column = slot.embedIndex * dim
  if (slot.places === 1) {
    for (let i = 0; i < n; i++) {
      const row = places[i * keyPlaces + firstPlace]!
      const to = i * width + column
      if (row < 0) {
        for (let d = 0; d < dim; d++) out[to + d] = 0
        continue
      }
      const records = floats[row >>> ROW_SLAB_BITS]!
      const from = (row & SLAB_MASK) * words + VECTOR
      for (let d = 0; d < dim; d++) out[to + d] = records[from + d]!
    }
    return
  }
  for (let i = 0; i < n; i++) {
    const to = i * width + column
    const first = i * keyPlaces + firstPlace
    const share = 1 / presentValues(places, first, slot.places)
    for (let d = 0; d < dim; d++) out[to + d] = 0
    for (let place = first; place < first + slot.places; place++) {
      const row = places[place]!
      if (row < 0) continue
      const records = floats[row >>> ROW_SLAB_BITS]!
      const from = (row & SLAB_MASK) * words + VECTOR
      for (let d = 0; d < dim; d++) out[to + d]! += share * records[from + d]!
    }
  }
}

function presentValues(places: Int32Array, first: number, count: number): number {
  let present = 0
  for (let place = first; place < first + count; place++) if (places[place] !== NO_VALUE) present++
  return present
}

/** Adds the slot's part of gradient [n, width] to sums [uniques, dim]. */
export function addRowGradients(
  slot: SlotLayout,
  dim: number,
  uniques: Int32Array,
  keyPlaces: number,
  n: number,
  gradient: Float32Array,
  width: number,
  sums: Float64Array,
): void {
  const column = slot.embedIndex * dim
  const { firstPlace } = slot
  if (slot.places === 1) {
    for (let i = 0; i < n; i++) {
      const unique = uniques[i * keyPlaces + firstPlace]!
      if (unique < 0) continue
      const from = i * width + column
      const to = unique * dim
      for (let d = 0; d < dim; d++) sums[to + d]! += gradient[from + d]!
    }
    return
  }
  for (let i = 0; i < n; i++) {
    const from = i * width + column
    const first = i * keyPlaces + firstPlace
    const share = 1 / presentValues(uniques, first, slot.places)
    for (let place = first; place < first + slot.places; place++) {
      const unique = uniques[place]!
      if (unique < 0) continue
      const to = unique * dim
      for (let d = 0; d < dim; d++) sums[to + d]! += share * gradient[from + d]!
    }
  }
}

/** One step for every row of the batch. */
export function stepRows(table: ValueTable, sums: Float64Array, rate: number, keep: number): void {
  const { floats, words, uniqueRows, uniques } = table
  const { dim } = table.shape
  for (let unique = 0; unique < uniques; unique++) {
    if (unique % READ_AHEAD === 0) {
      table.index.readAhead(uniqueRows, unique, Math.min(uniques, unique + READ_AHEAD))
    }
    const row = uniqueRows[unique]!
    const from = unique * dim
    // Two sums: one alone would make every addition wait for the one before.
    let even = 0
    let odd = 0
    let d = 0
    for (; d < dim - 1; d += 2) {
      even += sums[from + d]! * sums[from + d]!
      odd += sums[from + d + 1]! * sums[from + d + 1]!
    }
    if (d < dim) even += sums[from + d]! * sums[from + d]!
    const records = floats[row >>> ROW_SLAB_BITS]!
    const at = (row & SLAB_MASK) * words
    const accumulator = records[at + ACCUMULATOR]! * keep + (even + odd) / dim
    records[at + ACCUMULATOR] = accumulator
    const scale = rate / (Math.sqrt(accumulator) + EPSILON)
    const to = at + VECTOR
    for (d = 0; d < dim; d++) records[to + d]! -= scale * sums[from + d]!
  }
}
