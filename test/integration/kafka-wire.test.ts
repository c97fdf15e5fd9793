/**
 * The wire against those who define it: a real registry, a real broker, and confluent-kafka's own serialisers, which
 * must understand us and be understood.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Kafka, type KafkaMessage, logLevel } from 'kafkajs'
import { schemaFingerprint } from '../../src/decode/fingerprint.js'
import { FrameReader } from '../../src/decode/framing.js'
import { createMessageDecoder } from '../../src/decode/message-decoder.js'
import { createDecoderFactory } from '../../src/decode/record-decoder.js'
import { registerOutputSchemas, registerSchema } from '../../src/decode/register-schemas.js'
import { SchemaRegistry } from '../../src/decode/registry.js'
import { createFramedEncoder } from '../../src/sink/framed-encoder.js'
import { createPredictionRecord } from '../../src/sink/output-records.js'
import type { WireMessage } from '../../src/source/source.js'
import { systemClock } from '../../src/std/clock.js'
import { readSchemaFile } from '../../src/std/schema-file.js'
import { kafkaSkip, startBroker, startRegistry, until } from '../helpers/kafka.js'
import { python, pythonSkip } from '../helpers/read-topic.js'

const skip = kafkaSkip === false ? pythonSkip : kafkaSkip
const decoderFor = createDecoderFactory({ maxDecodeBytes: 1 << 20, maxIdBytes: 512 })
const impressionSchema = JSON.stringify(readSchemaFile('impression'))

/** Runs a Python program with a JSON job as its argument; resolves to the JSON that it prints. */
async function runPython(program: string, job: object): Promise<unknown> {
  const { stdout } = await promisify(execFile)(python, ['-c', program, JSON.stringify(job)], { maxBuffer: 1 << 26 })
  return stdout === '' ? undefined : JSON.parse(stdout)
}

function openRegistry(t: TestContext, url: string): SchemaRegistry {
  const registry = new SchemaRegistry({ url, clock: systemClock })
  t.after(() => registry.close())
  return registry
}

async function compatibility(url: string, subject: string): Promise<unknown> {
  const response = await fetch(`${url}/config/${subject}`)
  return ((await response.json()) as { compatibilityLevel?: string }).compatibilityLevel
}

const setGlobal = (url: string, level: string) =>
  fetch(`${url}/config`, {
    method: 'PUT',
    headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ compatibility: level }),
  })

const record = (fields: object[]) => JSON.stringify({ type: 'record', name: 'R', fields })
const x = { name: 'x', type: 'int' }

