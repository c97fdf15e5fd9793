import assert from 'node:assert/strict'
import { test } from 'node:test'
import avro from 'avsc'
import { createSkim, SkimCursor } from '../../../src/decode/skim.js'

function endOf(schema: unknown, bytes: Buffer): number {
  const cursor = new SkimCursor()
  cursor.buffer = bytes
  cursor.limit = bytes.length
  return createSkim(avro.Type.forSchema(schema as never))(cursor) ? cursor.position : -1
}

const nested = {
  type: 'record',
  name: 'Everything',
  fields: [
    { name: 'text', type: 'string' },
    { name: 'raw', type: 'bytes' },
    { name: 'flag', type: 'boolean' },
    { name: 'whole', type: 'long' },
    { name: 'small', type: 'int' },
    { name: 'half', type: 'float' },
    { name: 'full', type: 'double' },
    { name: 'none', type: 'null' },
    { name: 'maybe', type: ['null', 'string'] },
    { name: 'list', type: { type: 'array', items: ['null', 'Everything'] } },
    { name: 'names', type: { type: 'map', values: { type: 'array', items: 'int' } } },
    { name: 'choice', type: { type: 'enum', name: 'Choice', symbols: ['A', 'B'] } },
    { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 5 } },
  ],
}
const leaf = {
  text: 'äö',
  raw: Buffer.from([1, 2, 3]),
  flag: true,
  whole: -(2 ** 52),
  small: 77,
  half: 0.5,
  full: 1e300,
  none: null,
  maybe: null,
  list: [],
  names: { a: [1, 2, 3], b: [] },
  choice: 'B',
  hash: Buffer.from('12345'),
}
const datum = avro.Type.forSchema(nested as never).toBuffer({
  ...leaf,
  maybe: 'x',
  list: [null, leaf, { ...leaf, list: [leaf] }],
})

test('the end of a datum is found through every type', () => {
  assert.equal(endOf(nested, datum), datum.length)
  assert.equal(endOf(nested, Buffer.concat([datum, Buffer.alloc(9, 0xff)])), datum.length)
})

test('a datum cut anywhere does not fit', () => {
  for (let cut = 0; cut < datum.length; cut++) assert.equal(endOf(nested, datum.subarray(0, cut)), -1, `cut at ${cut}`)
})

test('array blocks with a byte size are accepted if it is right', () => {
  const ints = { type: 'array', items: 'int' }
  assert.equal(endOf(ints, Buffer.from([3, 4, 2, 4, 0])), 5) // -2 items in 2 bytes
  assert.equal(endOf(ints, Buffer.from([3, 6, 2, 4, 0])), -1)
})

test('a count that the bytes can not hold fails at once, also for items without bytes', () => {
  const huge = Buffer.from([0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0])
  for (const items of ['string', 'float', 'null']) assert.equal(endOf({ type: 'array', items }, huge), -1)
  assert.equal(endOf({ type: 'array', items: 'null' }, Buffer.from([20, 0])), 2)
})

test('negative lengths, branches that are not there and longs without end do not fit', () => {
  assert.equal(endOf('string', Buffer.from([1, 65])), -1)
  assert.equal(endOf(['null', 'int'], Buffer.from([4, 0])), -1)
  assert.equal(endOf('long', Buffer.alloc(20, 0xff)), -1)
})
