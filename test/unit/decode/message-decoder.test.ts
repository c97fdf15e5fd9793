import assert from 'node:assert/strict'
import { test } from 'node:test'
import { schemaFingerprint } from '../../../src/decode/fingerprint.js'
import type { SchemaRef } from '../../../src/decode/framing.js'
import {
  createMessageDecoder,
  type MessageDecoderOptions,
  type SchemaAnswer,
} from '../../../src/decode/message-decoder.js'
import { createDecoderFactory } from '../../../src/decode/record-decoder.js'
import { createFramedEncoder } from '../../../src/sink/framed-encoder.js'
import type { DecodedMessage } from '../../../src/source/source.js'
import { idAwareType } from '../../../src/std/avro-long.js'
import { readSchemaFile } from '../../../src/std/schema-file.js'

const decoderFor = createDecoderFactory({ maxDecodeBytes: 1000, maxIdBytes: 64 })
const impression = { eventId: 'e1', eventTime: 1_600_000_000_000, user: 'u', item: 7n }
const encodeImpression = createFramedEncoder('impression', 3)
const body = idAwareType(readSchemaFile('impression')).toBuffer(impression)
const impressionSchema = JSON.stringify(readSchemaFile('impression'))

/** Knows 3 (impressions) and 4 (clicks); answers when told to, and counts. */
function createLookup() {
  const asked: SchemaRef[] = []
  const known = new Map<SchemaRef, string>([
    [3, impressionSchema],
    [4, JSON.stringify(readSchemaFile('click'))],
  ])
  let gate = Promise.resolve()
  return {
    asked,
    known,
    hold(): () => void {
      let open = () => {}
      gate = new Promise(resolve => {
        open = resolve
      })
      return open
    },
    async schema(ref: SchemaRef): Promise<SchemaAnswer> {
      asked.push(ref)
      await gate
      const schema = known.get(ref)
      return schema === undefined ? { kind: 'unknown', message: `schema ${ref}: gone` } : { kind: 'known', schema }
    },
  }
}
const create = (options: Partial<MessageDecoderOptions>) =>
  createMessageDecoder({ decoderFor, framing: 'confluent', ...options })
const reasonOf = ({ outcome }: DecodedMessage) => (outcome.kind === 'ok' ? 'ok' : outcome.reason)
const framed = (id: number, ...parts: Uint8Array[]) => {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(id, 1)
  return Buffer.concat([head, ...parts])
}

test('a batch is prepared with one question a schema, and a later one with none', async () => {
  const registry = createLookup()
  const decoder = create({ registry })
  const click = createFramedEncoder('click', 4)(impression)
  const batch = [encodeImpression(impression), click, encodeImpression(impression), click].map(value => ({ value }))
  await decoder.prepare(batch)
  await decoder.prepare(batch)
  assert.deepEqual(registry.asked, [3, 4])
  const decoded = batch.map(({ value }) => decoder.decode(value))
  assert.deepEqual(
    decoded.map(({ outcome }) => outcome.kind === 'ok' && outcome.value.kind),
    ['impression', 'click', 'impression', 'click'],
  )
})

test('an event comes with the value as it was, where its body begins, and its schema', async () => {
  const decoder = create({ registry: createLookup() })
  const value = encodeImpression(impression)
  await decoder.prepare([{ value }])
  const { outcome, bytes, bodyStart, schema } = decoder.decode(value)
  assert.deepEqual(outcome, {
    kind: 'ok',
    value: {
      kind: 'impression',
      eventId: 'e1',
      eventTimeMs: 1_600_000_000_000,
      user: 'u',
      item: '7',
      requestId: null,
      position: null,
      context: null,
    },
  })
  assert.equal(bytes, value)
  assert.deepEqual(bytes.subarray(bodyStart), body)
  assert.equal(schema, impressionSchema)
})

test('a schema id in the header is prepared and decoded alike', async () => {
  const registry = createLookup()
  const guid = '89791762-2336-4186-9674-299b90a802e2'
  registry.known.set(guid, impressionSchema)
  const decoder = create({ registry })
  const header = Buffer.from(`01${guid.replaceAll('-', '')}`, 'hex')
  const message = { value: body, headers: { __value_schema_id: header } }
  await decoder.prepare([message])
  const decoded = decoder.decode(message.value, message.headers)
  assert.equal(reasonOf(decoded), 'ok')
  assert.equal(decoded.bodyStart, 0)
})

