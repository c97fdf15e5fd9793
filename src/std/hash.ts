/**
 * 64-bit keys as two unsigned 32-bit words (JavaScript has no fast 64-bit integer).
 * Text is hashed by xxHash64; `mix` derives keys from keys (a table's, a cross's) with the 64-bit finaliser's idea on
 * two words: every bit of the inputs reaches every bit of the result.
 */
import { XxHash64 } from './xx-hash.kernel.js'

export class Hasher {
  /** The last result. */
  lo = 0
  hi = 0
  readonly #hash = new XxHash64()
  #lastText = ''
  #lastLo = 0
  #lastHi = 0
  #olderText = ''
  #olderLo = 0
  #olderHi = 0

  constructor() {
    this.once('')
    this.#lastLo = this.#olderLo = this.lo
    this.#lastHi = this.#olderHi = this.hi
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
    this.once(text)
    this.#olderText = this.#lastText
    this.#olderLo = this.#lastLo
    this.#olderHi = this.#lastHi
    this.#lastText = text
    this.#lastLo = this.lo
    this.#lastHi = this.hi
  }

  /** Like text(), for texts that hardly come again, such as event ids. */
  once(text: string): void {
    this.#hash.text(text)
    this.lo = this.#hash.lo
    this.hi = this.#hash.hi
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
