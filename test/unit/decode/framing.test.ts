import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schemaFingerprint } from '../../../src/decode/fingerprint.js'
import { FrameReader, type Framing } from '../../../src/decode/framing.js'
import type { WireHeaders } from '../../../src/source/source.js'

const bytes = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex')
function read(framing: Framing, hex: string, headers?: WireHeaders) {
  const frame = new FrameReader(framing)
  const ref = frame.read(bytes(hex), headers)
  return ref === undefined ? { fault: frame.fault } : { ref, bodyStart: frame.bodyStart }
}
// The example of Confluent's own clients.
const GUID = '89791762-2336-4186-9674-299b90a802e2'
const GUID_HEX = '89791762233641869674299b90a802e2'

test('magic 0 is followed by a big-endian schema id and the body', () => {
  assert.deepEqual(read('confluent', '00 00 01 02 03 aa'), { ref: 0x010203, bodyStart: 5 })
  assert.deepEqual(read('confluent', '00 7f ff ff ff'), { ref: 2 ** 31 - 1, bodyStart: 5 })
})

test('magic 1 is followed by a GUID', () => {
  assert.deepEqual(read('confluent', `01 ${GUID_HEX} aa`), { ref: GUID, bodyStart: 17 })
})

test('a schema id in the header leaves the whole value to the body', () => {
  for (const [hex, ref] of [
    [`01${GUID_HEX}`, GUID],
    ['0000000007', 7],
  ] as const) {
    assert.deepEqual(read('confluent', '02 65', { __value_schema_id: bytes(hex) }), { ref, bodyStart: 0 })
  }
})

test('the header wins over what looks like a frame in the value, and the first of several headers counts', () => {
  const headers = { __value_schema_id: [bytes('0000000007'), bytes('0000000008')], other: bytes('00') }
  assert.deepEqual(read('confluent', '00 00 00 00 09 aa', headers), { ref: 7, bodyStart: 0 })
})

test("other headers, and the key's schema id, do not matter", () => {
  const headers = { __key_schema_id: bytes('0000000007'), trace: 'x', none: undefined }
  assert.deepEqual(read('confluent', '00 00 00 00 09 aa', headers), { ref: 9, bodyStart: 5 })
})

test('a header given as text is read as bytes', () => {
  assert.deepEqual(read('confluent', '', { __value_schema_id: '\0\0\0\0\x07' }), { ref: 7, bodyStart: 0 })
})

test('what is not framed is said to be so', () => {
  const fault = (hex: string, headers?: WireHeaders) => (read('confluent', hex, headers) as { fault: string }).fault
  assert.equal(fault(''), 'the value is empty')
  assert.equal(fault('7b 22'), 'the value begins with 123, not with magic 0 or 1')
  assert.equal(fault('00 00 00 01'), 'the value has 4 bytes, too few for a schema id')
  assert.equal(fault(`01 ${GUID_HEX.slice(2)}`), 'the value has 16 bytes, too few for a schema id')
  assert.equal(fault('00 80 00 00 00 aa'), 'the value holds schema id 2147483648, which no registry gives')
  assert.equal(fault('00 00 00 00 07', { __value_schema_id: [] }), 'the header __value_schema_id is empty')
  assert.equal(
    fault('00 00 00 00 07', { __value_schema_id: bytes('02') }),
    'the header __value_schema_id begins with 2, not with magic 0 or 1',
  )
})

test('a single object begins with C3 01 and a fingerprint', () => {
  assert.deepEqual(read('single-object', 'c3 01 8f5c393f1ad57572 02'), { ref: '8f5c393f1ad57572', bodyStart: 10 })
  for (const hex of ['', 'c3 01 8f5c393f1ad575', 'c3 02 8f5c393f1ad57572', '00 01 8f5c393f1ad57572']) {
    assert.deepEqual(read('single-object', hex), { fault: 'the value does not begin with C3 01 and a fingerprint' })
  }
})

test('a bare value is all body, whatever its headers say', () => {
  assert.deepEqual(read('bare', '00', { __value_schema_id: bytes('0000000007') }), { ref: '', bodyStart: 0 })
})

test("fingerprints are those of Avro's own test data", () => {
  // share/test/data/schema-tests.txt of apache/avro, as signed 64-bit integers
  const expected = { null: 7195948357588979594n, int: 8247732601305521295n, string: -8142146995180207161n }
  for (const [schema, fingerprint] of Object.entries(expected)) {
    assert.equal(bytes(schemaFingerprint(schema)).readBigInt64LE(), fingerprint)
  }
})

test('a fingerprint does not depend on what the canonical form leaves out', () => {
  const plain = { type: 'record', name: 'a.b.R', fields: [{ name: 'x', type: 'long' }] }
  const decorated = {
    doc: 'R',
    fields: [{ default: 1, type: { logicalType: 'timestamp-millis', type: 'long' }, name: 'x', aliases: ['y'] }],
    namespace: 'a.b',
    name: 'R',
    type: 'record',
  }
  assert.equal(schemaFingerprint(decorated), schemaFingerprint(plain))
  assert.notEqual(schemaFingerprint({ ...plain, name: 'a.R' }), schemaFingerprint(plain))
})
