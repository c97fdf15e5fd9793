import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from '../../../src/std/crc32.js'

test('CRC-32 gives the check value of its definition', () => {
  assert.equal(crc32(Buffer.from('123456789')), 0xcbf43926)
  assert.equal(crc32(new Uint8Array(0)), 0)
})
