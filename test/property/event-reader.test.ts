import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { EventReader } from '../../src/decode/event-reader.kernel.js'
import { SkimCursor } from '../../src/decode/skim.js'
import type { EventKind } from '../../src/domain/event.js'
import { idAwareType } from '../../src/std/avro-long.js'
import { readSchemaFile } from '../../src/std/schema-file.js'

const KINDS = ['impression', 'click', 'buy', 'rating'] as const
const types = new Map(KINDS.map(kind => [kind, idAwareType(readSchemaFile(kind))]))
/** One reader a kind for all runs, so that texts of earlier records are in its cache. */
const readers = new Map(KINDS.map(kind => [kind, EventReader.of(kind)!]))

const text = fc.oneof(
  fc.constantFrom('', 'a', 'device', 'phone', 'é', '\u0000'),
  fc.string({ unit: 'binary', maxLength: 60 }),
)
const id = fc.oneof(text, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.integer().map(BigInt))
const record = fc.record({
  eventId: text,
  eventTime: fc.oneof(
    fc.maxSafeInteger().map(time => Math.trunc(time / 2)),
    fc.integer(),
  ),
  user: id,
  item: id,
  requestId: fc.option(text),
  position: fc.option(fc.integer()),
  value: fc.double(),
  context: fc.option(fc.dictionary(text, text, { maxKeys: 5 })),
})
const kinds = fc.constantFrom(...KINDS)

function quick(kind: (typeof KINDS)[number], buffer: Buffer, start: number, limit: number) {
  const cursor = Object.assign(new SkimCursor(), { buffer, position: start, limit })
  const read = readers.get(kind)!.read(cursor)
  return { read, end: cursor.position }
}

/** Of the fields that the kind has. */
function expected(kind: EventKind, body: Buffer): Record<string, unknown> {
  return { ...types.get(kind as (typeof KINDS)[number])!.fromBuffer(body) }
}

test('what the short way reads is what avsc reads, wherever the record lies', () => {
  fc.assert(
    fc.property(kinds, record, fc.nat({ max: 9 }), (kind, written, before) => {
      const body = types.get(kind)!.toBuffer(written)
      const buffer = Buffer.concat([Buffer.alloc(before, 255), body, Buffer.alloc(3, 1)])
      const { read, end } = quick(kind, buffer, before, before + body.length)
      assert.ok(read !== undefined, 'an ordinary record is read')
      assert.equal(end, before + body.length)
      const wanted = expected(kind, body)
      assert.deepEqual(Object.fromEntries(Object.keys(wanted).map(name => [name, Reflect.get(read, name)])), wanted)
    }),
    { numRuns: 2000 },
  )
})

test('of damaged bytes the short way reads what avsc reads, or gives up and leaves the cursor', () => {
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(kinds, record, damage, fc.nat(), (kind, written, bytes, cut) => {
      const body = types.get(kind)!.toBuffer(written)
      for (const [at, byte] of bytes) body[at % body.length] = byte
      const limit = cut % 3 === 0 ? cut % (body.length + 1) : body.length
      const { read, end } = quick(kind, body, 0, limit)
      assert.ok(end <= limit)
      if (read === undefined) assert.equal(end, 0)
      else {
        const wanted = expected(kind, body.subarray(0, end))
        assert.deepEqual(Object.fromEntries(Object.keys(wanted).map(name => [name, Reflect.get(read, name)])), wanted)
      }
    }),
    { numRuns: 5000 },
  )
})

test('profiles and requests are read in the general way', () => {
  assert.equal(EventReader.of('item'), undefined)
  assert.equal(EventReader.of('score-request'), undefined)
})
