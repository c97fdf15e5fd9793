import assert from 'node:assert/strict'
import { test } from 'node:test'
import { overSeeds, spreadOf } from '../../../bench/statistics.js'
import { type Figure, type Limit, verdictOf } from '../../../bench/verdict.js'

const figure = (value: Figure['value'], limit: Limit): Figure => ({ name: 'f', format: 'ratio', value, limit })
const higher: Limit = { better: 'higher', reach: 0.9, strive: 1.2 }
const lower: Limit = { better: 'lower', reach: 10, strive: 2 }

test('a figure on its bound has reached it, whichever side is better', () => {
  assert.equal(verdictOf([figure(0.9, higher)]), 'reached')
  assert.equal(verdictOf([figure(1.2, higher)]), 'strived-for reached')
  assert.equal(verdictOf([figure(0.89, higher)]), 'missed')
  assert.equal(verdictOf([figure(10, lower)]), 'reached')
  assert.equal(verdictOf([figure(2, lower)]), 'strived-for reached')
  assert.equal(verdictOf([figure(10.1, lower)]), 'missed')
})

test('what should be near a value may lie on neither side of its bounds', () => {
  const near: Limit = { better: 'between', reach: [0.97, 1.03] }
  for (const [value, verdict] of [
    [0.96, 'missed'],
    [0.97, 'reached'],
    [1.03, 'reached'],
    [1.04, 'missed'],
  ] as const)
    assert.equal(verdictOf([figure(value, near)]), verdict)
  assert.equal(verdictOf([figure(1.5, higher), figure(1, near)]), 'reached', 'with nothing further to strive for')
})

test('a row is as good as its worst figure', () => {
  assert.equal(verdictOf([figure(1.5, higher), figure(1, higher)]), 'reached')
  assert.equal(verdictOf([figure(1.5, higher), figure(11, lower)]), 'missed')
})

test('where there is nothing further to strive for, reached is all there is', () => {
  assert.equal(verdictOf([figure(99, { better: 'higher', reach: 0.8 })]), 'reached')
})

test('without a figure, or with one that is not a number, nothing was measured', () => {
  assert.equal(verdictOf([]), 'not measured')
  assert.equal(verdictOf([figure(Number.NaN, higher), figure(1.5, higher)]), 'not measured')
})

test('repeated measurements are judged by their median, seeds by their mean, neither by its best', () => {
  assert.equal(verdictOf([figure(spreadOf([2, 0.5, 0.8]), higher)]), 'missed')
  assert.equal(verdictOf([figure(overSeeds([2, 0.5, 0.1]), higher)]), 'missed')
  assert.deepEqual(spreadOf([3, 1, 2]), { min: 1, median: 2, max: 3, runs: [3, 1, 2] })
})
