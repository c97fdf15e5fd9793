/**
 * Embedding rows of one slot: forward a copy, or the mean of the present values; backward the same weights, summed per
 * row over the batch; then one step of row-wise Adagrad (Duchi et al. 2011, one accumulator a row as in FBGEMM):
 *   accumulator = keep * accumulator + mean(gradient²);  row -= rate * gradient / sqrt(accumulator)
 */
import { ROW_SLAB_BITS } from '../../std/key-index.kernel.js'
import type { SlotLayout } from '../layout.js'
import { ROW_SLAB, type ValueTable } from './value-table.kernel.js'

const ROW_MASK = ROW_SLAB - 1
/** Keeps 0 / sqrt(0) a number when an accumulator has decayed away. */
const EPSILON = 1e-10

/** Fills the slot's columns of out [n, embeddedSlots * dim]. places [n, keyPlaces]: row, NO_VALUE, or another negative
 * number for a value without a row, which reads as zero but counts in the mean. */
export const NO_VALUE = -1

export function poolSlot(
  table: ValueTable,
  slot: SlotLayout,
  places: Int32Array,
  keyPlaces: number,
  n: number,
  out: Float32Array,
  width: number,
): void {
  const { vectors } = table
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
      const vector = vectors[row >>> ROW_SLAB_BITS]!
      const from = (row & ROW_MASK) * dim
      for (let d = 0; d < dim; d++) out[to + d] = vector[from + d]!
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
      const vector = vectors[row >>> ROW_SLAB_BITS]!
      const from = (row & ROW_MASK) * dim
      for (let d = 0; d < dim; d++) out[to + d]! += share * vector[from + d]!
    }
  }
}

function presentValues(places: Int32Array, first: number, count: number): number {
  let present = 0
  for (let place = first; place < first + count; place++) if (places[place] !== NO_VALUE) present++
  return present
}

/** Adds the slot's part of gradient [n, embeddedSlots * dim] to sums [uniques, dim]. uniques as places, of a learn. */
export function addRowGradients(
  slot: SlotLayout,
  dim: number,
  uniques: Int32Array,
  keyPlaces: number,
  n: number,
  gradient: Float32Array,
  width: number,
  sums: Float32Array,
): void {
  const column = slot.embedIndex * dim
  for (let i = 0; i < n; i++) {
    const from = i * width + column
    const first = i * keyPlaces + slot.firstPlace
    if (slot.places === 1) {
      const unique = uniques[first]!
      if (unique < 0) continue
      const to = unique * dim
      for (let d = 0; d < dim; d++) sums[to + d]! += gradient[from + d]!
      continue
    }
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
export function stepRows(table: ValueTable, sums: Float32Array, rate: number, keep: number): void {
  const { vectors, accumulators, uniqueRows, uniques } = table
  const { dim } = table.shape
  for (let unique = 0; unique < uniques; unique++) {
    const row = uniqueRows[unique]!
    const from = unique * dim
    let square = 0
    for (let d = 0; d < dim; d++) square += sums[from + d]! * sums[from + d]!
    const accumulator = accumulators[row >>> ROW_SLAB_BITS]!
    const at = (row & ROW_MASK) * 4 + 3
    accumulator[at] = accumulator[at]! * keep + square / dim
    const scale = rate / (Math.sqrt(accumulator[at]!) + EPSILON)
    const vector = vectors[row >>> ROW_SLAB_BITS]!
    const to = (row & ROW_MASK) * dim
    for (let d = 0; d < dim; d++) vector[to + d]! -= scale * sums[from + d]!
  }
}
