/**
 * Items for sampled negatives. A uniform draw from the items of the most recent positives is a draw by recent
 * popularity, without counters to keep.
 */
import type { LoadedState, PartState } from '../domain/state.js'
import type { Random } from '../std/random.js'

const CAPACITY = 65_536

export class RecentItems {
  readonly #random: Random
  readonly #capacity: number
  readonly #items: string[] = []
  /** Place of the oldest item once the ring is full. */
  #oldest = 0

  constructor(random: Random, capacity = CAPACITY) {
    this.#random = random
    this.#capacity = capacity
  }

  add(item: string): void {
    if (this.#items.length < this.#capacity) this.#items.push(item)
    else {
      this.#items[this.#oldest] = item
      this.#oldest = (this.#oldest + 1) % this.#capacity
    }
  }

  /** At most `count` distinct items that are not refused; fewer if few can be found in a bounded number of draws. */
  draw(count: number, refused: (item: string) => boolean): string[] {
    const drawn: string[] = []
    if (this.#items.length === 0) return drawn
    for (let tries = count * 4 + 16; tries > 0 && drawn.length < count; tries--) {
      const item = this.#at(this.#random.integer(this.#items.length))
      if (!drawn.includes(item) && !refused(item)) drawn.push(item)
    }
    return drawn
  }

  /** Oldest first, UTF-8. */
  saveArrays(): PartState['arrays'] {
    const encoder = new TextEncoder()
    const texts = this.#items.map((_, index) => encoder.encode(this.#at(index)))
    const bytes = new Uint8Array(texts.reduce((sum, text) => sum + text.length, 0))
    let at = 0
    for (const text of texts) {
      bytes.set(text, at)
      at += text.length
    }
    return { 'recent.lengths': Uint32Array.from(texts, text => text.length), 'recent.bytes': bytes }
  }

  loadArrays(arrays: LoadedState['arrays']): void {
    const decoder = new TextDecoder()
    const bytes = arrays['recent.bytes'] as Uint8Array
    let at = 0
    for (const length of arrays['recent.lengths'] as Uint32Array) {
      this.#items.push(decoder.decode(bytes.subarray(at, at + length)))
      at += length
    }
  }

  /** Counted from the oldest, so that a restored ring draws what the saved one would have drawn. */
  #at(index: number): string {
    return this.#items[(this.#oldest + index) % this.#items.length] ?? ''
  }
}