test('a real registry: registration, compatibility, look-up, outage', { skip: kafkaSkip }, async t => {
  const server = await startRegistry({ storage: 'disk' })
  t.after(() => server.stop())
  const registry = openRegistry(t, server.url)
  const topics = { 'out.predictions': 'prediction', 'out.dlq': 'dead-letter', 'out.journal': 'journal' }

  await t.test('output schemas are registered once, under <topic>-value, and are BACKWARD', async () => {
    await setGlobal(server.url, 'NONE')
    const ids = await registerOutputSchemas(registry.http, topics)
    assert.deepEqual([...ids.keys()], Object.keys(topics))
    assert.equal(new Set(ids.values()).size, 3)
    assert.deepEqual(await registerOutputSchemas(registry.http, topics), ids)
    assert.equal(await compatibility(server.url, 'out.predictions-value'), 'BACKWARD')
    const answer = await registry.schema(ids.get('out.predictions') ?? -1)
    assert.deepEqual(answer.kind === 'known' && JSON.parse(answer.schema), readSchemaFile('prediction'))
  })

  await t.test('an incompatible schema is refused by name, a compatible one gets a new id', async () => {
    const first = await registerSchema(registry.http, 'evolving-value', record([x]))
    const incompatible = record([x, { name: 'y', type: 'string' }])
    await assert.rejects(registerSchema(registry.http, 'evolving-value', incompatible), {
      code: 'REGISTRY_FAILED',
      message: /evolving-value/,
    })
    const compatible = record([x, { name: 'y', type: 'string', default: '' }])
    assert.notEqual(await registerSchema(registry.http, 'evolving-value', compatible), first)
    assert.equal(await registerSchema(registry.http, 'evolving-value', record([x])), first)
  })

  await t.test('a configuration may get its first categorical task, and lose it again', async () => {
    const idOf = async (schema: string) =>
      (await registerOutputSchemas(registry.http, { 'moody.predictions': schema })).get('moody.predictions')
    const [plain, withClasses] = [await idOf('prediction'), await idOf('class-prediction')]
    assert.notEqual(plain, withClasses)
    assert.equal(await idOf('prediction'), plain)
    const other = { 'moodier.predictions': 'class-prediction' }
    await registerOutputSchemas(registry.http, other)
    await registerOutputSchemas(registry.http, { 'moodier.predictions': 'prediction' })
  })

  await t.test('an id that it does not know is an answer', async () => {
    for (const ref of [0, 99_999_999, 2 ** 31 - 1, '89791762-2336-4186-9674-299b90a802e2']) {
      assert.equal((await registry.schema(ref)).kind, 'unknown')
    }
  })

  await t.test('killed: known ids go on, unknown ones wait until it is back; the state says so', async () => {
    const ids = await registerOutputSchemas(registry.http, { in: 'impression', 'in.click': 'click' })
    const [impressionId = -1, clickId = -1] = ids.values()
    const event = { eventId: 'e', eventTime: 5, user: 'u', item: 'i' }
    const impression = createFramedEncoder('impression', impressionId)(event)
    const click = createFramedEncoder('click', clickId)(event)
    const decoder = createMessageDecoder({ decoderFor, framing: 'confluent', registry })
    await decoder.prepare([{ value: impression }])
    // The registry's database writes twice a second, and says so to nobody: what is younger dies with it.
    await sleep(1500)
    await server.kill()
    let isPrepared = false
    const waiting = decoder.prepare([{ value: impression }, { value: click }]).then(() => {
      isPrepared = true
    })
    // A socket that was open may be closed first, which is said in other words.
    const isRefused = () => /ECONNREFUSED|ECONNRESET/.test(registry.state.lastError ?? '')
    await until('the outage is seen', () => !registry.state.reachable && isRefused())
    await decoder.prepare([{ value: impression }])
    assert.equal(decoder.decode(impression).outcome.kind, 'ok')
    assert.equal(isPrepared, false)
    await server.restart()
    await waiting
    assert.equal(decoder.decode(click).outcome.kind, 'ok')
    assert.equal(registry.state.reachable, true)
  })
})

const PRODUCE = `
import json, sys
from confluent_kafka import Producer
from confluent_kafka.schema_registry import Schema, SchemaReference, SchemaRegistryClient, topic_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroSerializer
from confluent_kafka.serialization import SerializationContext, MessageField
job = json.loads(sys.argv[1])
client = SchemaRegistryClient({'url': job['registry']})
producer = Producer({'bootstrap.servers': job['brokers']})
for subject, schema in job['others']:
    client.register_schema(subject, Schema(json.dumps(schema), 'AVRO'))
for topic, schema, records in job['batches']:
    references = [SchemaReference(other['name'], subject, 1) for subject, other in job['others'] if other['name'] in json.dumps(schema)]
    schema = Schema(json.dumps(schema), 'AVRO', references)
    serialize = AvroSerializer(client, schema, conf={'subject.name.strategy': topic_subject_name_strategy})
    for record in records:
        value = serialize(record, SerializationContext(topic, MessageField.VALUE))
        producer.produce(topic, key='k', value=value, partition=0)
for topic in job['tombstones']:
    producer.produce(topic, key='k', value=None, partition=0)
assert producer.flush(30) == 0
`

const CONSUME = `
import datetime, json, sys
from confluent_kafka import Consumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer
from confluent_kafka.serialization import SerializationContext, MessageField
job = json.loads(sys.argv[1])
client = SchemaRegistryClient({'url': job['registry']})
deserialize = AvroDeserializer(client)
consumer = Consumer({'bootstrap.servers': job['brokers'], 'group.id': 'wire', 'auto.offset.reset': 'earliest'})
consumer.subscribe([job['topic']])
records = []
while len(records) < job['count']:
    message = consumer.poll(30)
    assert message is not None and message.error() is None, message
    record = deserialize(message.value(), SerializationContext(job['topic'], MessageField.VALUE))
    records.append({key: round(value.timestamp() * 1000) if isinstance(value, datetime.datetime) else value for key, value in record.items()})
consumer.close()
print(json.dumps(records))
`