test('a tombstone is dropped and asks for nothing', async () => {
  const registry = createLookup()
  const decoder = create({ registry })
  await decoder.prepare([{ value: null, headers: { __value_schema_id: Buffer.from('0000000003', 'hex') } }])
  assert.deepEqual(decoder.decode(null).outcome, { kind: 'drop', reason: 'tombstone' })
  assert.deepEqual(registry.asked, [])
})

test('a schema that the registry does not know makes a dead letter with its reason, and is asked for again', async () => {
  const registry = createLookup()
  const decoder = create({ registry })
  const value = framed(9, body)
  await decoder.prepare([{ value }])
  assert.deepEqual(decoder.decode(value), {
    outcome: { kind: 'reject', reason: 'schema-incompatible', message: 'schema 9: gone' },
    bytes: value,
    bodyStart: 5,
    schema: undefined,
    unknown: true,
  })
  registry.known.set(9, impressionSchema)
  await decoder.prepare([{ value }])
  assert.equal(reasonOf(decoder.decode(value)), 'ok')
})

test('messages of known schemas are prepared at once while an unknown schema is waited for', async () => {
  const registry = createLookup()
  const decoder = create({ registry })
  const known = encodeImpression(impression)
  await decoder.prepare([{ value: known }])
  const open = registry.hold()
  const order: string[] = []
  const waiting = decoder.prepare([{ value: known }, { value: framed(4, body) }]).then(() => order.push('unknown'))
  await decoder.prepare([{ value: known }])
  order.push('known')
  assert.equal(reasonOf(decoder.decode(known)), 'ok')
  open()
  await waiting
  assert.deepEqual(order, ['known', 'unknown'])
})

test('bytes behind the record are a reject, not an event', async () => {
  const decoder = create({ registry: createLookup() })
  const value = framed(3, body, Buffer.of(0))
  await decoder.prepare([{ value }])
  const { outcome } = decoder.decode(value)
  assert.deepEqual(outcome, {
    kind: 'reject',
    reason: 'undecodable',
    message: 'the record ends 1 bytes before the value does',
  })
})

test('every shortened or damaged value has an outcome', async () => {
  const decoder = create({ registry: createLookup() })
  const value = encodeImpression(impression)
  for (let length = 0; length < value.length; length++) {
    const short = value.subarray(0, length)
    await decoder.prepare([{ value: short }])
    assert.equal(reasonOf(decoder.decode(short)), 'undecodable', `${length} bytes`)
  }
  for (let index = 5; index < value.length; index++) {
    for (const bit of [1, 128]) {
      const damaged = Buffer.from(value)
      damaged[index] = damaged[index]! ^ bit
      decoder.decode(damaged)
    }
  }
})

test('faults of the record itself are those of the record decoder', async () => {
  const registry = createLookup()
  registry.known.set(5, 'not JSON')
  registry.known.set(6, JSON.stringify({ type: 'record', name: 'Elephant', fields: [] }))
  const decoder = create({ registry })
  const values = [
    framed(5, body),
    framed(6),
    encodeImpression({ ...impression, user: '' }),
    encodeImpression({ ...impression, context: { long: 'x'.repeat(2000) } }),
  ]
  await decoder.prepare(values.map(value => ({ value })))
  const reasons = values.map(value => reasonOf(decoder.decode(value)))
  assert.deepEqual(reasons, ['schema-incompatible', 'unknown-event', 'invalid-id', 'too-large'])
})

test('a writer with other fields in another order is read by its own schema', async () => {
  const registry = createLookup()
  const older = {
    type: 'record',
    name: 'Impression',
    namespace: 'shop',
    fields: [
      { name: 'item', type: 'string' },
      { name: 'user', type: 'long' },
      { name: 'event_time', type: { type: 'long', logicalType: 'timestamp-micros' } },
      { name: 'event_id', type: 'string' },
      { name: 'campaign', type: ['null', 'string'], default: null },
    ],
  }
  registry.known.set(11, JSON.stringify(older))
  const decoder = create({ registry })
  const record = { item: 'i', user: 9n, event_time: 5_000_000, event_id: 'e', campaign: 'x' }
  const writer = idAwareType({ ...older, fields: older.fields })
  const value = framed(11, writer.toBuffer({ ...record, user: 9 }))
  await decoder.prepare([{ value }])
  const { outcome } = decoder.decode(value)
  assert.ok(outcome.kind === 'ok' && outcome.value.kind === 'impression')
  assert.deepEqual([outcome.value.user, outcome.value.item, outcome.value.eventTimeMs], ['9', 'i', 5000])
})

