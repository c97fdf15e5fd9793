import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { Batcher } from '../../src/batch/batcher.js'
import type { StateArray } from '../../src/domain/state.js'

const TASKS = 3
const clock = { nowMs: () => 0, monotonicMs: () => 0 }
const batcherOf = (fast?: { tick: number }) =>
  new Batcher({ maxExamples: 100, maxScores: 40, tick: 10, linger: 1 }, TASKS, clock, fast)

const command = fc.oneof(
  fc.record({ kind: fc.constant('score' as const), count: fc.nat({ max: 100 }) }),
  fc.record({ kind: fc.constant('example' as const), count: fc.nat({ max: 400 }) }),
  fc.record({ kind: fc.constantFrom('takeScores' as const, 'takeExamples' as const), count: fc.constant(0) }),
  fc.record({ kind: fc.constant('tick' as const), count: fc.nat({ max: 200 }) }),
)
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never

/** Applies commands with rows numbered from `firstRow`; what came out. */
function apply(batcher: Batcher, commands: readonly Command[], firstRow = 0): unknown[] {
  let row = firstRow
  return commands.map(({ kind, count }) => {
    if (kind === 'tick') return batcher.tickDue(count)
    if (kind === 'takeScores') return batcher.takeScores()
    if (kind === 'takeExamples') return batcher.takeExamples()
    for (let index = 0; index < count; index++, row++) {
      const labels = Float32Array.of(row, 0.5, -row)
      if (kind === 'score') batcher.addScore(row)
      else batcher.addExample(row, labels, Uint8Array.of(row & 1, 1, row & 2), row % 5 === 0, row * 7)
    }
    return [batcher.scores, batcher.examples, batcher.scoreDue, batcher.learnDue]
  })
}

test('what goes in comes out once, in order, at most a batch at a time', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), commands => {
      const batcher = batcherOf()
      const scores: number[] = []
      const examples: number[] = []
      let row = 0
      for (const one of commands) {
        const [result] = apply(batcher, [one], row)
        if (one.kind === 'score') for (let n = 0; n < one.count; n++) scores.push(row++)
        else if (one.kind === 'example') for (let n = 0; n < one.count; n++) examples.push(row++)
        else if (one.kind === 'takeScores')
          assert.deepEqual((result as { rows: Int32Array }).rows, Int32Array.from(scores.splice(0, 40)))
        else if (one.kind === 'takeExamples') {
          const rows = examples.splice(0, 100)
          assert.deepEqual(result, {
            rows: Int32Array.from(rows),
            labels: Float32Array.from(rows.flatMap(row => [row, 0.5, -row])),
            mask: Uint8Array.from(rows.flatMap(row => [row & 1, 1, row & 2])),
            fresh: Uint8Array.from(rows, row => (row % 5 === 0 ? 1 : 0)),
            impressionTimesMs: Float64Array.from(rows, row => row * 7),
          })
        }
        assert.deepEqual(batcher.waitingRows(), Int32Array.from([...scores, ...examples]))
        assert.equal(batcher.scoreDue, scores.length >= 40)
        assert.equal(batcher.learnDue, examples.length >= 100)
      }
    }),
    { numRuns: 200 },
  )
})

test('a restored batcher goes on, and saves, exactly like the saved one', () => {
  const commands = fc.array(command, { maxLength: 30 })
  fc.assert(
    fc.property(commands, commands, fc.constantFrom(undefined, { tick: 0 }, { tick: 5 }), (before, after, fast) => {
      const first = batcherOf(fast)
      apply(first, before)
      const state = first.saveState()
      const second = batcherOf(fast)
      second.loadState(
        { meta: JSON.parse(JSON.stringify(state.meta)), arrays: state.arrays as Record<string, StateArray> },
        first.waitingRows(),
      )
      assert.deepEqual(second.saveState(), state)
      assert.deepEqual(apply(second, after, 9000), apply(first, after, 9000))
      assert.deepEqual(second.saveState(), first.saveState())
    }),
    { numRuns: 200 },
  )
})
