/** Who met what in the rows of a command: keys of pairs of user and item. */
import { SLAB_ROWS, type Slab } from '../features/columns.js'
import type { FeatureLayout } from '../features/layout.js'
import { slabOf } from './predictor.js'

/** So that a user with an item and the two exchanged are different pairs. */
const ODD = 0x9e3779b1

export class Pairs {
  readonly #layout: FeatureLayout
  #keys = new Uint32Array(0)

  constructor(layout: FeatureLayout) {
    this.#layout = layout
  }

  /** rows: [n] of the slabs. → [n, 2] words of a key, 0 0 where no slot is the user or none the item. Valid until the next call. */
  of(slabs: readonly Slab[], rows: Int32Array): Uint32Array {
    const { keyPlaces, userPlace, itemPlace } = this.#layout
    if (this.#keys.length < rows.length * 2) this.#keys = new Uint32Array(rows.length * 4)
    const pairs = this.#keys.subarray(0, rows.length * 2)
    if (userPlace < 0 || itemPlace < 0) return pairs
    for (const [i, row] of rows.entries()) {
      const { keys } = slabOf(slabs, row)
      const first = (row % SLAB_ROWS) * keyPlaces
      for (let word = 0; word < 2; word++) {
        const user = keys[(first + userPlace) * 2 + word]!
        pairs[i * 2 + word] = Math.imul(user, ODD) + keys[(first + itemPlace) * 2 + word]!
      }
    }
    return pairs
  }
}
