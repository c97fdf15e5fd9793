import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { areaUnderCurve } from '../../src/evaluate/metrics/auc.js'
import { BinaryMetrics } from '../../src/evaluate/metrics/binary-metrics.js'
import { Random } from '../../src/std/random.js'

const BINS = 32_768

/** By ranks, ties at their mean rank: Mann and Whitney 1947. */
function exactAuc(scores: readonly number[], labels: readonly number[]): number | undefined {
  const order = scores.map((_, index) => index).sort((a, b) => scores[a]! - scores[b]!)
  let rankSum = 0
  for (let first = 0; first < order.length; ) {
    let last = first
    while (last + 1 < order.length && scores[order[last + 1]!] === scores[order[first]!]) last++
    for (let place = first; place <= last; place++) if (labels[order[place]!] === 1) rankSum += (first + last) / 2 + 1
    first = last + 1
  }
  const positives = labels.filter(label => label === 1).length
  const negatives = labels.length - positives
  return positives > 0 && negatives > 0
    ? (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives)
    : undefined
}

function streamed(scores: readonly number[], labels: readonly number[], bins = BINS): BinaryMetrics {
  const metrics = new BinaryMetrics(new Float64Array(BinaryMetrics.size(bins)))
  for (const [index, score] of scores.entries()) metrics.add(score, labels[index]!)
  return metrics
}

/** The share of pairs whose order the bins can not tell, of which half may be counted wrongly. */
function undecided({ histogram }: BinaryMetrics): number {
  let pairs = 0
  let positives = 0
  let negatives = 0
  for (let bin = 0; bin < histogram.bins; bin++) {
    pairs += histogram.negatives(bin) * histogram.positives(bin)
    positives += histogram.positives(bin)
    negatives += histogram.negatives(bin)
  }
  return pairs / (positives * negatives)
}

const label = fc.integer({ min: 0, max: 1 })

test('with heavy ties among scores of different bins, the streamed AUC is the exact one', () => {
  const tied = fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), label), { minLength: 2, maxLength: 400 })
  fc.assert(
    fc.property(tied, rows => {
      const scores = rows.map(([tenths]) => tenths / 10)
      const labels = rows.map(([, is]) => is)
      const exact = exactAuc(scores, labels)
      const ours = areaUnderCurve(streamed(scores, labels).histogram)
      if (exact === undefined) assert.equal(ours, undefined)
      else assert.ok(Math.abs(ours! - exact) < 1e-12, `${ours} ${exact}`)
    }),
  )
})

test('whatever the scores, the error is at most half the share of pairs within one bin', () => {
  const anything = fc.array(fc.tuple(fc.float({ min: 0, max: 1, noNaN: true }), label), {
    minLength: 2,
    maxLength: 300,
  })
  fc.assert(
    fc.property(anything, fc.constantFrom(16, 256, BINS), (rows, bins) => {
      const scores = rows.map(([score]) => score)
      const labels = rows.map(([, is]) => is)
      const exact = exactAuc(scores, labels)
      const metrics = streamed(scores, labels, bins)
      const ours = areaUnderCurve(metrics.histogram)
      assert.equal(ours === undefined, exact === undefined)
      if (ours !== undefined) assert.ok(Math.abs(ours - exact!) <= undecided(metrics) / 2 + 1e-12)
    }),
  )
})

test('on click rates of 0.1 % to 50 % the error is below 2e-4', () => {
  const logitOfRate = fc.double({ min: Math.log(0.001), max: 0, noNaN: true })
  const spread = fc.double({ min: 0.5, max: 2, noNaN: true })
  fc.assert(
    fc.property(logitOfRate, spread, fc.integer(), (base, width, seed) => {
      const random = new Random(seed)
      const scores: number[] = []
      const labels: number[] = []
      for (let row = 0; row < 20_000; row++) {
        const score = Math.fround(1 / (1 + Math.exp(-(base + width * random.normal()))))
        scores.push(score)
        labels.push(random.uniform() < score ? 1 : 0)
      }
      const exact = exactAuc(scores, labels)
      const ours = areaUnderCurve(streamed(scores, labels).histogram)
      if (exact !== undefined) assert.ok(Math.abs(ours! - exact) < 2e-4, `${ours} ${exact}`)
    }),
    { numRuns: 25 },
  )
})
