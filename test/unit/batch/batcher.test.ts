import assert from 'node:assert/strict'
import test from 'node:test'
import { Batcher } from '../../../src/batch/batcher.js'

function batcherAt(nowMs: () => number = () => 0): Batcher {
  const config = { maxExamples: 3, maxScores: 2, tick: 60_000, linger: 200 }
  return new Batcher(config, 2, { nowMs, monotonicMs: nowMs })
}

function addExamples(batcher: Batcher, first: number, count: number): void {
  for (let row = first; row < first + count; row++) {
    batcher.addExample(row, Float32Array.of(row, -row), Uint8Array.of(1, row % 2), row % 3 === 0, row * 10)
  }
}

test('scores and examples are due by their own counts', () => {
  const batcher = batcherAt()
  batcher.addScore(7)
  assert.equal(batcher.scoreDue, false)
  batcher.addScore(8)
  assert.equal(batcher.scoreDue, true)
  addExamples(batcher, 0, 2)
  assert.equal(batcher.learnDue, false)
  addExamples(batcher, 2, 1)
  assert.equal(batcher.learnDue, true)
})

test('a take gives at most one batch, first come first, as arrays of its own', () => {
  const batcher = batcherAt()
  addExamples(batcher, 1, 5)
  const first = batcher.takeExamples()
  addExamples(batcher, 100, 300)
  assert.deepEqual(first, {
    rows: Int32Array.of(1, 2, 3),
    labels: Float32Array.of(1, -1, 2, -2, 3, -3),
    mask: Uint8Array.of(1, 1, 1, 0, 1, 1),
    fresh: Uint8Array.of(0, 0, 1),
    impressionTimesMs: Float64Array.of(10, 20, 30),
  })
  assert.deepEqual(batcher.takeExamples().rows, Int32Array.of(4, 5, 100))
  for (const row of [7, 8, 9]) batcher.addScore(row)
  assert.deepEqual(batcher.takeScores().rows, Int32Array.of(7, 8))
  assert.deepEqual(batcher.takeScores().rows, Int32Array.of(9))
  assert.deepEqual(batcher.takeScores().rows, Int32Array.of())
})

test('a tick is due when event time enters a later one, never for the first record nor backwards', () => {
  const batcher = batcherAt()
  assert.equal(batcher.tickDue(59_999), false)
  assert.equal(batcher.tickDue(60_000), true)
  assert.equal(batcher.tickDue(119_999), false)
  assert.equal(batcher.tickDue(59_999), false)
  assert.equal(batcher.tickDue(60_000), false)
  assert.equal(batcher.tickDue(600_000), true)
})

test('linger is counted from the oldest of what waits', () => {
  let nowMs = 1000
  const batcher = batcherAt(() => nowMs)
  assert.equal(batcher.oldestWaitingSinceMs, undefined)
  addExamples(batcher, 0, 1)
  nowMs = 1100
  batcher.addScore(5)
  addExamples(batcher, 1, 1)
  assert.equal(batcher.oldestWaitingSinceMs, 1000)
  batcher.takeExamples()
  assert.equal(batcher.oldestWaitingSinceMs, 1100)
  batcher.takeScores()
  assert.equal(batcher.oldestWaitingSinceMs, undefined)
})

function fastBatcher(tick: number): Batcher {
  const config = { maxExamples: 10, maxScores: 10, tick: 60_000, linger: 200 }
  return new Batcher(config, 1, { nowMs: () => 0, monotonicMs: () => 0 }, { tick })
}

test('with a fast part a label waits twice: among the scores, in order, and for its step', () => {
  const batcher = fastBatcher(0)
  batcher.addScore(1)
  batcher.addExample(2, Float32Array.of(4), Uint8Array.of(1), true, 7)
  batcher.addScore(3)
  batcher.addExample(1, Float32Array.of(5), Uint8Array.of(1), false, 8)
  const { rows, fresh, labels, mask } = batcher.takeScores()
  assert.deepEqual(rows, Int32Array.of(1, 2, 3, 1))
  assert.deepEqual(fresh, Uint8Array.of(1, 1, 1, 0))
  assert.deepEqual(mask, Uint8Array.of(0, 1, 0, 1))
  assert.deepEqual([labels[1], labels[3]], [4, 5])
  assert.deepEqual(batcher.takeExamples().fresh, Uint8Array.of(0, 0), 'they have been scored')
})

test('with a tick of the fast part its labels are held until event time enters a later one', () => {
  const batcher = fastBatcher(1000)
  batcher.tickDue(5000)
  batcher.addExample(1, Float32Array.of(4), Uint8Array.of(1), true, 5000)
  batcher.tickDue(5999)
  batcher.addExample(2, Float32Array.of(3), Uint8Array.of(1), true, 5999)
  assert.deepEqual(batcher.takeScores().mask, Uint8Array.of(0, 0), 'both predicted, none learned')
  assert.equal(batcher.isHolding, true)
  batcher.tickDue(6000)
  const { rows, fresh, labels } = batcher.takeScores()
  assert.deepEqual([rows, fresh, labels], [Int32Array.of(1, 2), Uint8Array.of(0, 0), Float32Array.of(4, 3)])
  assert.equal(batcher.isHolding, false)
})
