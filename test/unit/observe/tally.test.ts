import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Tally } from '../../../src/observe/tally.js'

test('each value counts in the first bucket whose bound it does not exceed, in whatever order they come', () => {
  const bounds = [0.1, 1, 10, 100]
  fc.assert(
    fc.property(fc.array(fc.double({ min: -5, max: 500, noNaN: true })), values => {
      const tally = new Tally(bounds)
      for (const value of values) tally.add(value)
      const expected = [0, 0, 0, 0, 0]
      for (const value of values) {
        const at = bounds.findIndex(bound => Math.max(value, 0) <= bound)
        expected[at < 0 ? bounds.length : at]!++
      }
      assert.deepEqual([...tally.counts], expected)
    }),
  )
})

test('ages are in seconds, and one of the future is 0', () => {
  const tally = new Tally([1, 60])
  tally.addAges([9_000, 8_999, 10_500, Number.NaN], 10_000)
  assert.deepEqual([...tally.counts], [3, 1, 0])
  assert.equal(tally.sum, 2.001)
})
