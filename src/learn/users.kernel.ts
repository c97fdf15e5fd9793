/** Whose rows a command names. */
import { SLAB_ROWS, type Slab } from '../features/columns.js'
import type { FeatureLayout } from '../features/layout.js'
import { slabOf } from './predictor.js'

export class Users {
  readonly #layout: FeatureLayout
  #keys = new Uint32Array(0)

  constructor(layout: FeatureLayout) {
    this.#layout = layout
  }

  /** rows: [n] of the slabs. → [n, 2] words of the users' keys, 0 0 where no slot is the user. Valid until the next call. */
  of(slabs: readonly Slab[], rows: Int32Array): Uint32Array {
    const { keyPlaces, userPlace } = this.#layout
    if (this.#keys.length < rows.length * 2) this.#keys = new Uint32Array(rows.length * 4)
    const users = this.#keys.subarray(0, rows.length * 2)
    if (userPlace < 0) return users
    for (const [i, row] of rows.entries()) {
      const { keys } = slabOf(slabs, row)
      const at = ((row % SLAB_ROWS) * keyPlaces + userPlace) * 2
      users[i * 2] = keys[at]!
      users[i * 2 + 1] = keys[at + 1]!
    }
    return users
  }
}
