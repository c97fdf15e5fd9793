import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StateArray } from '../../../../src/domain/state.js'
import { packSums, unpackSums } from '../../../../src/evaluate/metrics/sums-state.js'

test('sums come back as they were, and what was there before is gone', () => {
  const sums = new Float64Array([0, 1.5, 0, 0, -2, 0, 1e300])
  const arrays = packSums('window', sums) as Record<string, StateArray>
  assert.equal(arrays.windowValues?.length, 3)
  const back = new Float64Array(7).fill(9)
  unpackSums('window', arrays, back)
  assert.deepEqual(back, sums)
})

test('a missing name, and sums of another length, are refused', () => {
  const arrays = packSums('window', new Float64Array([0, 0, 3])) as Record<string, StateArray>
  assert.throws(() => unpackSums('totals', arrays, new Float64Array(3)), TypeError)
  assert.throws(() => unpackSums('window', arrays, new Float64Array(2)), RangeError)
})
