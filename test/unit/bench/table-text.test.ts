import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Row } from '../../../bench/row.js'
import { overSeeds, spreadOf } from '../../../bench/statistics.js'
import { tableText } from '../../../bench/table-text.js'

const speed: Row = {
  name: 'replay',
  what: 'replay',
  figures: [
    {
      name: 'events/s',
      format: 'count',
      value: spreadOf([41_000, 42_500, 39_000]),
      limit: { better: 'higher', reach: 25_000, strive: 60_000 },
    },
  ],
  verdict: 'reached',
}
const quality: Row = {
  name: 'tmall',
  what: 'tmall',
  figures: [
    { name: 'click AUC', format: 'score', value: 0.81, limit: { better: 'higher', reach: 0.8 } },
    { name: 'buy AUC', format: 'score', value: 0.9, limit: { better: 'higher', reach: 0.85 } },
  ],
  verdict: 'reached',
}
const absent: Row = { name: 'x', what: 'x', figures: [], verdict: 'not measured', reason: 'no data' }

test('a repeated measurement shows its median and its range', () => {
  const [, , line = ''] = tableText([speed]).split('\n')
  assert.match(line, /\| 41,000 \(39,000 to 42,500 in 3\) \| ≥ 25,000 \| ≥ 60,000 +\| reached/)
})

test('a figure of several seeds shows their mean with its interval, and that over users', () => {
  const limit = { better: 'lower', reach: 0.922 } as const
  const show = (runs: number[], users?: [number, number]) =>
    tableText([{ ...quality, figures: [{ name: 'RMSE', format: 'score', value: overSeeds(runs, users), limit }] }])
  // Student's t of two degrees of freedom: 4.303 · .0002 / √3.
  assert.match(show([0.919, 0.9192, 0.9188]), /\| 0\.9190 \[0\.9185, 0\.9195\] \|/)
  assert.match(show([0.919, 0.9192, 0.9188], [0.91, 0.93]), /\[0\.9185, 0\.9195\] by user \[0\.9100, 0\.9300\] \|/)
  assert.match(show([0.919]), /\| 0\.9190 +\|/)
})

test('what should be near a value shows both bounds', () => {
  const near = {
    name: 'PCOC',
    format: 'score',
    value: 1.02,
    limit: { better: 'between', reach: [0.97, 1.03] },
  } as const
  assert.match(tableText([{ ...quality, figures: [near] }]), /\| 1\.0200 +\| 0\.9700 to 1\.0300 \| – +\|/)
})

test('several figures of a row are named', () => {
  const [, , line = ''] = tableText([quality]).split('\n')
  assert.match(line, /click AUC 0\.8100, buy AUC 0\.9000/)
})

test('what was not measured says why', () => {
  assert.match(tableText([absent]), /\| not measured: no data \|/)
})

test('all lines are of one width, so that columns align on a terminal', () => {
  const widths = tableText([speed, quality, absent])
    .split('\n')
    .map(line => line.length)
  assert.equal(new Set(widths).size, 1)
})