const FINGERPRINTS = `
import json, sys
from fastavro.schema import fingerprint, to_parsing_canonical_form
schemas = json.loads(sys.argv[1])['schemas']
print(json.dumps([fingerprint(to_parsing_canonical_form(schema), 'CRC-64-AVRO') for schema in schemas]))
`

/** An impression as an older version of the shop wrote it, and as a newer one does. */
const stamp = [
  { name: 'eventId', type: 'string' },
  { name: 'eventTime', type: { type: 'long', logicalType: 'timestamp-millis' } },
]
const older = {
  ...{ type: 'record', name: 'Impression', namespace: 'shop' },
  fields: [...stamp, { name: 'user', type: 'long' }, { name: 'item', type: 'string' }],
}
const newer = {
  ...older,
  fields: [
    ...older.fields,
    { name: 'position', type: ['null', 'int'], default: null },
    { name: 'context', type: ['null', { type: 'map', values: 'string' }], default: null },
    { name: 'experiment', type: { type: 'enum', name: 'Arm', symbols: ['A', 'B'] }, default: 'A' },
  ],
}

test('confluent-kafka and we understand each other over a real broker', { skip }, async t => {
  const [broker, server] = await Promise.all([startBroker(), startRegistry()])
  t.after(() => Promise.all([broker.stop(), server.stop()]))
  const registry = openRegistry(t, server.url)
  const kafka = new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING })
  const job = { registry: server.url, brokers: broker.brokers.join(',') }
  for (const topic of ['shop.impressions', 'out.predictions']) await broker.createTopic(topic)

  await t.test('we read what its AvroSerializer wrote by older and newer schemas, and its tombstone', async () => {
    const seconds = 1_700_000_000_000
    const event = { eventId: 'é1', eventTime: seconds, user: 2 ** 53 + 2, item: 'i1' }
    const batches = [
      ['shop.impressions', older, [event]],
      ['shop.impressions', newer, [{ ...event, eventId: 'e2', position: 3, context: { device: 'phone' } }]],
      ['shop.impressions', older, [{ ...event, eventId: 'e3' }]],
    ]
    await runPython(PRODUCE, { ...job, batches, others: [], tombstones: ['shop.impressions'] })
    const messages = await consume(kafka, 'shop.impressions', 4)
    const decoder = createMessageDecoder({ decoderFor, framing: 'confluent', registry })
    await decoder.prepare(messages)
    const outcomes = messages.map(({ value, headers }) => decoder.decode(value, headers).outcome)
    const base = { kind: 'impression', eventTimeMs: seconds, user: '9007199254740994', item: 'i1', requestId: null }
    assert.deepEqual(outcomes, [
      { kind: 'ok', value: { ...base, eventId: 'é1', position: null, context: null } },
      { kind: 'ok', value: { ...base, eventId: 'e2', position: 3, context: { device: 'phone' } } },
      { kind: 'ok', value: { ...base, eventId: 'e3', position: null, context: null } },
      { kind: 'drop', reason: 'tombstone' },
    ])
  })

  await t.test('a type that its schema takes from another subject is known to us', async () => {
    const context = { type: 'record', name: 'shop.Visit', fields: [{ name: 'page', type: 'string' }] }
    const schema = { ...older, name: 'Click', fields: [...older.fields, { name: 'visit', type: 'shop.Visit' }] }
    const event = { eventId: 'e', eventTime: 1_700_000_000_000, user: 5, item: 'i', visit: { page: 'p' } }
    const batches = [['shop.clicks', schema, [event]]]
    await broker.createTopic('shop.clicks')
    await runPython(PRODUCE, { ...job, batches, others: [['visits', context]], tombstones: [] })
    const messages = await consume(kafka, 'shop.clicks', 1)
    const decoder = createMessageDecoder({ decoderFor, framing: 'confluent', registry })
    await decoder.prepare(messages)
    const { outcome } = decoder.decode(messages[0]?.value ?? null)
    assert.ok(outcome.kind === 'ok', JSON.stringify(outcome))
    assert.deepEqual([outcome.value.kind, outcome.value.eventId], ['click', 'e'])
  })

  await t.test('its AvroDeserializer reads what we frame', async () => {
    const topic = 'out.predictions'
    const ids = await registerOutputSchemas(registry.http, { [topic]: 'prediction' })
    const encode = createFramedEncoder('prediction', ids.get(topic) ?? -1)
    const toRecord = createPredictionRecord(['click', 'buy'])
    const predictions = ['u1', 'ü2'].map((user, index) => ({
      ...{ eventId: `e${index}`, requestId: index === 0 ? null : 'r', eventTimeMs: 1_700_000_000_123, user, item: 'i' },
      ...{ modelVersion: 2 ** 40, values: Float32Array.of(0.5, 0.25 + index), rankScore: 1.75 },
    }))
    const producer = kafka.producer()
    await producer.connect()
    await producer.send({ topic, messages: predictions.map(one => ({ key: one.user, value: encode(toRecord(one)) })) })
    await producer.disconnect()
    const records = await runPython(CONSUME, { ...job, topic, count: 2 })
    const expected = predictions.map(({ eventTimeMs, values, ...rest }) => ({
      ...rest,
      eventTime: eventTimeMs,
      values: { click: values[0], buy: values[1] },
    }))
    assert.deepEqual(records, expected)
  })
})

