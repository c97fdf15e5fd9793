/**
 * xxHash64 with seed 0 (Yann Collet; doc/xxhash_spec.md of its repository) over the UTF-8 bytes of a text. In 32-bit
 * words, because JavaScript's 64-bit integers live on the heap: for ids, which are short, that costs less than the call
 * into another module's memory, or than looking the text up in a map.
 *
 * A 64-bit number is two words, lo and hi. Multiplications keep the lower 64 bits.
 */

// The algorithm's primes, as words.
const P1_LO = 0x85ebca87
const P1_HI = 0x9e3779b1
const P2_LO = 0x27d4eb4f
const P2_HI = 0xc2b2ae3d
const P3_LO = 0x9e3779f9
const P3_HI = 0x165667b1
const P4_LO = 0xc2b2ae63
const P4_HI = 0x85ebca77
const P5_LO = 0x165667c5
const P5_HI = 0x27d4eb2f

const STRIPE = 32
const encoder = new TextEncoder()

export class XxHash64 {
  /** The last result, unsigned. */
  lo = 0
  hi = 0
  #bytes = new Uint8Array(256)
  readonly #lanes = new Int32Array(8) // four accumulators: lo, hi

  text(text: string): void {
    const { length } = text
    if (length > this.#bytes.length) this.#bytes = new Uint8Array(length * 2)
    const bytes = this.#bytes
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 127) {
        const encoded = encoder.encode(text)
        this.#hash(encoded, encoded.length)
        return
      }
      bytes[i] = code
    }
    this.#hash(bytes, length)
  }

  #hash(bytes: Uint8Array, length: number): void {
    let at = 0
    let lo: number
    let hi: number
    if (length < STRIPE) {
      lo = P5_LO | 0
      hi = P5_HI
    } else {
      at = this.#stripes(bytes, length)
      lo = this.lo
      hi = this.hi
    }
    let sum = (lo >>> 0) + length
    hi = (hi + (sum > 0xffffffff ? 1 : 0)) | 0
    lo = sum | 0

    for (; at + 8 <= length; at += 8) {
      const one = word(bytes, at)
      const inHi = productHi(one, word(bytes, at + 4), P2_LO, P2_HI)
      const inLo = Math.imul(one, P2_LO)
      const turned = (inLo << 31) | (inHi >>> 1)
      hi ^= productHi(turned, (inHi << 31) | (inLo >>> 1), P1_LO, P1_HI)
      lo ^= Math.imul(turned, P1_LO)
      const left = (lo << 27) | (hi >>> 5) // rotated left by 27
      hi = (hi << 27) | (lo >>> 5)
      lo = left
      hi = productHi(lo, hi, P1_LO, P1_HI)
      lo = Math.imul(lo, P1_LO)
      sum = (lo >>> 0) + P4_LO
      hi = (hi + P4_HI + (sum > 0xffffffff ? 1 : 0)) | 0
      lo = sum | 0
    }
    if (at + 4 <= length) {
      const one = word(bytes, at)
      lo ^= Math.imul(one, P1_LO)
      hi ^= productHi(one, 0, P1_LO, P1_HI)
      const left = (lo << 23) | (hi >>> 9)
      hi = (hi << 23) | (lo >>> 9)
      lo = left
      hi = productHi(lo, hi, P2_LO, P2_HI)
      lo = Math.imul(lo, P2_LO)
      sum = (lo >>> 0) + P3_LO
      hi = (hi + P3_HI + (sum > 0xffffffff ? 1 : 0)) | 0
      lo = sum | 0
      at += 4
    }
    for (; at < length; at++) {
      const one = bytes[at]!
      lo ^= Math.imul(one, P5_LO)
      hi ^= productHi(one, 0, P5_LO, P5_HI)
      const left = (lo << 11) | (hi >>> 21)
      hi = (hi << 11) | (lo >>> 21)
      lo = left
      hi = productHi(lo, hi, P1_LO, P1_HI)
      lo = Math.imul(lo, P1_LO)
    }

    lo ^= hi >>> 1 // h ^= h >> 33
    hi = productHi(lo, hi, P2_LO, P2_HI)
    lo = Math.imul(lo, P2_LO)
    lo ^= (hi << 3) | (lo >>> 29) // h ^= h >> 29
    hi ^= hi >>> 29
    hi = productHi(lo, hi, P3_LO, P3_HI)
    lo = Math.imul(lo, P3_LO)
    lo ^= hi // h ^= h >> 32
    this.lo = lo >>> 0
    this.hi = hi >>> 0
  }

  /** Inputs of 32 bytes and more: four accumulators, then merged into lo and hi. Returns how far it came. */
  #stripes(bytes: Uint8Array, length: number): number {
    const end = length - (length % STRIPE)
    const lanes = this.#lanes
    for (let lane = 0; lane < 4; lane++) this.#accumulate(bytes, end, lane)
    let lo = 0
    let hi = 0
    for (let lane = 0; lane < 4; lane++) {
      const shift = ROTATIONS[lane]!
      const laneLo = lanes[lane * 2]!
      const laneHi = lanes[lane * 2 + 1]!
      const sum = (lo >>> 0) + (((laneLo << shift) | (laneHi >>> (32 - shift))) >>> 0)
      hi = (hi + ((laneHi << shift) | (laneLo >>> (32 - shift))) + (sum > 0xffffffff ? 1 : 0)) | 0
      lo = sum | 0
    }
    for (let lane = 0; lane < 4; lane++) {
      const laneLo = lanes[lane * 2]!
      const laneHi = lanes[lane * 2 + 1]!
      const inHi = productHi(laneLo, laneHi, P2_LO, P2_HI)
      const inLo = Math.imul(laneLo, P2_LO)
      const left = (inLo << 31) | (inHi >>> 1)
      hi ^= productHi(left, (inHi << 31) | (inLo >>> 1), P1_LO, P1_HI)
      lo ^= Math.imul(left, P1_LO)
      hi = productHi(lo, hi, P1_LO, P1_HI)
      lo = Math.imul(lo, P1_LO)
      const sum = (lo >>> 0) + P4_LO
      hi = (hi + P4_HI + (sum > 0xffffffff ? 1 : 0)) | 0
      lo = sum | 0
    }
    this.lo = lo
    this.hi = hi
    return end
  }

  /** One accumulator over all stripes: rotate(accumulator + input · P2, 31) · P1 for each. */
  #accumulate(bytes: Uint8Array, end: number, lane: number): void {
    let lo = STARTS[lane * 2]!
    let hi = STARTS[lane * 2 + 1]!
    for (let at = lane * 8; at < end; at += STRIPE) {
      const inLo = word(bytes, at)
      const sum = (lo >>> 0) + (Math.imul(inLo, P2_LO) >>> 0)
      const sumHi = (hi + productHi(inLo, word(bytes, at + 4), P2_LO, P2_HI) + (sum > 0xffffffff ? 1 : 0)) | 0
      const sumLo = sum | 0
      const left = (sumLo << 31) | (sumHi >>> 1)
      hi = productHi(left, (sumHi << 31) | (sumLo >>> 1), P1_LO, P1_HI)
      lo = Math.imul(left, P1_LO)
    }
    this.#lanes[lane * 2] = lo
    this.#lanes[lane * 2 + 1] = hi
  }
}

/** Of the accumulators, two words each: P1 + P2, P2, 0, -P1. */
const STARTS = new Int32Array([P1_LO + P2_LO, P1_HI + P2_HI, P2_LO, P2_HI, 0, 0, -P1_LO, ~P1_HI])
/** By accumulator, when they are merged. */
const ROTATIONS = [1, 7, 12, 18] as const

/** Four bytes, little-endian. */
function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
}

/** The upper word of a product of two 64-bit numbers. The lower one is Math.imul(aLo, bLo). */
function productHi(aLo: number, aHi: number, bLo: number, bHi: number): number {
  const a0 = aLo & 0xffff
  const a1 = aLo >>> 16
  const b0 = bLo & 0xffff
  const b1 = bLo >>> 16
  const middle = (Math.imul(a1, b0) >>> 0) + (Math.imul(a0, b0) >>> 16)
  const other = (Math.imul(a0, b1) >>> 0) + (middle & 0xffff)
  const carried = Math.imul(a1, b1) + (middle >>> 16) + (other >>> 16)
  return (carried + Math.imul(aHi, bLo) + Math.imul(aLo, bHi)) | 0
}
