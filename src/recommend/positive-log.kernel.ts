/**
 * What moved the recommender since it was last published, for followers to repeat: an entry a positive that counted, in
 * order. An entry is user, item (64-bit hashes) and tick, two words each; the items' ids stand beside the entries. One
 * without an item, (0, 0), says that the user was erased.
 */
import type { Id } from '../domain/event.js'
import type { LoadedState, PartState } from '../domain/state.js'
import { LogDigest } from '../std/log-digest.kernel.js'
import { loadedArray } from './loaded.js'
import { packTexts, unpackTexts } from './texts.js'

export const ENTRY_WORDS = 6
const WORD_RANGE = 2 ** 32

export class PositiveLog {
  /** Of all entries since the beginning. */
  readonly digest = new LogDigest()
  readonly #entry = new Uint32Array(ENTRY_WORDS)
  #words: number[] = []
  #items: Id[] = []

  get length(): number {
    return this.#items.length
  }

  add(userLo: number, userHi: number, itemLo: number, itemHi: number, tick: number, item: Id): void {
    const entry = this.#entry
    entry[0] = userLo
    entry[1] = userHi
    entry[2] = itemLo
    entry[3] = itemHi
    entry[4] = tick >>> 0
    entry[5] = Math.floor(tick / WORD_RANGE)
    this.digest.add(entry, 0, ENTRY_WORDS)
    for (let word = 0; word < ENTRY_WORDS; word++) this.#words.push(entry[word]!)
    this.#items.push(item)
  }

  erase(userLo: number, userHi: number, tick: number): void {
    this.add(userLo, userHi, 0, 0, tick, '')
  }

  /** The entries, and a new beginning. */
  take(): PartState['arrays'] {
    const taken = this.#arrays()
    this.clear()
    return taken
  }

  clear(): void {
    this.#words = []
    this.#items = []
  }

  saveArrays(): PartState['arrays'] {
    return Object.fromEntries(Object.entries(this.#arrays()).map(([name, array]) => [`log.${name}`, array]))
  }

  loadArrays(state: LoadedState, digest: string): void {
    this.digest.restore(digest)
    this.#words = [...loadedArray(state, 'log.entries', Uint32Array)]
    const bytes = loadedArray(state, 'log.bytes', Uint8Array)
    this.#items = unpackTexts(loadedArray(state, 'log.lengths', Uint32Array), bytes)
  }

  #arrays(): PartState['arrays'] {
    return { entries: Uint32Array.from(this.#words), ...packTexts(this.#items) }
  }
}

/** What take() gave, an entry at a time. */
export function* readEntries(state: LoadedState) {
  const entries = loadedArray(state, 'entries', Uint32Array)
  const lengths = loadedArray(state, 'lengths', Uint32Array)
  const bytes = loadedArray(state, 'bytes', Uint8Array)
  const decoder = new TextDecoder()
  for (let nth = 0, at = 0; nth < lengths.length; at += lengths[nth++]!) {
    const item = decoder.decode(bytes.subarray(at, at + lengths[nth]!))
    const first = nth * ENTRY_WORDS
    yield {
      userLo: entries[first]!,
      userHi: entries[first + 1]!,
      itemLo: entries[first + 2]!,
      itemHi: entries[first + 3]!,
      tick: (entries[first + 5]! | 0) * WORD_RANGE + entries[first + 4]!,
      item,
    }
  }
}
