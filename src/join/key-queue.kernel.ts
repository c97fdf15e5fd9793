/**
 * A set of 64-bit keys that leave in the order in which they came: an index and a growable ring of its rows and times.
 * Saved in that order; rows of the index are not part of the state.
 */
import type { LoadedState, PartState } from '../domain/state.js'
import { KeyIndex, LOOSE } from '../std/key-index.kernel.js'

export class KeyQueue {
  readonly #index = new KeyIndex(1024, 2, LOOSE)
  #rows = new Int32Array(1024)
  #times = new Float64Array(1024)
  #head = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Time of the oldest key, if there is one. */
  get oldestMs(): number {
    return this.#times[this.#head]!
  }

  has(lo: number, hi: number): boolean {
    return this.#index.find(lo, hi) >= 0
  }

  /** A key that the set does not have. */
  push(lo: number, hi: number, timeMs: number): void {
    if (this.#size === this.#rows.length) this.#grow()
    const at = (this.#head + this.#size++) & (this.#rows.length - 1)
    this.#rows[at] = this.#index.insert(lo, hi)
    this.#times[at] = timeMs
  }

  /** Drops the oldest key. */
  shift(): void {
    const row = this.#rows[this.#head]!
    this.#index.remove(this.#index.keyLo(row), this.#index.keyHi(row))
    this.#head = (this.#head + 1) & (this.#rows.length - 1)
    this.#size--
  }

  saveArrays(): PartState['arrays'] {
    const keys = new Uint32Array(this.#size * 2)
    const times = new Float64Array(this.#size)
    for (let index = 0; index < this.#size; index++) {
      const at = (this.#head + index) & (this.#rows.length - 1)
      keys[index * 2] = this.#index.keyLo(this.#rows[at]!)
      keys[index * 2 + 1] = this.#index.keyHi(this.#rows[at]!)
      times[index] = this.#times[at]!
    }
    return { keys, times }
  }

  loadArrays(arrays: LoadedState['arrays']): void {
    const keys = arrays.keys as Uint32Array
    const times = arrays.times as Float64Array
    for (let index = 0; index < times.length; index++) {
      this.push(keys[index * 2]!, keys[index * 2 + 1]!, times[index]!)
    }
  }

  #grow(): void {
    const rows = new Int32Array(this.#rows.length * 2)
    const times = new Float64Array(this.#rows.length * 2)
    rows.set(this.#rows.subarray(this.#head))
    rows.set(this.#rows.subarray(0, this.#head), this.#rows.length - this.#head)
    times.set(this.#times.subarray(this.#head))
    times.set(this.#times.subarray(0, this.#head), this.#times.length - this.#head)
    this.#rows = rows
    this.#times = times
    this.#head = 0
  }
}
