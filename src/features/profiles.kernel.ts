/**
 * The latest profile of each user, or each item, in the cells of its table: of the attributes that the configuration
 * uses the hashes of their values, its numbers, and its embeddings, whose float32 lie bit for bit among the words. Text is
 * not kept. A profile replaces the one before it as a whole.
 */
import type { Profile } from '../domain/event.js'
import type { Hasher } from '../std/hash.js'
import { type EntityTable, NONE } from './entity-table.kernel.js'

export interface AttributePlaces {
  /** First of 2 words a value; (0, 0) = no value. */
  firstWord: number
  places: number
}

interface VectorPlaces {
  /** Among the profile's embeddings; undefined: the one without a name. */
  key: string | undefined
  /** First word, and how many numbers. */
  first: number
  size: number
}

export class Profiles {
  readonly #table: EntityTable
  readonly #hasher: Hasher
  readonly #attributes = new Map<string, AttributePlaces>()
  readonly #numbers = new Map<string, number>()
  readonly #vectors: readonly VectorPlaces[]
  /** The table's words as float32; made anew when the table grows. */
  #floats = new Float32Array(0)

  /** attributes: how many values of each are kept. vectors: embeddings that are kept, and how many numbers they have. */
  constructor(
    table: EntityTable,
    hasher: Hasher,
    attributes: ReadonlyMap<string, number>,
    numbers: ReadonlySet<string>,
    vectors: readonly Omit<VectorPlaces, 'first'>[] = [],
  ) {
    this.#table = table
    this.#hasher = hasher
    for (const [name, places] of attributes) {
      this.#attributes.set(name, { firstWord: table.addWords(places * 2), places })
    }
    for (const name of numbers) this.#numbers.set(name, table.addNumber(NONE))
    this.#vectors = vectors.map(({ key, size }) => ({ key, size, first: table.addWords(size) }))
  }

  /** Nothing of a profile is used: it need not be kept. */
  get unused(): boolean {
    return this.#attributes.size === 0 && this.#numbers.size === 0 && this.#vectors.length === 0
  }

  /** Of the attributes that are kept. */
  get names(): string[] {
    return [...this.#attributes.keys()]
  }

  /** Whether a value with this hash is among the row's of an attribute. */
  has(row: number, name: string, lo: number, hi: number): boolean {
    const places = this.#attributes.get(name)
    if (places === undefined) return false
    const { words, wordWidth } = this.#table
    const first = row * wordWidth + places.firstWord
    for (let at = first; at < first + places.places * 2; at += 2)
      if (words[at] === lo && words[at + 1] === hi) return true
    return false
  }

  /** Names of the numbers that are kept. */
  get numberNames(): string[] {
    return [...this.#numbers.keys()]
  }

  /** The values of a row's attribute as numbers that tell them apart (the upper 53 bits of their hashes). */
  valuesOf(row: number, name: string): number[] {
    const places = this.#attributes.get(name)
    if (places === undefined) return []
    const { words, wordWidth } = this.#table
    const first = row * wordWidth + places.firstWord
    const values: number[] = []
    for (let at = first; at < first + places.places * 2; at += 2) {
      const value = tellingApart(words[at]!, words[at + 1]!)
      if (value !== 0) values.push(value)
    }
    return values
  }

  /** The numbers of a row by name; those that its profile lacks are left out. */
  numbersOf(row: number): Record<string, number> {
    const { numbers, numberWidth } = this.#table
    const known = [...this.#numbers].map(([name, cell]) => [name, numbers[row * numberWidth + cell]!] as const)
    return Object.fromEntries(known.filter(([, value]) => value !== NONE))
  }

  /** undefined: the row's profile lacks it. */
  numberOf(row: number, name: string): number | undefined {
    const cell = this.#numbers.get(name)
    if (cell === undefined) return undefined
    const value = this.#table.numbers[row * this.#table.numberWidth + cell]!
    return value === NONE ? undefined : value
  }

  attribute(name: string): AttributePlaces {
    return this.#attributes.get(name)!
  }

  /** Cell of a number; NONE where the profile lacks it. */
  number(name: string): number {
    return this.#numbers.get(name)!
  }

  /** The row's nth embedding, brought to a length, into out from `at` on; nothing where there is none. */
  readVector(row: number, nth: number, out: Float32Array, at: number, length: number): void {
    const floats = this.#view()
    const { first: word, size } = this.#vectors[nth]!
    const first = row * this.#table.wordWidth + word
    let squares = 0
    for (let place = first; place < first + size; place++) squares += floats[place]! ** 2
    if (squares === 0) return
    const scale = length / Math.sqrt(squares)
    for (let place = 0; place < size; place++) out[at + place] = floats[first + place]! * scale
  }

  #view(): Float32Array {
    const { words } = this.#table
    if (this.#floats.buffer !== words.buffer)
      this.#floats = new Float32Array(words.buffer, words.byteOffset, words.length)
    return this.#floats
  }

  write(row: number, profile: Profile): void {
    const { words, wordWidth, numbers, numberWidth } = this.#table
    for (const [name, { firstWord, places }] of this.#attributes) {
      const first = row * wordWidth + firstWord
      words.fill(0, first, first + places * 2)
      const values = valuesOf(profile, name)
      const count = Math.min(places, values.length)
      for (let place = 0; place < count; place++) {
        this.#hasher.text(values[place]!)
        words[first + place * 2] = this.#hasher.lo
        words[first + place * 2 + 1] = this.#hasher.hi
      }
    }
    for (const { key, first: word, size } of this.#vectors) {
      const first = row * wordWidth + word
      const vector = key === undefined ? profile.embedding : ownVector(profile, key)
      if (vector?.length === size) this.#view().set(vector, first)
      else words.fill(0, first, first + size)
    }
    for (const [name, cell] of this.#numbers) {
      const value = profile.numbers[name]
      numbers[row * numberWidth + cell] = typeof value === 'number' && Number.isFinite(value) ? value : NONE
    }
  }
}

/** A name that every object has is none of the profile's. */
function ownVector({ embeddings }: Profile, key: string): readonly number[] | undefined {
  return embeddings !== undefined && Object.hasOwn(embeddings, key) ? embeddings[key] : undefined
}

/** What tells this text from others: see Profiles.valuesOf(). */
export function valueOfText(hasher: Hasher, text: string): number {
  hasher.text(text)
  return tellingApart(hasher.lo, hasher.hi)
}

/** The upper 53 bits of a hash. */
function tellingApart(lo: number, hi: number): number {
  return hi * 2 ** 21 + (lo >>> 11)
}

/** A number may serve as a category too (a year of birth, a zip code): its decimal text. */
function valuesOf(profile: Profile, name: string): readonly string[] {
  const values = profile.attributes[name]
  if (Array.isArray(values)) return values
  const number = profile.numbers[name]
  return typeof number === 'number' ? [String(number)] : []
}
