import assert from 'node:assert/strict'
import { test } from 'node:test'
import { murmur2, partitionOf } from '../../../src/std/murmur2.js'

test("hashes as Kafka's Java client does (vectors of its UtilsTest)", () => {
  assert.equal(murmur2('21'), -973932308)
  assert.equal(murmur2('foobar'), -790332482)
  assert.equal(murmur2('a-little-bit-long-string'), -985981536)
  assert.equal(murmur2('a-little-bit-longer-string'), -1486304829)
  assert.equal(murmur2('lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8'), -58897971)
  assert.equal(murmur2('abc'), 479470107)
})

test('every key has one partition, and all partitions are used', () => {
  const used = new Set<number>()
  for (let n = 0; n < 1000; n++) {
    const partition = partitionOf(`u${n}`, 7)
    assert.equal(partition, partitionOf(`u${n}`, 7))
    used.add(partition)
  }
  assert.deepEqual([...used].sort(), [0, 1, 2, 3, 4, 5, 6])
})
