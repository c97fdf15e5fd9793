/**
 * How much each label of a step counts in the network's loss, by how many events the example's user and item had had, and by
 * what its slots hold: static factors on the task's weight (tasks[].segments), multiplied. A task without segments has 1.
 */
import type { TaskConfig } from '../config/schema.js'
import { ITEM_BAND_SHIFT, SLAB_ROWS, type Slab, USER_BAND_SHIFT } from '../features/columns.js'
import type { FeatureLayout } from '../features/layout.js'
import { hashValue } from '../features/slots.kernel.js'
import { Hasher } from '../std/hash.js'
import { slabOf } from './predictor.js'

/** Of one value of one slot: where its key may stand in an example's key places. */
interface ValueFactor {
  firstPlace: number
  places: number
  lo: number
  hi: number
  factor: number
}

interface TaskSegments {
  /** A factor a band; undefined: all 1. */
  user: readonly number[] | undefined
  item: readonly number[] | undefined
  values: readonly ValueFactor[]
}

export class Segments {
  readonly #tasks: readonly TaskSegments[]
  readonly #keyPlaces: number
  #factors = new Float32Array(0)

  constructor(tasks: readonly TaskConfig[], layout: FeatureLayout) {
    this.#keyPlaces = layout.keyPlaces
    this.#tasks = tasks.map(({ segments }) => ({
      user: segments?.user,
      item: segments?.item,
      values: valueFactors(segments?.slots ?? {}, layout),
    }))
  }

  /** rows: [n] of the slabs. → [n, tasks], valid until the next call. */
  factors(slabs: readonly Slab[], rows: Int32Array): Float32Array {
    const width = this.#tasks.length
    if (this.#factors.length < rows.length * width) this.#factors = new Float32Array(rows.length * width * 2)
    for (const [i, row] of rows.entries()) {
      const { flags, keys } = slabOf(slabs, row)
      const place = row % SLAB_ROWS
      const user = (flags[place]! >> USER_BAND_SHIFT) & 7
      const item = (flags[place]! >> ITEM_BAND_SHIFT) & 7
      for (let t = 0; t < width; t++) {
        const task = this.#tasks[t]!
        let factor = (task.user?.[user] ?? 1) * (task.item?.[item] ?? 1)
        for (const value of task.values) if (holds(keys, place * this.#keyPlaces, value)) factor *= value.factor
        this.#factors[i * width + t] = factor
      }
    }
    return this.#factors.subarray(0, rows.length * width)
  }
}

/** first: the example's first key place. */
function holds(keys: Uint32Array, first: number, { firstPlace, places, lo, hi }: ValueFactor): boolean {
  for (let place = first + firstPlace; place < first + firstPlace + places; place++) {
    if (keys[place * 2] === lo && keys[place * 2 + 1] === hi) return true
  }
  return false
}

function valueFactors(slots: Record<string, Record<string, number>>, layout: FeatureLayout): ValueFactor[] {
  const hasher = new Hasher()
  return Object.entries(slots).flatMap(([name, factors]) => {
    const slot = layout.slots.find(one => one.name === name)
    if (slot === undefined) return []
    const { table, firstPlace, places } = slot
    return Object.entries(factors).map(([value, factor]): ValueFactor => {
      hashValue(hasher, table, value)
      return { firstPlace, places, lo: hasher.lo, hi: hasher.hi, factor }
    })
  })
}
