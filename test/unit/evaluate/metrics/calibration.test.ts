import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reliabilityCurve } from '../../../../src/evaluate/metrics/calibration.js'
import { ScoreHistogram } from '../../../../src/evaluate/metrics/score-histogram.js'

const histogram = () => new ScoreHistogram(new Float64Array(ScoreHistogram.size(4096)))

test('there is no curve before the first label', () => {
  assert.deepEqual(reliabilityCurve(histogram()), [])
})

test('a score that many labels share makes one group, and no label is lost', () => {
  const scores = histogram()
  for (let index = 0; index < 900; index++) scores.add(-2, index % 10 === 0 ? 1 : 0)
  for (let index = 0; index < 100; index++) scores.add(index / 100, 1)
  const curve = reliabilityCurve(scores, 20)
  assert.equal(curve[0]?.count, 900)
  assert.equal(curve[0]?.observedRate, 0.1)
  assert.equal(curve.length, 3)
  assert.equal(
    curve.reduce((sum, point) => sum + point.count, 0),
    1000,
  )
  assert.equal(
    curve.reduce((sum, point) => sum + point.positives, 0),
    190,
  )
})

test('predictions ascend along the curve', () => {
  const scores = histogram()
  for (let index = 0; index < 5000; index++) scores.add(((index * 7919) % 5000) / 500 - 5, index % 3 === 0 ? 1 : 0)
  const predictions = reliabilityCurve(scores).map(point => point.meanPrediction)
  assert.equal(predictions.length, 20)
  assert.deepEqual(
    predictions,
    predictions.toSorted((a, b) => a - b),
  )
})
