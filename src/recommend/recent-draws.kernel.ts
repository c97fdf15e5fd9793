/** The items of the most recent positives as a ring: a uniform draw from it is a draw by recent popularity. */
import type { LoadedState, PartState } from '../domain/state.js'
import type { Random } from '../std/random.js'
import { loadedArray } from './loaded.js'

const CAPACITY = 65_536
const GONE = -1

export class RecentDraws {
  #ring = new Int32Array(CAPACITY)
  #length = 0
  /** Place that is written next. */
  next = 0

  add(item: number): void {
    this.#ring[this.next] = item
    this.next = (this.next + 1) % CAPACITY
    if (this.#length < CAPACITY) this.#length++
  }

  /** -1 = none. */
  draw(random: Random): number {
    return this.#length === 0 ? GONE : this.#ring[random.integer(this.#length)]!
  }

  /** Forgets items marked 1. */
  remove(gone: Uint8Array): void {
    for (let place = 0; place < this.#length; place++) {
      const item = this.#ring[place]!
      if (item >= 0 && gone[item] === 1) this.#ring[place] = GONE
    }
  }

  saveArrays(): PartState['arrays'] {
    return { recent: this.#ring.subarray(0, this.#length) }
  }

  loadArrays(state: LoadedState, next: number): void {
    const saved = loadedArray(state, 'recent', Int32Array)
    this.#ring.set(saved)
    this.#length = saved.length
    this.next = next
  }
}