test('fingerprints are those of fastavro, for our schemas and for tricky ones', { skip: pythonSkip }, async () => {
  const names = ['impression', 'click', 'item', 'score-request', 'journal', 'recommendation', 'snapshot']
  const schemas = [
    ...names.map(readSchemaFile),
    newer,
    {
      ...{ type: 'record', name: 'Outer', namespace: 'a.b', doc: 'ü "quoted"' },
      fields: [
        { name: 'next', type: ['null', 'Outer'], default: null, order: 'ignore' },
        { name: 'f', type: { type: 'fixed', name: 'other.Hash', size: 16, logicalType: 'decimal', precision: 5 } },
        { name: 'e', type: { type: 'enum', name: 'E', symbols: ['X', 'Y'], default: 'X', doc: 'e' } },
        { name: 'again', type: { type: 'array', items: 'E' } },
        { name: 'hash', type: { type: 'map', values: 'other.Hash' } },
      ],
    },
  ]
  assert.deepEqual(schemas.map(schemaFingerprint), await runPython(FINGERPRINTS, { schemas }))
})

test('a single object of fastavro is an event', { skip: pythonSkip }, async () => {
  const program = `
import fastavro, io, json, sys
job = json.loads(sys.argv[1])
body = io.BytesIO()
fastavro.schemaless_writer(body, job['schema'], job['record'])
form = fastavro.schema.to_parsing_canonical_form(job['schema'])
print(json.dumps('c301' + fastavro.schema.fingerprint(form, 'CRC-64-AVRO') + body.getvalue().hex()))
`
  const event = { eventId: 'e', eventTime: 5, user: 'u', item: 7 }
  const job = { schema: JSON.parse(impressionSchema), record: event }
  const value = Buffer.from((await runPython(program, job)) as string, 'hex')
  const { outcome } = createMessageDecoder({ decoderFor, framing: 'single-object' }).decode(value)
  assert.ok(outcome.kind === 'ok' && outcome.value.kind === 'impression')
  assert.deepEqual([outcome.value.user, outcome.value.item], ['u', '7'])
})

test('the header that confluent-kafka writes names a schema', { skip: pythonSkip }, async () => {
  const program = `
import json, sys
from confluent_kafka.schema_registry import header_schema_id_serializer
from confluent_kafka.schema_registry.serde import SchemaId
from confluent_kafka.serialization import SerializationContext, MessageField
headers = []
context = SerializationContext('t', MessageField.VALUE, headers)
header_schema_id_serializer(b'', context, SchemaId('AVRO', 7, json.loads(sys.argv[1])['guid']))
print(json.dumps({name: value.hex() for name, value in headers}))
`
  const guid = '89791762-2336-4186-9674-299b90a802e2'
  const written = (await runPython(program, { guid })) as Record<string, string>
  const headers = Object.fromEntries(Object.entries(written).map(([name, hex]) => [name, Buffer.from(hex, 'hex')]))
  assert.equal(new FrameReader('confluent').read(Buffer.of(2), headers), guid)
})

/** The first messages of a topic of one partition. */
async function consume(kafka: Kafka, topic: string, count: number): Promise<WireMessage[]> {
  const consumer = kafka.consumer({ groupId: `wire-${topic}`, maxWaitTimeInMs: 100 })
  const messages: KafkaMessage[] = []
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => {
      messages.push(message)
    },
  })
  await until(`${count} messages of ${topic} have come`, () => messages.length >= count)
  await consumer.disconnect()
  return messages
}
