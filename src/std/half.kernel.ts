/** IEEE 754 binary16: numbers in half the bits, eleven of them significant. */
const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)
/** Of an exponent, what a unit of the mantissa's last place is. */
const UNITS = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (Math.max(exponent, 1) - 25))
const SIGN = 0x8000
const GREATEST = 0x7bff
const NOT_A_NUMBER = 0x7e00

/** The nearest one, ties to even; what is beyond the greatest (65,504) becomes the greatest. */
export function toHalf(value: number): number {
  float[0] = value
  const sign = (bits[0]! >>> 16) & SIGN
  const magnitude = bits[0]! & 0x7fffffff
  if (magnitude > 0x7f800000) return NOT_A_NUMBER
  if (magnitude >= 0x477fe000) return sign | GREATEST
  if (magnitude < 0x38800000) {
    // The last place of numbers around one half is that of the smallest halves.
    float[0] = Math.abs(value) + 0.5
    return sign | (bits[0]! - 0x3f000000)
  }
  return sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
}

export function fromHalf(half: number): number {
  const exponent = (half >>> 10) & 31
  const mantissa = half & 0x3ff
  if (exponent === 31) return Number.NaN
  const value = (exponent === 0 ? mantissa : mantissa + 1024) * UNITS[exponent]!
  return (half & SIGN) === 0 ? value : -value
}
