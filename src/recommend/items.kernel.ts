/**
 * The catalogue: items that users have had, by number, with their decayed popularity. Numbers of items that go are given
 * again, last freed first. Bounded by `maxItems`: when it is full, the least popular twentieth goes at once (of equals
 * the lower number), because to forget an item every list that may name it has to be walked.
 */
import type { LoadedState, PartState } from '../domain/state.js'
import { loadedArray } from './loaded.js'
import { packTexts, unpackTexts } from './texts.js'

export class Items {
  readonly #maxItems: number
  readonly #numbers = new Map<string, number>()
  readonly #ids: string[] = []
  readonly #free: number[] = []
  /** Decayed events of each item, relative to the owner's reference times: for popularity and for co-counts. 0 = free. */
  popularity = new Float64Array(1024)
  paired = new Float64Array(1024)
  /** log of popularity; -Infinity = free. */
  logPopularity = new Float64Array(1024).fill(Number.NEGATIVE_INFINITY)

  /** Sum of popularity. */
  #total = 0

  constructor(maxItems: number) {
    this.#maxItems = maxItems
  }

  /** One more than the highest number. */
  get length(): number {
    return this.#ids.length
  }

  get size(): number {
    return this.#numbers.size
  }

  get isFull(): boolean {
    return this.#numbers.size >= this.#maxItems
  }

  find(id: string): number {
    return this.#numbers.get(id) ?? -1
  }

  id(item: number): string {
    return this.#ids[item] ?? ''
  }

  insert(id: string): number {
    const known = this.#numbers.get(id)
    if (known !== undefined) return known
    const item = this.#free.pop() ?? this.#ids.length
    this.#ids[item] = id
    this.#numbers.set(id, item)
    if (item >= this.popularity.length) this.#grow(item * 2)
    return item
  }

  count(item: number, weight: number, pairWeight: number): void {
    this.#total += weight
    this.popularity[item] = this.popularity[item]! + weight
    this.paired[item] = this.paired[item]! + pairWeight
    this.logPopularity[item] = Math.log(this.popularity[item]!)
  }

  get logTotal(): number {
    return Math.log(this.#total)
  }

  scalePopularity(factor: number): void {
    this.#total *= factor
    for (let item = 0; item < this.length; item++) {
      if (this.popularity[item] === 0) continue
      // What has faded away altogether is still a known item.
      this.popularity[item] = Math.max(Number.MIN_VALUE, this.popularity[item]! * factor)
      this.logPopularity[item] = Math.log(this.popularity[item]!)
    }
  }

  scalePaired(factor: number): void {
    for (let item = 0; item < this.length; item++) this.paired[item] = this.paired[item]! * factor
  }

  /** Frees the least popular twentieth and returns it as marks by number. */
  evict(): Uint8Array {
    const order = [...this.#numbers.values()].sort((a, b) => this.popularity[a]! - this.popularity[b]! || a - b)
    const gone = new Uint8Array(this.length)
    for (const item of order.slice(0, Math.max(1, Math.floor(this.#maxItems / 20)))) {
      gone[item] = 1
      this.#total -= this.popularity[item]!
      this.#numbers.delete(this.#ids[item]!)
      this.#ids[item] = ''
      this.#free.push(item)
      this.popularity[item] = 0
      this.paired[item] = 0
      this.logPopularity[item] = Number.NEGATIVE_INFINITY
    }
    return gone
  }

  saveArrays(): PartState['arrays'] {
    const { lengths, bytes } = packTexts(this.#ids)
    return {
      'items.lengths': lengths,
      'items.bytes': bytes,
      'items.free': Uint32Array.from(this.#free),
      'items.popularity': this.popularity.subarray(0, this.length),
      'items.total': Float64Array.of(this.#total),
      'items.paired': this.paired.subarray(0, this.length),
    }
  }

  loadArrays(state: LoadedState): void {
    const bytes = loadedArray(state, 'items.bytes', Uint8Array)
    for (const id of unpackTexts(loadedArray(state, 'items.lengths', Uint32Array), bytes)) this.#ids.push(id)
    for (const item of loadedArray(state, 'items.free', Uint32Array)) this.#free.push(item)
    const free = new Set(this.#free)
    if (this.length > this.popularity.length) this.#grow(this.length)
    this.popularity.set(loadedArray(state, 'items.popularity', Float64Array))
    this.paired.set(loadedArray(state, 'items.paired', Float64Array))
    this.#total = loadedArray(state, 'items.total', Float64Array)[0]!
    for (let item = 0; item < this.length; item++) {
      if (free.has(item)) continue
      this.#numbers.set(this.id(item), item)
      this.logPopularity[item] = Math.log(this.popularity[item]!)
    }
  }

  #grow(capacity: number): void {
    const popularity = new Float64Array(capacity)
    popularity.set(this.popularity)
    this.popularity = popularity
    const paired = new Float64Array(capacity)
    paired.set(this.paired)
    this.paired = paired
    const logs = new Float64Array(capacity).fill(Number.NEGATIVE_INFINITY)
    logs.set(this.logPopularity)
    this.logPopularity = logs
  }
}
