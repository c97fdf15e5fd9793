import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatCount,
  formatEventTime,
  formatMetric,
  formatSeconds,
  formatShare,
} from '../../../../src/evaluate/report/headline.js'

test('figures keep their decimals, small ones their digits, and undefined ones are a dash', () => {
  assert.equal(formatMetric('auc', 0.71239), '0.7124')
  assert.equal(formatMetric('logLoss', 0.000004), '4.00e-6')
  assert.equal(formatMetric('recall', 0), '0')
  assert.equal(formatMetric('precision', undefined), '–')
})

test('counts, shares, durations and times read the same on every machine', () => {
  assert.equal(formatCount(1234567.4), '1,234,567')
  assert.equal(formatCount(999), '999')
  assert.equal(formatShare(1, 1000), '0.10 %')
  assert.equal(formatShare(1, 8), '12.5 %')
  assert.equal(formatShare(0, 0), '–')
  assert.equal(formatSeconds(6400), '6.40 s')
  assert.equal(formatSeconds(600_000), '10.0 min')
  assert.equal(formatSeconds(7_200_000), '2.00 h')
  assert.equal(formatEventTime(0), '1970-01-01 00:00')
})
