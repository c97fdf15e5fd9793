import assert from 'node:assert/strict'
import { test } from 'node:test'
import avro from 'avsc'
import fc from 'fast-check'
import type { Prediction } from '../../../src/domain/prediction.js'
import { createFramedEncoder } from '../../../src/sink/framed-encoder.js'
import { createPredictionRecord } from '../../../src/sink/output-records.js'
import { PredictionEncoder } from '../../../src/sink/prediction-encoder.kernel.js'
import { readSchemaFile } from '../../../src/std/schema-file.js'

const TASKS = ['click', 'bestellt-ä', 'rating']
const SCHEMA_ID = 0x01020304
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ unit: 'binary', minLength: 900, maxLength: 1100 }),
)
const prediction: fc.Arbitrary<Prediction> = fc.record({
  eventId: text,
  requestId: fc.option(text),
  eventTimeMs: fc.oneof(
    fc.maxSafeInteger().map(time => Math.trunc(time / 2)),
    fc.integer({ min: -300, max: 300 }),
  ),
  user: text,
  item: text,
  modelVersion: fc.nat(),
  values: fc.float32Array({ minLength: TASKS.length, maxLength: TASKS.length }),
  rankScore: fc.float(),
})

test('the bytes are those that avsc writes, whatever was written before', () => {
  const encoder = new PredictionEncoder(TASKS, SCHEMA_ID)
  const encode = createFramedEncoder('prediction', SCHEMA_ID)
  const toRecord = createPredictionRecord(TASKS)
  fc.assert(
    fc.property(prediction, one => {
      encoder.encode(one)
      const written = encoder.bytes.subarray(0, encoder.length)
      assert.equal(written.toString('hex'), encode(toRecord(one)).toString('hex'))
    }),
    { numRuns: 1000 },
  )
})

test('probabilities of classes come last, whatever the classes are called', () => {
  const names = ['negative', 'größer', '', '__proto__', 'x'.repeat(2000)]
  const classes = [
    { name: 'click', task: 0, first: 0, classes: names, asked: names.map((_, index) => index === 0) },
    { name: 'rating', task: 2, first: names.length, classes: ['a', 'b'], asked: [true, false] },
  ]
  const encoder = new PredictionEncoder(TASKS, SCHEMA_ID, classes)
  const encode = createFramedEncoder('class-prediction', SCHEMA_ID)
  const toRecord = createPredictionRecord(TASKS, classes)
  const columns = names.length + 2
  const probabilities = fc.float32Array({ minLength: columns, maxLength: columns })
  fc.assert(
    fc.property(prediction, probabilities, (one, said) => {
      const whole = { ...one, classes: said }
      encoder.encode(whole)
      const written = encoder.bytes.subarray(0, encoder.length)
      assert.equal(written.toString('hex'), encode(toRecord(whole)).toString('hex'))
    }),
  )
})

test('who reads with the schema without classes reads what is written with them, and the other way round', () => {
  const [plain, whole] = (['prediction', 'class-prediction'] as const).map(name =>
    avro.Type.forSchema(readSchemaFile(name) as never),
  ) as [avro.Type, avro.Type]
  const [one] = fc.sample(prediction, { numRuns: 1, seed: 3 }) as [Prediction]
  const classes = [{ name: 'rating', task: 2, first: 0, classes: ['a', 'b'], asked: [true, false] }]
  const written = whole.toBuffer(
    createPredictionRecord(TASKS, classes)({ ...one, classes: Float32Array.of(0.25, 0.75) }),
  )
  const older = plain.fromBuffer(written, plain.createResolver(whole)) as Record<string, unknown>
  assert.equal(older.user, one.user)
  assert.equal('classes' in older, false)
  const before = whole.fromBuffer(
    plain.toBuffer(createPredictionRecord(TASKS)(one)),
    whole.createResolver(plain),
  ) as Record<string, unknown>
  assert.deepEqual({ ...(before.classes as object) }, {})
})

test('without tasks there is an empty map', () => {
  const encoder = new PredictionEncoder([], 7)
  const [one] = fc.sample(prediction, { numRuns: 1, seed: 1 }) as [Prediction]
  encoder.encode(one)
  const expected = createFramedEncoder('prediction', 7)(createPredictionRecord([])(one))
  assert.deepEqual(encoder.bytes.subarray(0, encoder.length), expected)
})
