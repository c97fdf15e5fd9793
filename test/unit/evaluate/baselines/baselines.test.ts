import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MASK_COUNTED, MASK_JUDGED, MASK_TAKEN_BACK } from '../../../../src/domain/example.js'
import { Baselines } from '../../../../src/evaluate/baselines/baselines.js'
import { Biases } from '../../../../src/evaluate/baselines/biases.kernel.js'
import { Ftrl } from '../../../../src/evaluate/baselines/ftrl.kernel.js'
import { taskConfig } from '../task-config.js'

const logistic = (x: number) => 1 / (1 + Math.exp(-x))

function near(actual: number, expected: number): void {
  assert.ok(Math.abs(actual - expected) < 1e-6, `${actual}, expected ${expected}`)
}

test('FTRL by hand: α .1, β 1, no L1, L2 1, one value beside the constant', () => {
  const ftrl = new Ftrl()
  const keys = Uint32Array.of(9, 9, 5, 7, 0, 0)
  near(ftrl.predict(keys, 2, 2), 0.5)
  ftrl.learn(keys, 2, 2, 1)
  // g = −.5, n = .25, z = −.5: w = .5 / ((1 + .5) / .1 + 1) for the value and the constant alike.
  const weight = 0.5 / 16
  near(ftrl.predict(keys, 2, 2), logistic(2 * weight))
  // What only shares the constant knows half of it.
  near(ftrl.predict(Uint32Array.of(1, 2), 0, 1), logistic(weight))
  ftrl.learn(keys, 2, 2, 0)
  const gradient = logistic(2 * weight)
  const n = 0.25 + gradient ** 2
  const z = -0.5 + gradient - ((Math.sqrt(n) - 0.5) / 0.1) * weight
  near(ftrl.predict(keys, 2, 2), logistic((2 * -z) / ((1 + Math.sqrt(n)) / 0.1 + 1)))
})

test('biases by hand: a label moves the mean, its user and its item', () => {
  const biases = new Biases()
  biases.learn(1, 2, 4)
  // e = −4, so both biases are .025 · 2 · 4, over a mean of 4.
  near(biases.predict(1, 2), 4 + 0.2 + 0.2)
  near(biases.predict(1, 3), 4.2)
  biases.learn(1, 3, 2)
  near(biases.predict(1, 2), 3 + (0.2 - 0.05 * 2.2) + 0.2)
})

test('a row is judged by what was known when it came, and late positives are learned too', () => {
  const baselines = new Baselines([taskConfig('click', 'binary'), taskConfig('rating', 'regression')])
  assert.deepEqual(baselines.names, ['click.ftrl', 'rating.biases'])
  const input = { user: 1, item: 2, keys: Uint32Array.of(5, 7), at: 0, values: 1 }
  baselines.arrive(3, input)
  baselines.learn(input, Float32Array.of(1, 5), Uint8Array.of(MASK_JUDGED, MASK_COUNTED | MASK_JUDGED))
  assert.equal(baselines.judge(3, 0, 1), 0.5)
  assert.equal(baselines.judge(3, 1, 5), 0)
  baselines.arrive(4, input)
  // A label that is only judged teaches nothing.
  assert.equal(baselines.judge(4, 0, 0), 0.5)
  assert.ok(baselines.judge(4, 1, 5) > 5)
  baselines.learn(input, Float32Array.of(1, 0), Uint8Array.of(MASK_TAKEN_BACK, 0))
  baselines.arrive(3, input)
  assert.ok(baselines.judge(3, 0, 1) > 0.5)
  const [click, rating] = baselines.totals()
  assert.deepEqual([click?.count, click?.positives, rating?.count], [3, 2, 2])
  near(rating?.values.mae ?? 0, (5 + 0.5) / 2)
})
