/** The positives of the tick under way, each pair of user and item once; they are learned when it ends. */
import type { Id } from '../domain/event.js'
import type { LoadedState, PartState } from '../domain/state.js'
import type { Hasher } from '../std/hash.js'
import { KeyIndex, LOOSE } from '../std/key-index.kernel.js'
import { loadedArray } from './loaded.js'
import { packTexts, unpackTexts } from './texts.js'

export class Pending {
  readonly #hasher: Hasher
  readonly #seen = new KeyIndex(64, 2, LOOSE)
  readonly #items: Id[] = []
  readonly #words: number[] = []

  constructor(hasher: Hasher) {
    this.#hasher = hasher
  }

  get length(): number {
    return this.#items.length
  }

  /** False: the user had the item in this tick already. */
  add(user: Id, item: Id): boolean {
    const hasher = this.#hasher
    hasher.text(item)
    const itemLo = hasher.lo
    const itemHi = hasher.hi
    hasher.text(user)
    return this.addHashed(hasher.lo, hasher.hi, itemLo, itemHi, item)
  }

  /** The same by hashes of the ids. */
  addHashed(userLo: number, userHi: number, itemLo: number, itemHi: number, item: Id): boolean {
    const hasher = this.#hasher
    hasher.mix(userLo, userHi, itemLo, itemHi)
    this.#seen.insert(hasher.lo, hasher.hi)
    if (!this.#seen.inserted) return false
    this.#words.push(userLo, userHi, hasher.lo, hasher.hi)
    this.#items.push(item)
    return true
  }

  /** Forgets what is pending of a user; how many. */
  erase(userLo: number, userHi: number): number {
    const before = this.#items.length
    const items = this.#items.splice(0)
    const words = this.#words.splice(0)
    for (const [nth, item] of items.entries()) {
      const four = words.slice(nth * 4, nth * 4 + 4)
      if (four[0] === userLo && four[1] === userHi) this.#seen.remove(four[2] ?? 0, four[3] ?? 0)
      else {
        this.#items.push(item)
        this.#words.push(...four)
      }
    }
    return before - this.#items.length
  }

  item(nth: number): Id {
    return this.#items[nth] ?? ''
  }

  userLo(nth: number): number {
    return this.#words[nth * 4] ?? 0
  }

  userHi(nth: number): number {
    return this.#words[nth * 4 + 1] ?? 0
  }

  clear(): void {
    for (let at = 0; at < this.#words.length; at += 4)
      this.#seen.remove(this.#words[at + 2] ?? 0, this.#words[at + 3] ?? 0)
    this.#words.length = 0
    this.#items.length = 0
  }

  saveArrays(): PartState['arrays'] {
    const { lengths, bytes } = packTexts(this.#items)
    return { 'pending.words': Uint32Array.from(this.#words), 'pending.lengths': lengths, 'pending.bytes': bytes }
  }

  loadArrays(state: LoadedState): void {
    const words = loadedArray(state, 'pending.words', Uint32Array)
    for (const word of words) this.#words.push(word)
    for (let at = 0; at < words.length; at += 4) this.#seen.insert(words[at + 2] ?? 0, words[at + 3] ?? 0)
    const bytes = loadedArray(state, 'pending.bytes', Uint8Array)
    this.#items.push(...unpackTexts(loadedArray(state, 'pending.lengths', Uint32Array), bytes))
  }
}
