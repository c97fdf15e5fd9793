import assert from 'node:assert/strict'
import { test } from 'node:test'
import { smoothed } from '../../../../src/evaluate/report/smoothing.js'

test('a smoothed window is the weighted mean of itself and those before it, undefined ones left out', () => {
  const windows = [
    { events: 1, value: null, weight: 0 },
    { events: 2, value: 1, weight: 1 },
    { events: 3, value: 4, weight: 2 },
    { events: 4, value: null, weight: 5 },
    { events: 5, value: 10, weight: 1 },
  ]
  assert.deepEqual(
    smoothed(windows, 3).map(({ value }) => value),
    [null, 1, 3, 3, 6],
  )
})
