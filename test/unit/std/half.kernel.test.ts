import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { fromHalf, toHalf } from '../../../src/std/half.kernel.js'

test('every half that is a number comes back as it was', () => {
  for (let half = 0; half < 0x10000; half++) {
    if ((half & 0x7c00) === 0x7c00) continue
    assert.equal(toHalf(fromHalf(half)), half)
  }
})

test('known halves are what IEEE 754 says', () => {
  const known = { 15360: 1, 49152: -2, 31743: 65504, 1024: 2 ** -14, 1: 2 ** -24, 13653: 0.333251953125 }
  for (const [half, value] of Object.entries(known)) assert.equal(fromHalf(Number(half)), value)
})

test('a number becomes the nearest half, ties the even one', () => {
  const finite = fc.float({ min: -65504, max: 65504, noNaN: true })
  fc.assert(
    fc.property(finite, value => {
      const half = toHalf(value)
      const error = Math.abs(fromHalf(half) - value)
      for (const other of [half - 1, half + 1]) {
        if ((other & 0x7c00) === 0x7c00 || (other & 0x8000) !== (half & 0x8000)) continue
        assert.ok(error <= Math.abs(fromHalf(other) - value), `${value}`)
      }
    }),
  )
  assert.equal(fromHalf(toHalf(2049)), 2048)
  assert.equal(fromHalf(toHalf(2051)), 2052)
})

test('what no half can be becomes the greatest, or stays no number', () => {
  assert.equal(fromHalf(toHalf(1e30)), 65504)
  assert.equal(fromHalf(toHalf(Number.NEGATIVE_INFINITY)), -65504)
  assert.ok(Number.isNaN(fromHalf(toHalf(Number.NaN))))
})
