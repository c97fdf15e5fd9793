import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { BinaryMetrics } from '../../../../src/evaluate/metrics/binary-metrics.js'
import { reliabilityCurve } from '../../../../src/evaluate/metrics/calibration.js'
import { ClassMetrics } from '../../../../src/evaluate/metrics/class-metrics.js'
import { NumericMetrics } from '../../../../src/evaluate/metrics/numeric-metrics.js'
import type { MetricName, MetricValues } from '../../../../src/evaluate/metrics/task-metrics.js'
import { packageRoot } from '../../../../src/std/package-root.js'

interface Case {
  name: string
  scores: number[]
  labels: number[]
  scikitLearn: MetricValues
  river: MetricValues
}
interface ClassCase extends Omit<Case, 'scores'> {
  scores: number[][]
  confusion: number[][]
}
interface Goldens {
  binary: Case[]
  numeric: Case[]
  classes: ClassCase[]
  reliability: { scores: number[]; labels: number[]; bins: number; predicted: number[]; observed: number[] }
}

const goldens: Goldens = JSON.parse(readFileSync(join(packageRoot(), 'test/golden/metrics/metrics.json'), 'utf8'))
const BINS = 32_768

function binary(scores: number[], labels: number[]): BinaryMetrics {
  const metrics = new BinaryMetrics(new Float64Array(BinaryMetrics.size(BINS)))
  for (const [index, score] of new Float32Array(scores).entries()) metrics.add(score, labels[index]!)
  return metrics
}

function numeric(scores: number[], labels: number[]): NumericMetrics {
  const metrics = new NumericMetrics(new Float64Array(NumericMetrics.size))
  const labels32 = new Float32Array(labels)
  for (const [index, score] of new Float32Array(scores).entries()) metrics.add(score, labels32[index]!)
  return metrics
}

function assertAgrees(ours: MetricValues, theirs: MetricValues, library: string): void {
  for (const [name, expected] of Object.entries(theirs)) {
    // AUC is read from bins; everything else is a sum in float64.
    const tolerance = name === 'auc' ? 2e-4 : 1e-9 * Math.max(1, Math.abs(expected))
    const actual = ours[name as MetricName]
    assert.ok(
      actual !== undefined && Math.abs(actual - expected) <= tolerance,
      `${library} ${name}: ${expected}, here ${actual}`,
    )
  }
}

for (const golden of goldens.binary) {
  test(`binary metrics agree with scikit-learn and River: ${golden.name}`, () => {
    const values = binary(golden.scores, golden.labels).values()
    assertAgrees(values, golden.scikitLearn, 'scikit-learn')
    assertAgrees(values, golden.river, 'River')
    assert.equal(
      'precision' in values,
      'precision' in golden.scikitLearn,
      'precision is absent where nothing was called positive',
    )
  })
}

for (const golden of goldens.numeric) {
  test(`numeric metrics agree with scikit-learn and River: ${golden.name}`, () => {
    const values = numeric(golden.scores, golden.labels).values()
    assertAgrees(values, golden.scikitLearn, 'scikit-learn')
    assertAgrees(values, golden.river, 'River')
  })
}

for (const golden of goldens.classes) {
  test(`metrics of classes agree with scikit-learn and River: ${golden.name}`, () => {
    const { labels, confusion } = golden
    const size = confusion.length
    const metrics = new ClassMetrics(new Float64Array(ClassMetrics.size(size)), size)
    const before = new Float64Array(size).fill(1)
    const scores = new Float32Array(golden.scores.flat())
    for (const [index, label] of labels.entries()) {
      metrics.add(scores, index * size, label, before)
      before[label]!++
    }
    assertAgrees(metrics.values(), golden.scikitLearn, 'scikit-learn')
    assertAgrees(metrics.values(), golden.river, 'River')
    assert.deepEqual(metrics.confusion(), confusion)
  })
}

test("the reliability curve agrees with scikit-learn's quantile calibration curve", () => {
  const { scores, labels, bins, predicted, observed } = goldens.reliability
  const curve = reliabilityCurve(binary(scores, labels).histogram, bins)
  assert.equal(curve.length, bins)
  for (const [index, point] of curve.entries()) {
    // A group may end one or two labels earlier or later than the exact quantile.
    assert.ok(Math.abs(point.meanPrediction - predicted[index]!) < 2e-3, `${point.meanPrediction} ${predicted[index]}`)
    assert.ok(Math.abs(point.observedRate - observed[index]!) < 0.02, `${point.observedRate} ${observed[index]}`)
    assert.ok(Math.abs(point.count - scores.length / bins) <= 2)
  }
})
