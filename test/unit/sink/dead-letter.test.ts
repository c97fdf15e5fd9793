import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deadLetter } from '../../../src/sink/dead-letter.js'
import type { SourceRecord } from '../../../src/source/source.js'

test('a record that could not be decoded keeps its bytes, schema and reason', () => {
  const record: SourceRecord = {
    partition: 1,
    offset: 2n ** 60n,
    outcome: { kind: 'reject', reason: 'invalid-id', message: 'item is empty' },
    data: Uint8Array.of(9, 1, 2, 9),
    start: 1,
    end: 3,
    schema: '"string"',
  }
  assert.deepEqual(deadLetter('p01', record), {
    partition: 'p01',
    offset: '1152921504606846976',
    reason: 'invalid-id',
    stage: 'decode',
    message: 'item is empty',
    schema: '"string"',
    payload: Uint8Array.of(1, 2),
    eventTime: null,
  })
})

test('a record refused later keeps its bytes and its time', () => {
  const value = {
    kind: 'user',
    eventId: 'e',
    eventTimeMs: 5,
    id: 'u',
    attributes: {},
    numbers: {},
    embedding: null,
  } as const
  const record: SourceRecord = {
    partition: 0,
    offset: 3n,
    outcome: { kind: 'ok', value: { ...value } },
    data: Uint8Array.of(7),
    start: 0,
    end: 1,
    schema: '"s"',
  }
  const letter = deadLetter('p00', record, { reason: 'future-time', message: 'too early', stage: 'join' })
  assert.deepEqual([letter.reason, letter.stage, letter.eventTime, letter.schema], ['future-time', 'join', 5, '"s"'])
  assert.deepEqual(letter.payload, Uint8Array.of(7))
})
