import assert from 'node:assert/strict'
import { test } from 'node:test'
import { heldRecord } from '../../../src/app/held-record.js'
import type { SourceRecord } from '../../../src/source/source.js'

const event = {
  kind: 'click' as const,
  eventId: 'e',
  eventTimeMs: 5,
  user: 'u',
  item: 'i',
  requestId: null,
  value: 1,
  context: null,
}
const record: SourceRecord = {
  partition: 2,
  offset: 2n ** 60n,
  outcome: { kind: 'ok', value: event },
  data: Buffer.from([9, 1, 2, 3, 9]),
  start: 1,
  end: 4,
  schema: '"s"',
}
const restored = (from: SourceRecord) => heldRecord.fromJson(JSON.parse(JSON.stringify(heldRecord.toJson(from))))

test('a held record comes back from a checkpoint with its event and its own bytes', () => {
  const { data, start, end, ...rest } = restored(record)
  assert.deepEqual([...data.subarray(start, end)], [1, 2, 3])
  assert.deepEqual(rest, { partition: 2, offset: 2n ** 60n, outcome: record.outcome, schema: '"s"' })
})

test('the message that a held record came in comes back byte for byte', () => {
  const original = {
    key: Buffer.from([0, 255]),
    value: null,
    headers: { one: 'text', many: [Buffer.from([1]), 'two'], none: undefined },
    timestampMs: 7,
  }
  assert.deepEqual(restored({ ...record, original }).original, {
    key: Buffer.from([0, 255]),
    value: null,
    headers: { one: [Buffer.from('text')], many: [Buffer.from([1]), Buffer.from('two')], none: [] },
    timestampMs: 7,
  })
})

test('two copies of one event are the same, two events are not', () => {
  assert.ok(heldRecord.same(record, { ...record, offset: 3n }))
  assert.ok(!heldRecord.same(record, { ...record, outcome: { kind: 'ok', value: { ...event, kind: 'buy' } } }))
})
