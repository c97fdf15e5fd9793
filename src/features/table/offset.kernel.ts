/**
 * What is added to the logits: per value and task a bias (Adagrad) and a wide weight, FTRL-proximal with L1 and L2
 * (McMahan et al. 2013, algorithm 1). The wide weight is not stored, it follows from (z, n):
 *   w = 0 if |z| <= l1, else -(z - sign(z) l1) / ((beta + sqrt n) / alpha + l2)
 *   sigma = (sqrt(n + g²) - sqrt n) / alpha;  z += g - sigma w;  n += g²
 * A value that occurs twice in an example counts twice; an example's gradients are summed over the batch first.
 */
import { ROW_SLAB_BITS } from '../../std/key-index.kernel.js'
import type { SlotLayout } from '../layout.js'
import type { ValueTable } from './value-table.kernel.js'

const SLAB_MASK = (1 << ROW_SLAB_BITS) - 1

interface Ftrl {
  alpha: number
  beta: number
  l1: number
  l2: number
}

function wideWeight(z: number, n: number, { alpha, beta, l1, l2 }: Ftrl): number {
  if (z <= l1 && z >= -l1) return 0
  return (z < 0 ? -l1 - z : l1 - z) / ((beta + Math.sqrt(n)) / alpha + l2)
}

/** Adds the slot's biases and wide weights to offset [n, tasks]. places [n, keyPlaces]: row, or negative. */
export function addOffsets(
  table: ValueTable,
  slot: SlotLayout,
  places: Int32Array,
  keyPlaces: number,
  n: number,
  offset: Float32Array,
  ftrl: Ftrl,
): void {
  const { floats, words, biasWord, wideWord } = table
  const { tasks } = table.shape
  for (let i = 0; i < n; i++) {
    const first = i * keyPlaces + slot.firstPlace
    for (let place = first; place < first + slot.places; place++) {
      const row = places[place]!
      if (row < 0) continue
      const records = floats[row >>> ROW_SLAB_BITS]!
      const at = (row & SLAB_MASK) * words
      if (slot.bias) {
        for (let task = 0; task < tasks; task++) offset[i * tasks + task]! += records[at + biasWord + task * 2]!
      }
      if (slot.wide) {
        for (let task = 0; task < tasks; task++) {
          const pair = at + wideWord + task * 2
          offset[i * tasks + task]! += wideWeight(records[pair]!, records[pair + 1]!, ftrl)
        }
      }
    }
  }
}

/** Adds the slot's part of gradient [n, tasks] to sums [uniques, tasks]. */
export function addOffsetGradients(
  slot: SlotLayout,
  tasks: number,
  uniques: Int32Array,
  keyPlaces: number,
  n: number,
  gradient: Float32Array,
  sums: Float64Array,
): void {
  for (let i = 0; i < n; i++) {
    const first = i * keyPlaces + slot.firstPlace
    for (let place = first; place < first + slot.places; place++) {
      const unique = uniques[place]!
      if (unique < 0) continue
      for (let task = 0; task < tasks; task++) sums[unique * tasks + task]! += gradient[i * tasks + task]!
    }
  }
}

/** One Adagrad step for every bias of the batch's rows; a task without a gradient does not move. */
export function stepBiases(table: ValueTable, sums: Float64Array, rate: number): void {
  const { floats, words, biasWord, uniqueRows, uniques } = table
  const { tasks } = table.shape
  for (let unique = 0; unique < uniques; unique++) {
    const row = uniqueRows[unique]!
    const records = floats[row >>> ROW_SLAB_BITS]!
    const first = (row & SLAB_MASK) * words + biasWord
    for (let task = 0; task < tasks; task++) {
      const gradient = sums[unique * tasks + task]!
      const at = first + task * 2
      records[at + 1]! += gradient * gradient
      records[at]! -= (rate * gradient) / Math.sqrt(records[at + 1]!)
    }
  }
}

/** One FTRL-proximal step for every wide weight of the batch's rows. */
export function stepWide(table: ValueTable, sums: Float64Array, ftrl: Ftrl): void {
  const { floats, words, wideWord, uniqueRows, uniques } = table
  const { tasks } = table.shape
  for (let unique = 0; unique < uniques; unique++) {
    const row = uniqueRows[unique]!
    const records = floats[row >>> ROW_SLAB_BITS]!
    const first = (row & SLAB_MASK) * words + wideWord
    for (let task = 0; task < tasks; task++) {
      const gradient = sums[unique * tasks + task]!
      const at = first + task * 2
      const z = records[at]!
      const n = records[at + 1]!
      const sigma = (Math.sqrt(n + gradient * gradient) - Math.sqrt(n)) / ftrl.alpha
      records[at] = z + gradient - sigma * wideWeight(z, n, ftrl)
      records[at + 1] = n + gradient * gradient
    }
  }
}
