import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createFramedEncoder } from '../../../src/sink/framed-encoder.js'
import { payloadRecord } from '../../../src/sink/output-records.js'
import { idAwareType } from '../../../src/std/avro-long.js'
import { readSchemaFile } from '../../../src/std/schema-file.js'

const letter = (bytes: number) =>
  payloadRecord({
    ...{ partition: 'p', offset: '1', reason: 'undecodable', stage: 'decode', message: 'm', schema: null },
    ...{ payload: Buffer.alloc(bytes, bytes % 251), eventTime: null },
  } as { payload: Uint8Array })
const type = idAwareType(readSchemaFile('dead-letter'))

test('a value is magic 0, the schema id and the Avro body', () => {
  const value = createFramedEncoder('dead-letter', 0x01020304)(letter(3))
  assert.equal(value.toString('hex', 0, 5), '0001020304')
  assert.deepEqual(value.subarray(5), type.toBuffer(letter(3)))
})

test('earlier values stay as they were, at every size and across slabs', () => {
  const encode = createFramedEncoder('dead-letter', 7)
  const sizes = [
    0,
    1,
    100,
    40_000,
    20_000,
    65_000,
    65_536,
    900_000,
    5,
    ...Array.from({ length: 3000 }, (_, i) => i % 97),
  ]
  const values = sizes.map(size => encode(letter(size)))
  values.forEach((value, index) => {
    assert.equal(value.readUInt32BE(1), 7)
    assert.deepEqual(value.subarray(5), type.toBuffer(letter(sizes[index]!)))
  })
})

test('a record that the schema can not hold is a defect, and the next one is encoded', () => {
  const encode = createFramedEncoder('dead-letter', 7)
  assert.throws(() => encode({ partition: 1 }), { code: 'INTERNAL', message: /schema dead-letter/ })
  assert.deepEqual(encode(letter(2)).subarray(5), type.toBuffer(letter(2)))
})
