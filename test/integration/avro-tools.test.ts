/** Apache's own Java implementation reads what we write: the event log with its union schema, and an output. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { AvroFileSink } from '../../src/sink/avro-file.js'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { createPredictionRecord } from '../../src/sink/output-records.js'

const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
const jar = join(cache, 'millrace', 'avro-tools', 'avro-tools-1.12.1.jar')
const skip = existsSync(jar) ? false : 'avro-tools are not provisioned (scripts/provision-avro-tools)'
const temporary = () => mkdtempSync(join(tmpdir(), 'millrace-avro-tools-'))
const FIRST_SEGMENT = '00000000000000000000.avro'

function toJson(file: string): unknown[] {
  const text = execFileSync('java', ['-jar', jar, 'tojson', file], { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
  return text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
}

test('avro-tools read our event log, longs beyond 2^53 exactly', { skip }, () => {
  const path = temporary()
  const writer = createLogWriter({ path, partitions: 1, codec: 'deflate' })
  writer.write(0, 'impression', { eventId: 'a', eventTime: 1, user: 'u', item: 7n, position: 2 })
  writer.write(0, 'rating', { eventId: 'b', eventTime: 2, user: 2n ** 62n + 1n, item: 'i', value: 4.5 })
  writer.close()
  const file = join(path, 'p00', FIRST_SEGMENT)
  const [impression, rating] = toJson(file) as [
    Record<string, Record<string, unknown>>,
    Record<string, Record<string, unknown>>,
  ]
  assert.deepEqual(impression['millrace.event.Impression']?.position, { int: 2 })
  assert.equal(rating['millrace.event.Rating']?.value, 4.5)
  // JavaScript's JSON would round the long, so it is looked for in the text.
  const text = execFileSync('java', ['-jar', jar, 'tojson', file], { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
  assert.match(text, new RegExp(`"long":${2n ** 62n + 1n}\\b`))
})

test('avro-tools read our predictions', { skip }, async () => {
  const path = temporary()
  const sink = new AvroFileSink({
    path,
    schema: 'prediction',
    codec: 'snappy',
    toRecord: createPredictionRecord(['click', 'buy']),
  })
  sink.append({
    eventId: 'e',
    requestId: null,
    eventTimeMs: 5,
    user: 'u',
    item: 'i',
    modelVersion: 3,
    values: Float32Array.of(0.5, 0.25),
    rankScore: 1.75,
  })
  await sink.close()
  const [prediction] = toJson(join(path, FIRST_SEGMENT)) as [Record<string, unknown>]
  assert.deepEqual(prediction.values, { click: 0.5, buy: 0.25 })
  assert.equal(prediction.rankScore, 1.75)
})