test('decoding what was not prepared is a defect of the caller', () => {
  const decoder = create({ registry: createLookup() })
  assert.throws(() => decoder.decode(encodeImpression(impression)), { code: 'INTERNAL' })
})

test('a registry that refuses us ends the preparation', async () => {
  const registry = { schema: () => Promise.reject(new Error('refused')) }
  await assert.rejects(create({ registry }).prepare([{ value: encodeImpression(impression) }]), /refused/)
})

test('single objects of our own schemas and of the configured one are known', async () => {
  const other = { type: 'record', name: 'Click', fields: [...stampFields(), { name: 'extra', type: 'int' }] }
  const decoder = create({ framing: 'single-object', schema: JSON.stringify(other) })
  const single = (schema: unknown, record: object) => {
    const head = Buffer.from(`c301${schemaFingerprint(schema)}`, 'hex')
    return Buffer.concat([head, idAwareType(schema).toBuffer(record)])
  }
  await decoder.prepare([{ value: single(readSchemaFile('click'), impression) }])
  const ours = decoder.decode(single(readSchemaFile('click'), impression))
  const configured = decoder.decode(single(other, { ...impression, item: 'i', extra: 1 }))
  assert.deepEqual([reasonOf(ours), reasonOf(configured)], ['ok', 'ok'])
  assert.equal(ours.bodyStart, 10)
  assert.deepEqual(decoder.decode(single('int', 1 as unknown as object)).outcome, {
    kind: 'reject',
    reason: 'schema-incompatible',
    message: 'no schema with the fingerprint 8f5c393f1ad57572 is known here',
  })
})

test('a message can be decoded as if its schema were not known', async () => {
  const decoder = create({ registry: createLookup() })
  const value = encodeImpression(impression)
  await decoder.prepare([{ value }])
  assert.equal(reasonOf(decoder.decode(value)), 'ok')
  const { outcome, unknown } = decoder.decode(value, undefined, undefined, true)
  assert.deepEqual(outcome, {
    kind: 'reject',
    reason: 'schema-incompatible',
    message: 'schema 3 is not known to the registry',
  })
  assert.equal(unknown, true)
})

test('bare values are read by the configured schema', () => {
  const decoder = create({ framing: 'bare', schema: impressionSchema })
  const { outcome, bodyStart } = decoder.decode(body)
  assert.deepEqual([outcome.kind, bodyStart], ['ok', 0])
})

test('bare values of several topics are read by the schema of their topic; without one they are rejected by its name', () => {
  const schemas: Record<string, string> = {
    views: impressionSchema,
    'not ours': '{"type":"record","name":"X","fields":[]}',
  }
  const decoder = create({ framing: 'bare', schemaOf: topic => schemas[topic] })
  assert.equal(decoder.decode(body, undefined, 'views').outcome.kind, 'ok')
  assert.equal(decoder.decode(body, undefined, 'not ours').outcome.kind, 'reject')
  const { outcome } = decoder.decode(body, undefined, 'clicks')
  assert.deepEqual(outcome, {
    kind: 'reject',
    reason: 'schema-incompatible',
    message: 'source.kafka.schema has no schema for topic clicks',
  })
})

test('a framing without what it needs is a fault of the configuration', () => {
  assert.throws(() => create({}), { code: 'CONFIG_INVALID' })
  assert.throws(() => create({ framing: 'bare' }), { code: 'CONFIG_INVALID' })
  assert.throws(() => create({ framing: 'bare', schema: '{"type":"recor' }), { code: 'CONFIG_INVALID' })
  assert.throws(() => create({ framing: 'single-object', schema: '{"type":"recor"}' }), { code: 'CONFIG_INVALID' })
})

function stampFields() {
  return [
    { name: 'eventId', type: 'string' },
    { name: 'eventTime', type: 'long' },
    { name: 'user', type: 'string' },
    { name: 'item', type: 'string' },
  ]
}
