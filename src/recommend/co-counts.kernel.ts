/**
 * Which items meet in users' histories: decayed item–item co-counts, at most `width` neighbours an item.
 *
 * A full list gives up its lightest neighbour for a new one (the first of equals), which then starts from nothing: what
 * is frequent stays, what came once goes. Weights are relative to a reference time that the owner keeps; scale() moves
 * it. Every walk is in the list's own order, so results depend on the calls alone.
 *
 * Most items have few neighbours and a few have many: a list lies in a block of 16 places, and moves to one of twice the
 * size when it is full. Blocks of one size lie in slabs; where they lie is not part of the state.
 */
import type { LoadedState, PartState } from '../domain/state.js'
import { loadedArray } from './loaded.js'

const LEAST_PLACES = 16
const SLAB_PLACES = 1 << 16
const NO_BLOCK = -1

/** Blocks of one size. */
class Pool {
  readonly places: number
  readonly others: Int32Array[] = []
  readonly weights: Float32Array[] = []
  readonly perSlab: number
  readonly #free: number[] = []
  #blocks = 0

  constructor(places: number) {
    this.places = places
    this.perSlab = Math.max(1, Math.floor(SLAB_PLACES / places))
  }

  take(): number {
    const freed = this.#free.pop()
    if (freed !== undefined) return freed
    if (this.#blocks === this.others.length * this.perSlab) {
      this.others.push(new Int32Array(this.places * this.perSlab))
      this.weights.push(new Float32Array(this.places * this.perSlab))
    }
    return this.#blocks++
  }

  give(block: number): void {
    this.#free.push(block)
  }
}

export class CoCounts {
  readonly #pools: Pool[] = []
  /** By item: which pool, which block of it, how many neighbours. */
  #pool = new Uint8Array(0)
  #block = new Int32Array(0)
  #length = new Uint16Array(0)
  /** The block that was opened last: its arrays and first place. */
  #others = new Int32Array(0)
  #weights = new Float32Array(0)
  #first = 0

  constructor(width: number) {
    for (let places = Math.min(LEAST_PLACES, width); ; places = Math.min(places * 2, width)) {
      this.#pools.push(new Pool(places))
      if (places === width) break
    }
  }

  /** One direction: `other` gains weight in the item's list. */
  add(item: number, other: number, weight: number): void {
    this.#reserve(item + 1)
    if (this.#block[item] === NO_BLOCK) {
      this.#pool[item] = 0
      this.#block[item] = this.#pools[0]!.take()
    }
    this.#open(item)
    const others = this.#others
    const weights = this.#weights
    const first = this.#first
    const length = this.#length[item]!
    for (let place = first; place < first + length; place++) {
      if (others[place] === other) {
        weights[place] = weights[place]! + weight
        return
      }
    }
    if (length < this.#pools[this.#pool[item]!]!.places) {
      this.#put(first + length, other, weight)
      this.#length[item] = length + 1
    } else if (this.#pool[item]! + 1 < this.#pools.length) {
      this.#widen(item)
      this.#put(this.#first + length, other, weight)
      this.#length[item] = length + 1
    } else {
      let lightest = first
      for (let one = first + 1; one < first + length; one++) if (weights[one]! < weights[lightest]!) lightest = one
      this.#put(lightest, other, weight)
    }
  }

