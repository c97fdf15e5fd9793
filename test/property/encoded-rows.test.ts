/** Rows in fewer bits: near what they were, and the same words when they are read again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { RowEncoding } from '../../src/domain/state.js'
import { encodedWords, type PublishedNumber } from '../../src/features/table/encoded-words.kernel.js'
import { KeyIndex } from '../../src/std/key-index.kernel.js'

const KEY_WORDS = 2
const NUMBERS: PublishedNumber[] = (
  ['bias', 'coordinate', 'coordinate', 'coordinate', 'exact', 'coordinate', 'bias', 'coordinate', 'bias'] as const
).map((what, at) => ({ place: KEY_WORDS + at, what }))
const STRIDE = KEY_WORDS + NUMBERS.length

function tableOf() {
  const index = new KeyIndex(16, STRIDE)
  const row = index.insert(1, 1)
  const slab = index.slabs[0] ?? assert.fail()
  return { index, row, floats: new Float32Array(slab.buffer, 0, STRIDE) }
}

/** Through the encoding: its words, the row as a reader has it, and the words of the reader's row. */
function passed(numbers: number[], encoding: RowEncoding) {
  const [from, to] = [tableOf(), tableOf()]
  from.floats.set(numbers, KEY_WORDS)
  const words = encodedWords(from.index, STRIDE, NUMBERS, encoding)
  const reader = encodedWords(to.index, STRIDE, NUMBERS, encoding)
  const [first, again] = [new Uint32Array(words.width + 1), new Uint32Array(words.width + 1)]
  words.read(from.row, first, 1)
  reader.write(to.row, first, 1)
  reader.read(to.row, again, 1)
  return { first, again, found: [...to.floats.subarray(KEY_WORDS)], bytes: words.width * 4 }
}

const number = fc.oneof(
  fc.float({ min: -8, max: 8, noNaN: true }),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
  fc.constant(0),
)
const rows = fc.array(number, { minLength: NUMBERS.length, maxLength: NUMBERS.length })
const ENCODINGS = ['float16', 'int8'] as const

test('a reader’s row gives the words that it was made of', () => {
  fc.assert(
    fc.property(rows, fc.constantFrom(...ENCODINGS), (numbers, encoding) => {
      const { first, again } = passed(numbers, encoding)
      assert.deepEqual(again, first)
    }),
    { numRuns: 1000 },
  )
})

test('a number in half a float is off by no more than a 2048th of it, a coordinate in a byte by half a scale', () => {
  const usual = fc.array(fc.float({ min: -8, max: 8, noNaN: true }), {
    minLength: NUMBERS.length,
    maxLength: NUMBERS.length,
  })
  fc.assert(
    fc.property(usual, fc.constantFrom(...ENCODINGS), (numbers, encoding) => {
      const { found } = passed(numbers, encoding)
      const most = Math.max(...numbers.filter((_, at) => NUMBERS[at]?.what === 'coordinate').map(Math.abs))
      for (const [at, { what }] of NUMBERS.entries()) {
        const value = numbers[at] ?? Number.NaN
        const isByte = what === 'coordinate' && encoding === 'int8'
        const half = Math.max(Math.abs(value) / 2048, 2 ** -25)
        const bound = what === 'exact' ? 0 : isByte ? (most / 127 / 2) * 1.0001 + 2 ** -100 : half
        assert.ok(Math.abs((found[at] ?? Number.NaN) - value) <= bound, `${encoding} ${what}: ${value}, ${found[at]}`)
      }
    }),
    { numRuns: 1000 },
  )
})

test('the largest coordinate of a byte row keeps its sign and its place', () => {
  const { found } = passed([0, 1, -0.51, 0.25, 9, 0, 0, -1, 0], 'int8')
  assert.deepEqual(
    found.map(value => Math.round(value * 127)),
    [0, 127, -65, 32, 9 * 127, 0, 0, -127, 0],
  )
})

test('a row of nine numbers takes 36 bytes, 20 or 24', () => {
  const zero = NUMBERS.map(() => 0)
  assert.deepEqual(
    (['float32', 'float16', 'int8'] as const).map(encoding => passed(zero, encoding).bytes),
    [36, 20, 24],
  )
})
