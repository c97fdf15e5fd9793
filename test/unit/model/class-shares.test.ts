import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { classColumns, type TaskClasses } from '../../../src/config/task-classes.js'
import { classProbabilities, sharesOfSides } from '../../../src/model/class-shares.kernel.js'

const MOOD: TaskClasses = { name: 'mood', task: 1, first: 0, classes: ['a', 'b', 'c'], asked: [false, true, true] }
const KIND: TaskClasses = { name: 'kind', task: 2, first: 3, classes: ['x', 'y'], asked: [true, false] }
const BOTH = [MOOD, KIND]
const COLUMNS = classColumns(BOTH)

const even = () => new Float32Array(3).fill(-1)

/** logs [n, COLUMNS], values [n, 3] → probabilities [n, COLUMNS]. */
function probabilities(logs: number[], values: number[], fallback: (task: number) => Float32Array = even): number[][] {
  const n = logs.length / COLUMNS
  const shares = new Float32Array(n * COLUMNS)
  sharesOfSides(Float32Array.from(logs), BOTH, n, fallback, shares)
  const all = new Float32Array(n * COLUMNS)
  const scores = Float32Array.from(values)
  for (let i = 0; i < n; i++) classProbabilities(shares, i * COLUMNS, scores, i * 3, BOTH, all, i * COLUMNS)
  return Array.from({ length: n }, (_, i) => [...all.subarray(i * COLUMNS, (i + 1) * COLUMNS)])
}

const near = (actual: number, expected: number) =>
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual}, ${expected}`)

test("where the value is the network's own, the probabilities are those of its softmax", () => {
  const p = [0.2, 0.5, 0.3, 0.9, 0.1]
  const [found = []] = probabilities(p.map(Math.log), [0, 0.8, 0.9])
  for (const [j, one] of p.entries()) near(found[j]!, one)
})

test('a value that is another divides the whole anew, and within a side all keep their shares', () => {
  const [found = []] = probabilities([0.2, 0.5, 0.3, 0.9, 0.1].map(Math.log), [0, 0.4, 0.25])
  for (const [j, one] of [0.6, 0.25, 0.15, 0.25, 0.75].entries()) near(found[j]!, one)
})

test('whatever the network says, all sum to 1 and those asked for to the value', () => {
  const log = fc.oneof(
    fc.double({ min: -20, max: 0, noNaN: true }),
    fc.constantFrom(-1e30, -200, 0, Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
  )
  const value = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1, 1e-30))
  fc.assert(
    fc.property(fc.array(log, { minLength: COLUMNS, maxLength: COLUMNS }), value, value, (logs, mood, kind) => {
      const [[a, b, c, x, y]] = probabilities(logs, [0, mood, kind]) as [[number, number, number, number, number]]
      near(a + b + c, 1)
      near(x + y, 1)
      near(b + c, mood)
      near(x, kind)
      assert.ok([a, b, c, x, y].every(p => p >= 0 && p <= 1))
    }),
  )
})

test('a network that says no numbers leaves the shares of the labels, to its own rows and tasks alone', () => {
  const asked: number[] = []
  const ofLabels = (task: number) => {
    asked.push(task)
    return Float32Array.from([0.5, 0.4, 0.1], Math.log)
  }
  const whole = [0.2, 0.5, 0.3, 0.9, 0.1].map(Math.log)
  const lost = whole.map((one, j) => (j === 0 ? Number.NaN : one))
  const found = probabilities([...whole, ...lost], [0, 0.8, 0.9, 0, 0.5, 0.9], ofLabels)
  assert.deepEqual(asked, [1])
  for (const [j, one] of [0.2, 0.5, 0.3, 0.9, 0.1].entries()) near(found[0]![j]!, one)
  for (const [j, one] of [0.5, 0.4, 0.1, 0.9, 0.1].entries()) near(found[1]![j]!, one)
})
