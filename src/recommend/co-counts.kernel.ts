/**
 * Which items meet in users' histories: decayed item–item co-counts, at most `width` neighbours an item.
 *
 * A full list gives up its lightest neighbour for a new one (the first of equals), which then starts from nothing: what
 * is frequent stays, what came once goes. Weights are relative to a reference time that the owner keeps; scale() moves it.
 * Lists lie in slabs by item and are never moved. Every walk is in the list's own order, so results depend on the calls
 * alone.
 */
import type { LoadedState, PartState } from '../domain/state.js'
import { loadedArray } from './loaded.js'

const SLAB_BITS = 12
const SLAB_ITEMS = 1 << SLAB_BITS
const SLAB_MASK = SLAB_ITEMS - 1

interface Slab {
  /** [SLAB_ITEMS, width] */
  others: Int32Array
  weights: Float32Array
  /** [SLAB_ITEMS] neighbours of each item. */
  lengths: Uint16Array
}

export class CoCounts {
  readonly #width: number
  readonly #slabs: Slab[] = []

  constructor(width: number) {
    this.#width = width
  }

  get bytes(): number {
    return this.#slabs.length * SLAB_ITEMS * (this.#width * 8 + 2)
  }

  /** One direction: `other` gains weight in the item's list. */
  add(item: number, other: number, weight: number): void {
    const slab = this.#slab(item)
    const { others, weights, lengths } = slab
    const at = item & SLAB_MASK
    const first = at * this.#width
    const end = first + lengths[at]!
    for (let place = first; place < end; place++) {
      if (others[place] === other) {
        weights[place] = weights[place]! + weight
        return
      }
    }
    let place = end
    if (lengths[at]! < this.#width) lengths[at]!++
    else {
      place = first
      for (let one = first + 1; one < end; one++) if (weights[one]! < weights[place]!) place = one
    }
    others[place] = other
    weights[place] = weight
  }

  /**
   * Adds factor × weight of each neighbour to sums; those whose sum was 0 are appended to touched from n on.
   * Returns how many are touched now. sums, touched: [items]
   */
  addTo(item: number, factor: number, sums: Float64Array, touched: Int32Array, n: number): number {
    const slab = this.#slabs[item >>> SLAB_BITS]
    if (slab === undefined) return n
    const { others, weights, lengths } = slab
    const first = (item & SLAB_MASK) * this.#width
    const end = first + lengths[item & SLAB_MASK]!
    for (let place = first; place < end; place++) {
      const other = others[place]!
      const sum = sums[other]!
      if (sum === 0) touched[n++] = other
      sums[other] = sum + factor * weights[place]!
    }
    return n
  }

  scale(factor: number): void {
    for (const { weights } of this.#slabs)
      for (let place = 0; place < weights.length; place++) weights[place]! *= factor
  }

  /** Forgets the items marked 1, in their own lists and in all others. */
  remove(gone: Uint8Array): void {
    const width = this.#width
    for (const [index, { others, weights, lengths }] of this.#slabs.entries()) {
      for (let at = 0; at < SLAB_ITEMS; at++) {
        if (lengths[at] === 0) continue
        const first = at * width
        let kept = first
        if (gone[(index << SLAB_BITS) + at] !== 1) {
          for (let place = first; place < first + lengths[at]!; place++) {
            if (gone[others[place]!] === 1) continue
            others[kept] = others[place]!
            weights[kept++] = weights[place]!
          }
        }
        lengths[at] = kept - first
      }
    }
  }

  /** Lists one after the other, without their empty places. */
  saveArrays(): PartState['arrays'] {
    const lengths = this.#slabs.map(slab => slab.lengths)
    const total = lengths.reduce((sum, list) => list.reduce((a, b) => a + b, sum), 0)
    const others = new Int32Array(total)
    const weights = new Float32Array(total)
    let next = 0
    for (const slab of this.#slabs) {
      for (let at = 0; at < SLAB_ITEMS; at++) {
        const first = at * this.#width
        const length = slab.lengths[at]!
        others.set(slab.others.subarray(first, first + length), next)
        weights.set(slab.weights.subarray(first, first + length), next)
        next += length
      }
    }
    const saved = new Uint32Array(this.#slabs.length * SLAB_ITEMS)
    lengths.forEach((list, index) => {
      saved.set(list, index * SLAB_ITEMS)
    })
    return { 'pairs.lengths': saved, 'pairs.others': others, 'pairs.weights': weights }
  }

  loadArrays(state: LoadedState): void {
    const lengths = loadedArray(state, 'pairs.lengths', Uint32Array)
    const others = loadedArray(state, 'pairs.others', Int32Array)
    const weights = loadedArray(state, 'pairs.weights', Float32Array)
    let next = 0
    for (let item = 0; item < lengths.length; item++) {
      const slab = this.#slab(item)
      const first = (item & SLAB_MASK) * this.#width
      const length = lengths[item]!
      slab.others.set(others.subarray(next, next + length), first)
      slab.weights.set(weights.subarray(next, next + length), first)
      slab.lengths[item & SLAB_MASK] = length
      next += length
    }
  }

  #slab(item: number): Slab {
    const index = item >>> SLAB_BITS
    while (this.#slabs.length <= index) {
      const places = SLAB_ITEMS * this.#width
      this.#slabs.push({
        others: new Int32Array(places),
        weights: new Float32Array(places),
        lengths: new Uint16Array(SLAB_ITEMS),
      })
    }
    return this.#slabs[index]!
  }
}
