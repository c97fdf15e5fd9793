/**
 * 64-bit keys as two unsigned 32-bit words (JavaScript has no fast 64-bit integer).
 * Text is hashed by xxHash64; `mix` derives keys from keys (a table's, a cross's) with the 64-bit finaliser's idea on
 * two words: every bit of the inputs reaches every bit of the result.
 */
import xxhash from 'xxhash-wasm'

/** Ids repeat; remembering their hashes saves the call into wasm. Cleared as a whole when full: no order to depend on. */
const REMEMBERED = 262_144

export class Hasher {
  /** The last result. */
  lo = 0
  hi = 0
  readonly #h64: (text: string) => bigint
  #index = new Map<string, number>()
  readonly #los = new Uint32Array(REMEMBERED)
  readonly #his = new Uint32Array(REMEMBERED)
  #lastText = ''
  #lastLo = 0
  #lastHi = 0
  #olderText = ''
  #olderLo = 0
  #olderHi = 0

  private constructor(h64: (text: string) => bigint) {
    this.#h64 = h64
    this.once('')
    this.#lastLo = this.#olderLo = this.lo
    this.#lastHi = this.#olderHi = this.hi
  }

  static async create(): Promise<Hasher> {
    const { h64 } = await xxhash()
    return new Hasher(text => h64(text))
  }

  /** xxHash64 of the text's UTF-8 bytes into lo and hi; never (0, 0), which means "no key". */
  text(text: string): void {
    // One event's user and item are asked for by several stages: comparing a string with itself costs nothing.
    if (text === this.#lastText) {
      this.lo = this.#lastLo
      this.hi = this.#lastHi
      return
    }
    if (text === this.#olderText) {
      this.lo = this.#olderLo
      this.hi = this.#olderHi
      return
    }
    this.#lookUp(text)
    this.#olderText = this.#lastText
    this.#olderLo = this.#lastLo
    this.#olderHi = this.#lastHi
    this.#lastText = text
    this.#lastLo = this.lo
    this.#lastHi = this.hi
  }

  #lookUp(text: string): void {
    const known = this.#index.get(text)
    if (known !== undefined) {
      this.lo = this.#los[known] ?? 0
      this.hi = this.#his[known] ?? 0
      return
    }
    this.once(text)
    if (text.length > 64) return
    if (this.#index.size === REMEMBERED) this.#index = new Map()
    const place = this.#index.size
    this.#los[place] = this.lo
    this.#his[place] = this.hi
    this.#index.set(text, place)
  }

  /** Like text(), for texts that hardly come again, such as event ids: remembering costs more than hashing. */
  once(text: string): void {
    const hash = this.#h64(text)
    this.lo = Number(hash & 0xffffffffn)
    this.hi = Number(hash >> 32n)
    if (this.lo === 0 && this.hi === 0) this.lo = 1
  }

  /** A new key from two keys, order matters; into lo and hi; never (0, 0). */
  mix(aLo: number, aHi: number, bLo: number, bHi: number): void {
    let lo = (aLo ^ Math.imul(bLo, 0x9e3779b1)) >>> 0
    let hi = (aHi ^ Math.imul(bHi, 0x85ebca77)) >>> 0
    lo = Math.imul(lo ^ (hi >>> 15), 0x2c1b3c6d)
    hi = Math.imul(hi ^ (lo >>> 12), 0x297a2d39)
    lo = Math.imul(lo ^ (hi >>> 16), 0x7feb352d)
    hi = Math.imul(hi ^ (lo >>> 15), 0x846ca68b)
    lo ^= hi >>> 16
    hi ^= lo >>> 13
    this.lo = lo >>> 0
    this.hi = hi >>> 0
    if (this.lo === 0 && this.hi === 0) this.lo = 1
  }
}
