import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StateArray } from '../../../src/domain/state.js'
import { CoCounts } from '../../../src/recommend/co-counts.kernel.js'

function neighbours(counts: CoCounts, item: number): [item: number, weight: number][] {
  const sums = new Float64Array(100)
  const touched = new Int32Array(100)
  const n = counts.addTo(item, 1, sums, touched, 0)
  return Array.from(touched.subarray(0, n), other => [other, sums[other] ?? 0])
}

test('a full list gives up its lightest neighbour, the first of equals', () => {
  const counts = new CoCounts(3)
  counts.add(0, 1, 2)
  counts.add(0, 2, 1)
  counts.add(0, 3, 1)
  counts.add(0, 2, 0)
  counts.add(0, 4, 5)
  assert.deepEqual(neighbours(counts, 0), [
    [1, 2],
    [4, 5],
    [3, 1],
  ])
  counts.add(0, 1, 1)
  assert.deepEqual(neighbours(counts, 0)[0], [1, 3])
})

test('items that are removed leave their own list and all others', () => {
  const counts = new CoCounts(4)
  for (const other of [1, 2, 3]) {
    counts.add(0, other, other)
    counts.add(other, 0, other)
  }
  counts.remove(Uint8Array.of(0, 0, 1, 0))
  assert.deepEqual(neighbours(counts, 0), [
    [1, 1],
    [3, 3],
  ])
  assert.deepEqual(neighbours(counts, 2), [])
})

test('what is saved comes back as it was, in its order, over several slabs', () => {
  const counts = new CoCounts(4)
  counts.add(5, 9, 0.5)
  counts.add(5000, 7, 2)
  counts.add(5, 3, 0.25)
  const arrays = counts.saveArrays() as Record<string, StateArray>
  const copy = new CoCounts(4)
  copy.loadArrays({ meta: null, arrays })
  assert.deepEqual(copy.saveArrays(), arrays)
  assert.deepEqual(neighbours(copy, 5), [
    [9, 0.5],
    [3, 0.25],
  ])
  assert.deepEqual(neighbours(copy, 5000), [[7, 2]])
})