  /**
   * Adds factor × weight of each neighbour to sums; those whose sum was 0 are appended to touched from n on.
   * Returns how many are touched now. sums, touched: [items]
   */
  addTo(item: number, factor: number, sums: Float64Array, touched: Int32Array, n: number): number {
    if (item >= this.#length.length || this.#length[item] === 0) return n
    this.#open(item)
    const others = this.#others
    const weights = this.#weights
    const end = this.#first + this.#length[item]!
    for (let place = this.#first; place < end; place++) {
      const other = others[place]!
      const sum = sums[other]!
      if (sum === 0) touched[n++] = other
      sums[other] = sum + factor * weights[place]!
    }
    return n
  }

  /** Each neighbour of the item with its weight. */
  forNeighbours(item: number, take: (other: number, weight: number) => void): void {
    if (item >= this.#length.length || this.#length[item] === 0) return
    this.#open(item)
    const end = this.#first + this.#length[item]!
    for (let place = this.#first; place < end; place++) take(this.#others[place]!, this.#weights[place]!)
  }

  scale(factor: number): void {
    for (const { weights } of this.#pools)
      for (const slab of weights) for (let place = 0; place < slab.length; place++) slab[place] = slab[place]! * factor
  }

  /** Forgets the items marked 1, in their own lists and in all others. */
  remove(gone: Uint8Array): void {
    for (let item = 0; item < this.#length.length; item++) {
      if (this.#block[item] === NO_BLOCK) continue
      if (gone[item] === 1) {
        this.#pools[this.#pool[item]!]!.give(this.#block[item]!)
        this.#block[item] = NO_BLOCK
        this.#length[item] = 0
        continue
      }
      this.#open(item)
      let kept = this.#first
      for (let place = this.#first; place < this.#first + this.#length[item]!; place++) {
        if (gone[this.#others[place]!] === 1) continue
        this.#put(kept++, this.#others[place]!, this.#weights[place]!)
      }
      this.#length[item] = kept - this.#first
    }
  }

  /** Lists one after the other, without their empty places. */
  saveArrays(): PartState['arrays'] {
    let items = this.#length.length
    while (items > 0 && this.#length[items - 1] === 0) items--
    const lengths = Uint32Array.from(this.#length.subarray(0, items))
    const total = lengths.reduce((sum, length) => sum + length, 0)
    const others = new Int32Array(total)
    const weights = new Float32Array(total)
    let next = 0
    for (let item = 0; item < items; item++) {
      const length = lengths[item]!
      if (length === 0) continue
      this.#open(item)
      others.set(this.#others.subarray(this.#first, this.#first + length), next)
      weights.set(this.#weights.subarray(this.#first, this.#first + length), next)
      next += length
    }
    return { 'pairs.lengths': lengths, 'pairs.others': others, 'pairs.weights': weights }
  }

  loadArrays(state: LoadedState): void {
    const lengths = loadedArray(state, 'pairs.lengths', Uint32Array)
    const others = loadedArray(state, 'pairs.others', Int32Array)
    const weights = loadedArray(state, 'pairs.weights', Float32Array)
    this.#reserve(lengths.length)
    let next = 0
    for (const [item, length] of lengths.entries()) {
      if (length === 0) continue
      const pool = this.#pools.findIndex(({ places }) => places >= length)
      this.#pool[item] = pool
      this.#block[item] = this.#pools[pool]!.take()
      this.#length[item] = length
      this.#open(item)
      this.#others.set(others.subarray(next, next + length), this.#first)
      this.#weights.set(weights.subarray(next, next + length), this.#first)
      next += length
    }
  }

  #open(item: number): void {
    const pool = this.#pools[this.#pool[item]!]!
    const block = this.#block[item]!
    const slab = Math.floor(block / pool.perSlab)
    this.#others = pool.others[slab]! as Int32Array<ArrayBuffer>
    this.#weights = pool.weights[slab]! as Float32Array<ArrayBuffer>
    this.#first = (block % pool.perSlab) * pool.places
  }

  #put(place: number, other: number, weight: number): void {
    this.#others[place] = other
    this.#weights[place] = weight
  }

  /** Moves the opened list to a block of the next size, which is open then. */
  #widen(item: number): void {
    const others = this.#others
    const weights = this.#weights
    const first = this.#first
    const length = this.#length[item]!
    this.#pools[this.#pool[item]!]!.give(this.#block[item]!)
    this.#pool[item] = this.#pool[item]! + 1
    this.#block[item] = this.#pools[this.#pool[item]!]!.take()
    this.#open(item)
    this.#others.set(others.subarray(first, first + length), this.#first)
    this.#weights.set(weights.subarray(first, first + length), this.#first)
  }

  #reserve(items: number): void {
    if (this.#length.length >= items) return
    const capacity = Math.max(1024, items, this.#length.length * 2)
    const pool = new Uint8Array(capacity)
    pool.set(this.#pool)
    const block = new Int32Array(capacity).fill(NO_BLOCK)
    block.set(this.#block)
    const length = new Uint16Array(capacity)
    length.set(this.#length)
    this.#pool = pool
    this.#block = block
    this.#length = length
  }
}
