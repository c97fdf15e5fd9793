import assert from 'node:assert/strict'
import { test } from 'node:test'
import avro from 'avsc'
import { createDecoderFactory } from '../../../src/decode/record-decoder.js'
import type { Event } from '../../../src/domain/event.js'
import type { Outcome } from '../../../src/domain/outcome.js'
import { idAwareType } from '../../../src/std/avro-long.js'
import { readSchemaFile } from '../../../src/std/schema-file.js'

const decoderFor = createDecoderFactory({ maxDecodeBytes: 100_000, maxIdBytes: 64 })

interface RecordSchema {
  type: 'record'
  name: string
  fields: { name: string; type: unknown; default?: unknown }[]
  [key: string]: unknown
}
const schemaOf = (name: string) => readSchemaFile(name) as RecordSchema

function decode(schema: unknown, body: Buffer): Outcome<Event> {
  const decoder = decoderFor(JSON.stringify(schema))
  const outcome = decoder.decode(body, 0, body.length)
  assert.equal(decoder.end, body.length)
  return outcome
}
const roundTrip = (name: string, record: object) => {
  const schema = schemaOf(name)
  return decode(schema, idAwareType(schema).toBuffer(record))
}
const value = (outcome: Outcome<Event>) => {
  assert.equal(outcome.kind, 'ok', JSON.stringify(outcome))
  return outcome.kind === 'ok' ? outcome.value : assert.fail()
}
const reason = (outcome: Outcome<Event>) => (outcome.kind === 'reject' ? outcome.reason : outcome.kind)

const stamp = { eventId: 'e1', eventTime: 1_600_000_000_000 }
const pair = { ...stamp, user: 'u1', item: 'i1' }

test('an impression is read with all its fields', () => {
  const record = { ...pair, requestId: 'r1', position: 3, context: { device: 'phone' } }
  assert.deepEqual(value(roundTrip('impression', record)), {
    kind: 'impression',
    eventId: 'e1',
    eventTimeMs: 1_600_000_000_000,
    user: 'u1',
    item: 'i1',
    requestId: 'r1',
    position: 3,
    context: { device: 'phone' },
  })
})

test('positives carry their value: a click 1, a buy its amount or 1, a rating the rating', () => {
  const amounts = [
    value(roundTrip('click', pair)),
    value(roundTrip('buy', pair)),
    value(roundTrip('buy', { ...pair, value: 2.5 })),
    value(roundTrip('rating', { ...pair, value: 4 })),
  ]
  assert.deepEqual(
    amounts.map(event => 'value' in event && [event.kind, event.value]),
    [
      ['click', 1],
      ['buy', 1],
      ['buy', 2.5],
      ['rating', 4],
    ],
  )
})

test('ids that are longs come out as exact decimal text, at any size', () => {
  for (const id of [0n, -1n, 63n, 64n, 2n ** 31n, 2n ** 53n + 1n, 9223372036854775807n, -9223372036854775808n]) {
    const event = value(roundTrip('click', { ...pair, item: id }))
    assert.equal('item' in event && event.item, String(id))
  }
})

test('an item profile is folded: title words, category and brand are attributes, price is a number', () => {
  const event = value(
    roundTrip('item', {
      ...stamp,
      id: 5n,
      title: 'The BIG Red-Chair, the Best of 2024 (Größe XL)',
      text: 'ignored',
      category: 'chairs',
      brand: 'acme',
      price: 19.5,
      embedding: [1, 2],
      embeddings: { photo: [0.5], sound: [] },
      attributes: { colour: ['red', 'black'] },
      numbers: { weight: 3 },
    }),
  )
  assert.deepEqual(event, {
    kind: 'item',
    eventId: 'e1',
    eventTimeMs: 1_600_000_000_000,
    id: '5',
    attributes: {
      colour: ['red', 'black'],
      title: ['the', 'big', 'red', 'chair', 'best', 'of', 'größe', 'xl'],
      category: ['chairs'],
      brand: ['acme'],
    },
    numbers: { weight: 3, price: 19.5 },
    embedding: [1, 2],
    embeddings: { photo: [0.5], sound: [] },
  })
})

test('a title gives at most 16 words', () => {
  const title = Array.from({ length: 40 }, (_, index) => 'w'.repeat(index + 1)).join(' ')
  const event = value(roundTrip('item', { ...stamp, id: 'i', title }))
  assert.equal('attributes' in event && event.attributes.title?.length, 16)
})

