/**
 * Rows in fewer bits, for publications. What lies in the owner's records stays exact; what is read here is made from the
 * exact row each time, so nothing adds up over a chain of deltas.
 *
 * A row's words, in this order, each group in the order of its places:
 *   int8 only: one float32 scale
 *   exact numbers, one a word (float32)
 *   numbers as float16, two a word, the first in the low half; the last word may be half empty
 *   int8 only: coordinates as int8, four a word, the first in the lowest byte; value = byte × scale
 * float16: coordinates and biases are float16. int8: coordinates are int8, biases float16.
 *
 * A reader that writes such words into its records and reads them again gets the same words: the checksum of rows
 * rests on it. For int8: the scale is the largest magnitude / 127 in float32. 127 × that, in float32 again, is either the
 * magnitude itself or so near to 127 scales that a 127th of it rounds to the scale: so it gives the same one.
 */
import type { RowEncoding } from '../../domain/state.js'
import { type RowWords, recordWords } from '../../std/changed-rows.kernel.js'
import { fromHalf, toHalf } from '../../std/half.kernel.js'
import { type KeyIndex, ROW_SLAB_BITS } from '../../std/key-index.kernel.js'

const SLAB_MASK = (1 << ROW_SLAB_BITS) - 1
const MOST = 127
/** Coordinates that are all smaller than this are 0, so that no scale is denormal; larger ones than this are this. */
const SMALLEST = 2 ** -100
const LARGEST = 2 ** 100

/** coordinate: of a vector. exact: what follows from it is sensitive to its last bits. */
export interface PublishedNumber {
  /** Word of the record. */
  place: number
  what: 'coordinate' | 'bias' | 'exact'
}

/** numbers: of a record of `stride` words, in the order in which float32 has them. */
export function encodedWords(
  index: KeyIndex,
  stride: number,
  numbers: readonly PublishedNumber[],
  encoding: RowEncoding,
): RowWords {
  const places = (...kinds: PublishedNumber['what'][]) =>
    Int32Array.from(
      numbers.filter(({ what }) => kinds.includes(what)),
      ({ place }) => place,
    )
  if (encoding === 'float32') return recordWords(index, stride, places('coordinate', 'bias', 'exact'))
  const isInt8 = encoding === 'int8'
  const exact = places('exact')
  const halves = isInt8 ? places('bias') : places('coordinate', 'bias')
  return new EncodedWords(index, stride, exact, halves, isInt8 ? places('coordinate') : new Int32Array(0))
}

class EncodedWords implements RowWords {
  readonly width: number
  readonly #index: KeyIndex
  readonly #stride: number
  readonly #exact: Int32Array
  readonly #halves: Int32Array
  readonly #bytes: Int32Array
  readonly #float = new Float32Array(1)
  readonly #bits = new Uint32Array(this.#float.buffer)

  constructor(index: KeyIndex, stride: number, exact: Int32Array, halves: Int32Array, bytes: Int32Array) {
    this.#index = index
    this.#stride = stride
    this.#exact = exact
    this.#halves = halves
    this.#bytes = bytes
    const scales = bytes.length > 0 ? 1 : 0
    this.width = scales + exact.length + Math.ceil(halves.length / 2) + Math.ceil(bytes.length / 4)
  }

  read(row: number, into: Uint32Array, at: number): void {
    const slab = this.#index.slabs[row >>> ROW_SLAB_BITS]!
    const record = (row & SLAB_MASK) * this.#stride
    const scale = this.#bytes.length > 0 ? this.#scale(slab, record) : 0
    if (this.#bytes.length > 0) {
      this.#float[0] = scale
      into[at++] = this.#bits[0]!
    }
    for (let n = 0; n < this.#exact.length; n++) into[at++] = slab[record + this.#exact[n]!]!
    for (let n = 0; n < this.#halves.length; n++) {
      const half = toHalf(this.#number(slab[record + this.#halves[n]!]!))
      if ((n & 1) === 0) into[at] = half
      else into[at++]! |= half << 16
    }
    at += this.#halves.length & 1
    for (let n = 0; n < this.#bytes.length; n++) {
      const number = scale === 0 ? 0 : Math.round(this.#number(slab[record + this.#bytes[n]!]!) / scale)
      const byte = Math.max(-MOST, Math.min(MOST, number)) & 255
      if ((n & 3) === 0) into[at] = byte
      else into[at]! |= byte << ((n & 3) * 8)
      if ((n & 3) === 3) at++
    }
  }

  write(row: number, from: Uint32Array, at: number): void {
    const slab = this.#index.slabs[row >>> ROW_SLAB_BITS]!
    const record = (row & SLAB_MASK) * this.#stride
    const scale = this.#bytes.length > 0 ? this.#number(from[at++]!) : 0
    for (let n = 0; n < this.#exact.length; n++) slab[record + this.#exact[n]!] = from[at++]!
    for (let n = 0; n < this.#halves.length; n++) {
      const half = (from[at]! >>> ((n & 1) * 16)) & 0xffff
      at += n & 1
      this.#float[0] = fromHalf(half)
      slab[record + this.#halves[n]!] = this.#bits[0]!
    }
    at += this.#halves.length & 1
    for (let n = 0; n < this.#bytes.length; n++) {
      const byte = (from[at + (n >>> 2)]! << (24 - (n & 3) * 8)) >> 24
      this.#float[0] = byte * scale
      slab[record + this.#bytes[n]!] = this.#bits[0]!
    }
  }

  /** Of the row's coordinates; 0: all of them are. */
  #scale(slab: Uint32Array, record: number): number {
    let most = 0
    for (let n = 0; n < this.#bytes.length; n++) {
      const magnitude = Math.abs(this.#number(slab[record + this.#bytes[n]!]!))
      if (magnitude > most) most = magnitude
    }
    if (most < SMALLEST) return 0
    this.#float[0] = Math.min(most, LARGEST) / MOST
    return this.#float[0]!
  }

  #number(word: number): number {
    this.#bits[0] = word
    return this.#float[0]!
  }
}
