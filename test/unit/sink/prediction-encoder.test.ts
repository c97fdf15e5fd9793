import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Prediction } from '../../../src/domain/prediction.js'
import { createFramedEncoder } from '../../../src/sink/framed-encoder.js'
import { createPredictionRecord } from '../../../src/sink/output-records.js'
import { PredictionEncoder } from '../../../src/sink/prediction-encoder.kernel.js'

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

test('without tasks there is an empty map', () => {
  const encoder = new PredictionEncoder([], 7)
  const [one] = fc.sample(prediction, { numRuns: 1, seed: 1 }) as [Prediction]
  encoder.encode(one)
  const expected = createFramedEncoder('prediction', 7)(createPredictionRecord([])(one))
  assert.deepEqual(encoder.bytes.subarray(0, encoder.length), expected)
})