test('a score request names its candidates', () => {
  const event = value(roundTrip('score-request', { ...stamp, requestId: 'r', user: 1n, candidates: ['a', 2n ** 60n] }))
  assert.deepEqual('candidates' in event && event.candidates, ['a', '1152921504606846976'])
})

test('an erasure names its user, as text or as a long of any size', () => {
  const event = value(roundTrip('erase', { ...stamp, user: 2n ** 60n }))
  assert.deepEqual(event, {
    kind: 'erase',
    eventId: event.eventId,
    eventTimeMs: event.eventTimeMs,
    user: '1152921504606846976',
  })
})

const faults: [name: string, kind: string, record: object, reason: string][] = [
  ['an empty id', 'click', { ...pair, item: '' }, 'invalid-id'],
  ['an empty event id', 'click', { ...pair, eventId: '' }, 'invalid-id'],
  ['an id that is too long', 'click', { ...pair, user: 'x'.repeat(65) }, 'invalid-id'],
  ['an id too long in UTF-8 only', 'click', { ...pair, user: 'é'.repeat(33) }, 'invalid-id'],
  ['an empty candidate', 'score-request', { ...stamp, requestId: 'r', user: 'u', candidates: ['a', ''] }, 'invalid-id'],
  ['nobody to erase', 'erase', { ...stamp, user: '' }, 'invalid-id'],
  ['a negative time', 'click', { ...pair, eventTime: -1 }, 'invalid-time'],
  ['a time beyond 2200', 'click', { ...pair, eventTime: 7_258_118_400_001 }, 'invalid-time'],
  ['a rating that is not a number', 'rating', { ...pair, value: Number.NaN }, 'invalid-number'],
  ['an infinite amount', 'buy', { ...pair, value: Number.POSITIVE_INFINITY }, 'invalid-number'],
  ['a position of 0', 'impression', { ...pair, position: 0 }, 'invalid-number'],
  ['an infinite price', 'item', { ...stamp, id: 'i', price: Number.NEGATIVE_INFINITY }, 'invalid-number'],
  ['an attribute that is not a number', 'user', { ...stamp, id: 'u', numbers: { age: Number.NaN } }, 'invalid-number'],
  ['a NaN in an embedding', 'item', { ...stamp, id: 'i', embedding: [1, Number.NaN] }, 'invalid-number'],
  [
    'an infinity in an embedding',
    'user',
    { ...stamp, id: 'u', embeddings: { a: [1], b: [Infinity] } },
    'invalid-number',
  ],
  ['a long one', 'item', { ...stamp, id: 'i', embeddings: { photo: Array(4097).fill(0) } }, 'too-large'],
  ['a long embedding', 'item', { ...stamp, id: 'i', embedding: Array(4097).fill(0) }, 'too-large'],
  [
    'too many candidates',
    'score-request',
    { ...stamp, requestId: 'r', user: 'u', candidates: Array(10_001).fill('a') },
    'too-large',
  ],
  ['a record beyond the limit', 'item', { ...stamp, id: 'i', text: 'x'.repeat(100_001) }, 'too-large'],
]
for (const [name, kind, record, expected] of faults) {
  test(`${name} is rejected as ${expected}`, () => {
    assert.equal(reason(roundTrip(kind, record)), expected)
  })
}

test('the limits themselves are allowed', () => {
  value(roundTrip('click', { ...pair, user: 'x'.repeat(64), eventTime: 7_258_118_400_000 }))
  value(roundTrip('click', { ...pair, user: 'é'.repeat(32), eventTime: 0 }))
  value(roundTrip('item', { ...stamp, id: 'i', embedding: Array(4096).fill(0) }))
  value(roundTrip('score-request', { ...stamp, requestId: 'r', user: 'u', candidates: Array(10_000).fill('a') }))
})

test('an id of invalid UTF-8 is rejected: two such ids would become one', () => {
  const schema = schemaOf('click')
  const body = idAwareType(schema).toBuffer({ ...pair, user: 'XY' })
  body[body.indexOf('XY')] = 0xff
  assert.equal(reason(decode(schema, body)), 'invalid-id')
})

