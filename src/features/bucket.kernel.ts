/**
 * Power-of-two buckets of a number: missing, zero, and ±[2^e, 2^(e+1)) for e from LOWEST to HIGHEST, the outermost two
 * open. The exponent is read from the float's bits: Math.log2 rounds 2^e − ulp up to the next bucket.
 */
import { NONE } from './entity-table.kernel.js'

const LOWEST = -20
const HIGHEST = 40
const EXPONENTS = HIGHEST - LOWEST + 1
const bits = new Float64Array(1)
const words = new Uint32Array(bits.buffer)
const HIGH_WORD = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 1 : 0

/** Text of each bucket's value, in the order of bucketOf(). */
export const BUCKET_NAMES: readonly string[] = [
  'missing',
  '0',
  ...Array.from({ length: EXPONENTS }, (_, n) => `2^${LOWEST + n}`),
  ...Array.from({ length: EXPONENTS }, (_, n) => `-2^${LOWEST + n}`),
]

export function bucketOf(x: number): number {
  if (x === NONE) return 0
  if (x === 0) return 1
  bits[0] = x
  const exponent = ((words[HIGH_WORD]! >>> 20) & 0x7ff) - 1023
  const place = Math.max(LOWEST, Math.min(HIGHEST, exponent)) - LOWEST
  return 2 + place + (x < 0 ? EXPONENTS : 0)
}
