import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import avro from 'avsc'
import fc from 'fast-check'
import { createDecoderFactory } from '../../../src/decode/record-decoder.js'
import { createSkim, SkimCursor } from '../../../src/decode/skim.js'
import { createLogWriter } from '../../../src/sink/log-writer.js'
import { AvroFileSource } from '../../../src/source/avro-file.js'
import { idAwareType, longBytes, longText } from '../../../src/std/avro-long.js'
import { readSchemaFile } from '../../../src/std/schema-file.js'
import { readAll } from '../../contract/source.js'

const decoderFor = createDecoderFactory({ maxDecodeBytes: 1 << 20, maxIdBytes: 512 })
const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }).filter(one => !one.includes('\uFFFD'))
const id = fc.oneof(text, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }))
const name = text.filter(one => one !== '__proto__')
const context = fc.option(fc.dictionary(name, fc.string({ unit: 'grapheme' }), { noNullPrototype: true }))
const stamp = { eventId: text, eventTime: fc.integer({ min: 0, max: 7_258_118_400_000 }) }
const number = fc.double({ noNaN: true, noDefaultInfinity: true })
const impression = fc.record({
  ...stamp,
  user: id,
  item: id,
  requestId: fc.option(text),
  position: fc.option(fc.integer({ min: 1, max: 2 ** 31 - 1 })),
  context,
})
const rating = fc.record({ ...stamp, user: id, item: id, requestId: fc.option(text), value: number, context })
const user = fc.record({
  ...stamp,
  id,
  attributes: fc.dictionary(name, fc.array(fc.string({ unit: 'grapheme' })), { noNullPrototype: true }),
  numbers: fc.dictionary(name, number, { noNullPrototype: true }),
  embedding: fc.option(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true }))),
})
const written = fc.oneof(
  impression.map(record => ({ kind: 'impression' as const, record })),
  rating.map(record => ({ kind: 'rating' as const, record })),
  user.map(record => ({ kind: 'user' as const, record })),
)

/** What a written record must come back as. */
function expected({ kind, record }: { kind: string; record: Record<string, unknown> }): unknown {
  const { eventTime, ...rest } = record
  const ids = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [key, typeof value === 'bigint' ? String(value) : value]),
  )
  return { kind, eventTimeMs: eventTime, ...ids }
}

test('what is written into a log comes back as it was, for any codec and block size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(written, { maxLength: 40 }),
      fc.constantFrom('null' as const, 'deflate' as const, 'snappy' as const),
      fc.integer({ min: 1, max: 2000 }),
      async (records, codec, blockBytes) => {
        const path = mkdtempSync(join(tmpdir(), 'millrace-round-'))
        const writer = createLogWriter({ path, partitions: 1, codec, blockBytes, segmentBytes: 3 * blockBytes })
        for (const { kind, record } of records) writer.write(0, kind, record as never)
        writer.close()
        const read = await readAll(new AvroFileSource({ path, decoderFor }))
        assert.deepEqual(
          read.map(({ outcome }) => (outcome.kind === 'ok' ? outcome.value : outcome)),
          records.map(expected),
        )
        rmSync(path, { recursive: true })
      },
    ),
    { numRuns: 60 },
  )
})

test('every long survives as decimal text', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), long => {
      assert.equal(longText(longBytes(long)), String(long))
    }),
  )
})

const kinds = ['impression', 'click', 'buy', 'rating', 'item', 'user', 'score-request', 'erase']
const union = kinds.map(readSchemaFile)

test('any bytes at all give an outcome, never a throw, and an end within the bytes', () => {
  const decoder = decoderFor(JSON.stringify(union))
  const branch = fc.integer({ min: 0, max: 9 }).map(number => Buffer.from([2 * number]))
  const small = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 80 }).map(bytes => Buffer.from(bytes))
  const any = fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes))
  fc.assert(
    fc.property(branch, fc.oneof(small, any), (head, body) => {
      const bytes = Buffer.concat([head, body])
      const outcome = decoder.decode(bytes, 0, bytes.length)
      assert.ok(outcome.kind !== 'drop')
      assert.ok(decoder.end === -1 || (decoder.end > 0 && decoder.end <= bytes.length))
    }),
    { numRuns: 2000 },
  )
})

test('the walk and avsc agree on where a record ends', () => {
  const type = idAwareType(readSchemaFile('user'))
  const skim = createSkim(avro.Type.forSchema(readSchemaFile('user') as never))
  const cursor = new SkimCursor()
  fc.assert(
    fc.property(user, record => {
      const bytes = type.toBuffer(record)
      cursor.buffer = bytes
      cursor.position = 0
      cursor.limit = bytes.length
      assert.ok(skim(cursor))
      assert.equal(cursor.position, bytes.length)
    }),
  )
})