test('a time beyond 2^53 is an invalid time, not an undecodable record', () => {
  const schema = schemaOf('click')
  const fields = schema.fields.map(field =>
    field.name === 'eventTime' ? { ...field, type: ['string', 'long'] } : field,
  )
  const body = idAwareType({ ...schema, fields }).toBuffer({ ...pair, eventTime: 2n ** 60n })
  // The same bytes with a plain long: leave the branch number out.
  const at = body.indexOf('e1') + 2
  assert.equal(reason(decode(schema, Buffer.concat([body.subarray(0, at), body.subarray(at + 1)]))), 'invalid-time')
})

test('a log of several types is read by the branch number of each record', () => {
  const schema = ['user', 'click'].map(schemaOf)
  const bodies = [
    idAwareType(schemaOf('click')).toBuffer(pair),
    idAwareType(schemaOf('user')).toBuffer({ ...stamp, id: 9n }),
  ]
  const buffer = Buffer.concat([Buffer.from([2]), bodies[0]!, Buffer.from([0]), bodies[1]!])
  const decoder = decoderFor(JSON.stringify(schema))
  assert.equal(value(decoder.decode(buffer, 0, buffer.length)).kind, 'click')
  assert.deepEqual([decoder.bodyStart, decoder.end], [1, 1 + bodies[0]!.length])
  assert.equal(decoder.schema, JSON.stringify(schemaOf('click')))
  assert.equal(value(decoder.decode(buffer, decoder.end, buffer.length)).kind, 'user')
  assert.equal(decoder.end, buffer.length)
  assert.equal(reason(decoder.decode(Buffer.from([8]), 0, 1)), 'undecodable')
  assert.equal(decoder.end, -1)
})

test('a record type that is not known is stepped over', () => {
  const search = {
    type: 'record',
    name: 'shop.Search',
    fields: [{ name: 'words', type: { type: 'array', items: 'string' } }],
  }
  const schema = [search, schemaOf('click')]
  const unknown = avro.Type.forSchema(search as never).toBuffer({ words: ['red', 'chair'] })
  const buffer = Buffer.concat([
    Buffer.from([0]),
    unknown,
    Buffer.from([2]),
    idAwareType(schemaOf('click')).toBuffer(pair),
  ])
  const decoder = decoderFor(JSON.stringify(schema))
  assert.equal(reason(decoder.decode(buffer, 0, buffer.length)), 'unknown-event')
  assert.equal(value(decoder.decode(buffer, decoder.end, buffer.length)).kind, 'click')
})

test('an older writer without the optional fields is read with their defaults', () => {
  const schema = schemaOf('impression')
  const fields = schema.fields.filter(field => !('default' in field))
  const older = { ...schema, fields }
  const event = value(decode(older, idAwareType(older).toBuffer(pair)))
  assert.deepEqual('position' in event && [event.position, event.requestId, event.context], [null, null, null])
})

test('profiles of before there were several embeddings are read as they were', () => {
  const schema = schemaOf('item')
  const older = { ...schema, fields: schema.fields.filter(({ name }) => name !== 'embeddings') }
  const event = value(
    decode(older, idAwareType(older).toBuffer({ ...stamp, id: 'i', embedding: [1, 2], title: 'Tea' })),
  )
  const { eventTime: eventTimeMs, ...rest } = stamp
  const attributes = { title: ['tea'] }
  assert.deepEqual(event, { kind: 'item', ...rest, eventTimeMs, id: 'i', attributes, numbers: {}, embedding: [1, 2] })
})

test('a newer writer with more fields, of any type and in any order, is read', () => {
  const schema = schemaOf('click')
  const tree = {
    type: 'record',
    name: 'Tree',
    fields: [{ name: 'children', type: { type: 'array', items: 'Tree' } }],
  }
  const newer = {
    ...schema,
    fields: [
      { name: 'colour', type: { type: 'enum', name: 'Colour', symbols: ['RED', 'BLUE'] } },
      ...[...schema.fields].reverse(),
      { name: 'tree', type: tree },
      { name: 'hash', type: { type: 'fixed', name: 'Hash', size: 3 } },
      { name: 'flags', type: { type: 'map', values: 'boolean' } },
      { name: 'weight', type: ['null', 'float', 'double', 'bytes'] },
    ],
  }
  const extra = {
    colour: 'BLUE',
    tree: { children: [{ children: [] }, { children: [] }] },
    hash: Buffer.from('abc'),
    flags: { a: true },
    weight: { double: 2 },
  }
  const event = value(decode(newer, idAwareType(newer).toBuffer({ ...pair, ...extra })))
  assert.deepEqual('user' in event && [event.user, 'item' in event && event.item], ['u1', 'i1'])
})

