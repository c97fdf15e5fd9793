import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type FetchedMessage, KeptMessages } from '../../../src/source/kept-messages.js'

const message = (value: number[] | null, headers?: FetchedMessage['headers']): FetchedMessage => ({
  offset: '7',
  key: null,
  value: value === null ? null : Buffer.from(value),
  timestamp: '1700000000000',
  headers,
})

const schemas = (...messages: FetchedMessage[]) =>
  [...new KeptMessages(messages).wire()].map(({ value }) => value?.toString('hex') ?? null)

test('to find their schemas, messages with the id of the one before are not looked at', () => {
  const values = [
    [0, 0, 0, 0, 1, 9],
    [0, 0, 0, 0, 1, 8],
    [0, 0, 0, 0, 2, 7],
    [0, 0, 0, 0, 1, 6],
  ]
  assert.deepEqual(schemas(...values.map(value => message(value))), ['000000000109', '000000000207', '000000000106'])
})

test('GUIDs, short values, tombstones and messages with headers are all looked at', () => {
  const guid = (last: number) => [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]
  assert.equal(schemas(message(guid(1)), message(guid(2))).length, 2)
  assert.equal(schemas(message([0, 0]), message([0, 0]), message(null), message(null)).length, 4)
  const framed = [0, 0, 0, 0, 1, 9]
  assert.equal(schemas(message(framed), message(framed, { __value_schema_id: Buffer.of(0, 0, 0, 0, 2) })).length, 2)
})
