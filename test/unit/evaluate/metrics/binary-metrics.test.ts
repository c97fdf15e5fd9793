import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BinaryMetrics } from '../../../../src/evaluate/metrics/binary-metrics.js'

function metricsOf(scored: [score: number, label: number][]): BinaryMetrics {
  const metrics = new BinaryMetrics(new Float64Array(BinaryMetrics.size(1024)))
  for (const [score, label] of scored) metrics.add(score, label)
  return metrics
}

test('nothing is defined before the first label', () => {
  assert.deepEqual(metricsOf([]).values(), {})
})

test('with one class only, AUC and normalised entropy are absent, and PCOC without positives', () => {
  const onlyNo = metricsOf([
    [0.2, 0],
    [0.3, 0],
  ]).values()
  assert.deepEqual(Object.keys(onlyNo).sort(), ['accuracy', 'logLoss', 'meanLabel', 'meanPrediction'])
  const onlyYes = metricsOf([[0.8, 1]]).values()
  assert.equal(onlyYes.auc, undefined)
  assert.equal(onlyYes.pcoc, 0.8)
  assert.equal(onlyYes.f1, 1)
})

test('a score of exactly 0.5 says positive, the float32 below it says negative', () => {
  const below = 0.5 - 2 ** -25
  assert.equal(metricsOf([[0.5, 1]]).values().recall, 1)
  assert.equal(metricsOf([[below, 1]]).values().recall, 0)
})

test('scores of 0 and 1 cost at most the logarithm of the clip', () => {
  const values = metricsOf([
    [0, 1],
    [1, 0],
  ]).values()
  assert.ok(Math.abs((values.logLoss ?? 0) - -Math.log(1e-7)) < 1e-6)
  assert.equal(values.auc, 0)
})

test('a model that always says the observed rate has normalised entropy 1, PCOC 1 and AUC a half', () => {
  const values = metricsOf(Array.from({ length: 1000 }, (_, index) => [0.125, index % 8 === 0 ? 1 : 0])).values()
  assert.ok(Math.abs((values.normalisedEntropy ?? 0) - 1) < 1e-12)
  assert.ok(Math.abs((values.pcoc ?? 0) - 1) < 1e-12)
  assert.equal(values.auc, 0.5)
})

test('adding two sums merges two metrics', () => {
  const size = BinaryMetrics.size(1024)
  const [left, right, both] = [new Float64Array(size), new Float64Array(size), new Float64Array(size)]
  for (const [index, score] of [0.125, 0.25, 0.5, 0.75].entries()) {
    new BinaryMetrics(index < 2 ? left : right).add(score, index % 2)
    new BinaryMetrics(both).add(score, index % 2)
  }
  const merged = new BinaryMetrics(left.map((sum, index) => sum + right[index]!))
  const { logLoss, ...exact } = new BinaryMetrics(both).values()
  const { logLoss: mergedLoss, ...others } = merged.values()
  assert.deepEqual(others, exact)
  assert.ok(Math.abs(mergedLoss! - logLoss!) < 1e-15)
})