test('other names by alias, other namespaces and promoted numbers are read', () => {
  const writer = {
    type: 'record',
    name: 'com.shop.Rating',
    fields: [
      { name: 'event_id', type: 'string' },
      { name: 'timestamp', type: 'long' },
      { name: 'user_id', type: 'int' },
      { name: 'item_id', type: 'long' },
      { name: 'value', type: 'int' },
    ],
  }
  const record = { event_id: 'e', timestamp: 1_600_000_000_000, user_id: 7, item_id: 2 ** 40, value: 5 }
  const event = value(decode(writer, avro.Type.forSchema(writer as never).toBuffer(record)))
  assert.deepEqual(event, {
    kind: 'rating',
    eventId: 'e',
    eventTimeMs: 1_600_000_000_000,
    user: '7',
    item: '1099511627776',
    requestId: null,
    value: 5,
    context: null,
  })
})

test('times in microseconds are read as milliseconds', () => {
  const schema = schemaOf('click')
  const micros = { type: 'long', logicalType: 'timestamp-micros' }
  const fields = schema.fields.map(field => (field.name === 'eventTime' ? { ...field, type: micros } : field))
  const writer = { ...schema, fields }
  const event = value(decode(writer, idAwareType(writer).toBuffer({ ...pair, eventTime: 1_600_000_000_000_999 })))
  assert.equal(event.eventTimeMs, 1_600_000_000_000)
})

test('a schema that can not be read as ours rejects each record and says why', () => {
  const schema = schemaOf('click')
  const fields = schema.fields.map(field => (field.name === 'user' ? { ...field, type: 'boolean' } : field))
  const writer = { ...schema, fields }
  const outcome = decode(writer, avro.Type.forSchema(writer as never).toBuffer({ ...pair, user: true }))
  assert.equal(reason(outcome), 'schema-incompatible')
  assert.match(outcome.kind === 'reject' ? outcome.message : '', /Click.*boolean/)
  const missing = { ...schema, fields: schema.fields.filter(field => field.name !== 'user') }
  assert.equal(reason(decode(missing, idAwareType(missing).toBuffer(pair))), 'schema-incompatible')
})

test('a schema that is no schema rejects without a throw', () => {
  for (const text of ['', 'null', '{"type":"record"}', '{', '[]', '{"type":"nonsense"}']) {
    const decoder = decoderFor(text)
    const outcome = decoder.decode(Buffer.alloc(10), 0, 10)
    assert.ok(['schema-incompatible', 'unknown-event', 'undecodable'].includes(reason(outcome)), text)
  }
})

test('a record of a top-level type that is no record is an unknown event', () => {
  assert.equal(reason(decode('string', Buffer.from([4, 65, 66]))), 'unknown-event')
})

test('with a key, users of every kind of event have the one pseudonym, and nothing else changes', () => {
  const factory = createDecoderFactory({ maxDecodeBytes: 100_000, maxIdBytes: 64, pseudonyms: { key: 'k'.repeat(16) } })
  const named = (name: string, record: object) => {
    const schema = schemaOf(name)
    const body = idAwareType(schema).toBuffer(record)
    return value(factory(JSON.stringify(schema)).decode(body, 0, body.length))
  }
  const pseudonym = '~pX0hyT7vA-nd0r6irKvEUg'
  for (const kind of ['impression', 'click', 'buy', 'rating']) {
    const record = { ...pair, value: 1 }
    assert.deepEqual(named(kind, record), { ...value(roundTrip(kind, record)), user: pseudonym }, kind)
  }
  const request = { ...stamp, user: 'u1', requestId: 'r1', candidates: ['u1'] }
  assert.deepEqual(named('score-request', request), { ...value(roundTrip('score-request', request)), user: pseudonym })
  assert.deepEqual(named('user', { ...stamp, id: 'u1' }), {
    ...value(roundTrip('user', { ...stamp, id: 'u1' })),
    id: pseudonym,
  })
  const wish = { ...stamp, user: 'u1' }
  assert.deepEqual(named('erase', wish), { ...value(roundTrip('erase', wish)), user: pseudonym })
  assert.deepEqual(named('item', { ...stamp, id: 'u1' }), value(roundTrip('item', { ...stamp, id: 'u1' })))
  // A long is the id that its digits are.
  assert.deepEqual(named('click', { ...pair, user: 7n }), named('click', { ...pair, user: '7' }))
})
