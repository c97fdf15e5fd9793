import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flatness } from '../../../bench/memory.js'
import type { MemorySample } from '../../../bench/memory-samples.js'

const MB = 1e6

/** A sample every 10 records. */
function samples(rssOf: (records: number) => number, rowsOf: (records: number) => number = () => 0): MemorySample[] {
  return Array.from({ length: 100 }, (_, at) => {
    const records = (at + 1) * 10
    return {
      records,
      rssBytes: rssOf(records) + rowsOf(records),
      heapBytes: 0,
      tableBytes: rowsOf(records) / 2,
      tableRows: 0,
      keyedBytes: rowsOf(records) / 2,
      keyedRows: 0,
      waiting: 0,
    }
  })
}

test('memory that grows with the rows alone is flat', () => {
  const result = flatness(
    samples(
      () => 100 * MB,
      records => records * 1e5,
    ),
    100,
  )
  assert.equal(result?.deviationPercent, 0)
  assert.equal(result?.growthPercent, 0)
})

test('growth during the warm-up does not count, growth after it does', () => {
  const warm = flatness(
    samples(records => Math.min(records, 200) * MB),
    200,
  )
  assert.equal(warm?.deviationPercent, 0)
  const leak = flatness(
    samples(records => (100 + Math.max(0, records - 300) / 50) * MB),
    200,
  )
  assert.ok(leak !== undefined && leak.growthPercent > 10 && leak.growthPercent < 14)
  assert.equal(leak.deviationPercent, leak.growthPercent)
})

test('memory that falls deviates too', () => {
  const result = flatness(
    samples(records => (records > 500 ? 80 : 100) * MB),
    100,
  )
  assert.equal(result?.deviationPercent, 20)
})

test('a single high sample is said, but does not decide; nor does the cut-off end', () => {
  const result = flatness(
    samples(records => (records === 500 || records > 990 ? 150 : 100) * MB),
    200,
  )
  assert.equal(result?.deviationPercent, 0)
  assert.equal(result?.worstSamplePercent, 50)
})

test('a replay that ends before the warm-up says nothing', () => {
  assert.equal(
    flatness(
      samples(() => MB),
      5000,
    ),
    undefined,
  )
})
