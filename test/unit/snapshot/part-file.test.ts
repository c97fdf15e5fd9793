import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import type { Json, PartState, StateArray } from '../../../src/domain/state.js'
import { checkPart, decodePart, encodePart, readPart, writePart } from '../../../src/snapshot/part-file.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-part-'))
after(() => rmSync(folder, { recursive: true }))

const encoded = (state: PartState) => Buffer.concat([...encodePart(state)])

const array: fc.Arbitrary<StateArray> = fc.oneof(
  fc.float32Array(),
  fc.float64Array(),
  fc.int32Array(),
  fc.uint32Array(),
  fc.uint8Array(),
  fc.bigUint64Array(),
)
/** Slabs of one type. */
const slabs: fc.Arbitrary<StateArray[]> = fc.array(fc.uint32Array(), { minLength: 1, maxLength: 4 })
const name = fc.string({ minLength: 1 }).filter(text => text !== '__proto__')
const state: fc.Arbitrary<PartState> = fc.record({
  // JSON has no -0.
  meta: fc.jsonValue().map(value => JSON.parse(JSON.stringify(value)) as Json),
  arrays: fc.dictionary(name, fc.oneof(array, slabs), { noNullPrototype: true }),
})

const bytesOf = (value: StateArray) => Buffer.from(value.buffer, value.byteOffset, value.byteLength)

function assertEqual(read: { meta: Json; arrays: Record<string, StateArray> }, { meta, arrays }: PartState): void {
  assert.deepEqual(read.meta, meta)
  assert.deepEqual(Object.keys(read.arrays), Object.keys(arrays))
  for (const [name, value] of Object.entries(arrays)) {
    const pieces = Array.isArray(value) ? value : [value]
    const found = read.arrays[name]
    assert.ok(found !== undefined && found.constructor === pieces[0]?.constructor, name)
    // By bytes: NaNs and -0 have to come back as they were.
    assert.ok(bytesOf(found).equals(Buffer.concat(pieces.map(bytesOf))), name)
  }
}

test('any state comes back as it was, bit for bit, and encodes to the same bytes again', () => {
  fc.assert(
    fc.property(state, state => {
      const bytes = encoded(state)
      const read = decodePart(bytes)
      assertEqual(read, state)
      assert.ok(encoded(read).equals(bytes))
    }),
  )
})

test('a part can lie anywhere in a larger buffer', () => {
  fc.assert(
    fc.property(state, fc.nat({ max: 9 }), (state, shift) => {
      const bytes = encoded(state)
      const larger = new Uint8Array(bytes.length + shift)
      larger.set(bytes, shift)
      assertEqual(decodePart(larger.subarray(shift)), state)
    }),
  )
})

test('any state survives the disk', async () => {
  await fc.assert(
    fc.asyncProperty(state, async state => {
      const part = await writePart(folder, 'any', state)
      assert.deepEqual(part, await writePart(folder, 'any', state))
      assertEqual(await readPart(folder, part), state)
      await checkPart(folder, part)
    }),
    { numRuns: 40 },
  )
})

const sample: PartState = {
  meta: { step: 3 },
  arrays: { rows: new Float32Array(3000).fill(1.5), free: Uint32Array.of(1, 2) },
}

test('a part that differs in any bit, is cut off or goes on is not taken', async () => {
  const part = await writePart(folder, 'sample', sample)
  const file = join(folder, 'sample.part')
  const whole = readFileSync(file)
  const damaged = fc.oneof(
    fc.nat({ max: whole.length * 8 - 1 }).map(bit => {
      const bytes = Buffer.from(whole)
      bytes.writeUInt8((bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)), bit >> 3)
      return bytes
    }),
    fc.nat({ max: whole.length - 1 }).map(length => whole.subarray(0, length)),
    fc.uint8Array({ minLength: 1 }).map(more => Buffer.concat([whole, more])),
  )
  await fc.assert(
    fc.asyncProperty(damaged, async bytes => {
      writeFileSync(file, bytes)
      for (const look of [readPart, checkPart])
        await assert.rejects(look(folder, part), {
          code: 'CHECKPOINT_CORRUPT',
          message: `${file} is not the file that the manifest describes`,
        })
    }),
    { numRuns: 60 },
  )
  rmSync(file)
  await assert.rejects(readPart(folder, part), { code: 'CHECKPOINT_CORRUPT' })
})

test('a part of another format is told apart from a damaged one', () => {
  const bytes = encoded(sample)
  bytes.write('MILLRACE-PART-9\n', 0, 'latin1')
  assert.throws(() => decodePart(bytes), { code: 'CHECKPOINT_INCOMPATIBLE' })
})

test('parts larger than a read are read whole', async () => {
  const rows = Uint32Array.from({ length: 700_000 }, (_, index) => index * 7919)
  const part = await writePart(folder, 'large', {
    meta: null,
    arrays: { rows: [rows.subarray(0, 123_457), rows.subarray(123_457)] },
  })
  assert.deepEqual((await readPart(folder, part)).arrays.rows, rows)
})

test('a list of no slabs is an error of who saves it, because its type would be lost', () => {
  assert.throws(() => encoded({ meta: null, arrays: { rows: [] } }), /'rows' is a list of no slabs/)
})

test('a folder that is not there is an output that can not be written', async () => {
  await assert.rejects(writePart(join(folder, 'nowhere'), 'sample', sample), { code: 'OUTPUT_FAILED' })
})
