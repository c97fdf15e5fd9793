/**
 * Rows of values that are crosses with a user: their keys do not tell whose they are, so each holds its user's key beside
 * it. Nobody looks at that but who erases a user.
 */
import { type KeyIndex, ROW_SLAB_BITS } from '../../std/key-index.kernel.js'

const SLAB_MASK = (1 << ROW_SLAB_BITS) - 1

/** Removes the rows whose owner, in two words from `ownerWord` on, is this one. words: of a record. Returns how many. */
export function removeOwned(
  table: { readonly index: KeyIndex; remove(row: number): void },
  words: number,
  ownerWord: number,
  lo: number,
  hi: number,
): number {
  const { index } = table
  let removed = 0
  for (let row = 0; row < index.rows; row++) {
    const slab = index.slabs[row >>> ROW_SLAB_BITS]!
    const at = (row & SLAB_MASK) * words + ownerWord
    if (slab[at] !== lo || slab[at + 1] !== hi) continue
    table.remove(row)
    removed++
  }
  return removed
}
