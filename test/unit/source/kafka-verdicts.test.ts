import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SchemaVerdicts } from '../../../src/source/kafka-verdicts.js'
import type { DecodedMessage, MessageDecoder, UnknownSchema } from '../../../src/source/source.js'

/** A value names its schema; `known` are those that the registry knows at the moment. */
function verdictsOf(known: Set<string>) {
  const told: UnknownSchema[] = []
  const decoder: MessageDecoder = {
    async prepare() {},
    decode(value, _headers, _topic, asUnknown = false): DecodedMessage {
      const parts = { bytes: new Uint8Array(0), bodyStart: 0, schema: undefined }
      if (!asUnknown && known.has(String(value))) return { outcome: { kind: 'drop', reason: 'tombstone' }, ...parts }
      return { outcome: { kind: 'reject', reason: 'schema-incompatible', message: '' }, ...parts, unknown: true }
    },
  }
  const verdicts = new SchemaVerdicts(decoder, unknown => told.push(unknown))
  const place = { name: 't/0', topic: 't', index: 0, nextOffset: 0n }
  const decode = (offset: bigint, schema: string) =>
    verdicts.decode(place, offset, Buffer.from(schema), {}).outcome.kind === 'reject'
  return { verdicts, told, place, decode }
}

test('a record whose schema is not known is told of, once, and is ahead until it is taken', () => {
  const { verdicts, told, place, decode } = verdictsOf(new Set(['a']))
  assert.deepEqual([decode(4n, 'a'), decode(5n, 'b')], [false, true])
  assert.deepEqual(told, [{ partition: 0, offset: 5n }])
  assert.deepEqual(verdicts.ahead(), [{ partition: 0, offset: 5n }])
  place.nextOffset = 6n
  assert.deepEqual(verdicts.ahead(), [])
})

test('a repetition does not ask: what was rejected is, though its schema is known by now', () => {
  const { verdicts, told, decode } = verdictsOf(new Set(['a', 'b']))
  verdicts.follow([{ partition: 0, offset: 5n }], [8n])
  assert.deepEqual([decode(5n, 'b'), decode(6n, 'b')], [true, false])
  assert.deepEqual(told, [])
  assert.deepEqual(verdicts.ahead(), [{ partition: 0, offset: 5n }])
})

test('a repetition of a record whose schema is gone is an error, not another outcome', () => {
  const { verdicts, decode } = verdictsOf(new Set())
  verdicts.follow([], [8n])
  assert.throws(() => decode(7n, 'a'), { code: 'REGISTRY_FAILED', message: /t\/0 at 7/ })
})

test('verdicts on what lies behind a repetition are told of when it is over', () => {
  const { verdicts, told, decode } = verdictsOf(new Set())
  verdicts.follow([], [8n])
  assert.equal(decode(8n, 'a'), true)
  assert.deepEqual(told, [])
  verdicts.goLive()
  assert.deepEqual(told, [{ partition: 0, offset: 8n }])
  decode(9n, 'a')
  assert.equal(told.length, 2)
})
