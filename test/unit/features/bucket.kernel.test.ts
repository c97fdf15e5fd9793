import assert from 'node:assert/strict'
import test from 'node:test'
import { BUCKET_NAMES, bucketOf } from '../../../src/features/bucket.kernel.js'
import { NONE } from '../../../src/features/entity-table.kernel.js'

const nameOf = (x: number) => BUCKET_NAMES[bucketOf(x)]

test('a bucket goes from a power of two to just below the next one', () => {
  for (const exponent of [-20, -3, 0, 1, 29, 40]) {
    const power = 2 ** exponent
    assert.equal(nameOf(power), `2^${exponent}`)
    assert.equal(nameOf(power * 1.99), `2^${exponent}`)
    assert.equal(nameOf(-power), `-2^${exponent}`)
    if (exponent > -20) assert.equal(nameOf(power * (1 - Number.EPSILON / 2)), `2^${exponent - 1}`)
  }
})

test('zero and missing have buckets of their own; the outermost are open', () => {
  assert.equal(nameOf(0), '0')
  assert.equal(nameOf(-0), '0')
  assert.equal(nameOf(NONE), 'missing')
  assert.equal(nameOf(1e-300), '2^-20')
  assert.equal(nameOf(Number.MIN_VALUE), '2^-20')
  assert.equal(nameOf(1e300), '2^40')
})

test('no two buckets have the same name', () => {
  assert.equal(new Set(BUCKET_NAMES).size, BUCKET_NAMES.length)
})
