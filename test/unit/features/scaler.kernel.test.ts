import assert from 'node:assert/strict'
import test from 'node:test'
import { Scaler } from '../../../src/features/scaler.kernel.js'
import { featuresOf, profile, reload, subject } from '../../helpers/features.js'

function near(actual: number, expected: number, tolerance = 1e-9) {
  assert.ok(Math.abs(actual - expected) < tolerance, `${actual} is not near ${expected}`)
}

test('after ten values a number is its distance to the mean in deviations', () => {
  const scaler = new Scaler(1)
  for (const x of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]) scaler.learn(0, x)
  near(scaler.scale(0, 5.5), 0)
  near(scaler.scale(0, 10), 4.5 / Math.sqrt(8.25), 1e-6)
})

test('with fewer values it is damped by their number, and with none it is 0', () => {
  const scaler = new Scaler(1)
  assert.equal(scaler.scale(0, 1000), 0)
  scaler.learn(0, 1)
  scaler.learn(0, 3)
  near(scaler.scale(0, 3), 0.2, 1e-6)
})

test('it is clipped to ±5, also after a long constant and for values near the largest float', () => {
  const scaler = new Scaler(2)
  for (let n = 0; n < 50; n++) scaler.learn(0, 3)
  assert.equal(scaler.scale(0, 3), 0)
  assert.equal(scaler.scale(0, 3.1), 5)
  assert.equal(scaler.scale(0, 2.9), -5)
  for (const x of [1e300, -1e300, 1e300]) scaler.learn(1, x)
  assert.ok(Math.abs(scaler.scale(1, 1e300)) <= 5)
})

test('features do not share their statistics', () => {
  const scaler = new Scaler(2)
  for (let n = 0; n < 20; n++) scaler.learn(0, n)
  assert.equal(scaler.scale(1, 7), 0)
})

test('a restored scaler says the same', () => {
  const scaler = new Scaler(2)
  for (let n = 0; n < 20; n++) scaler.learn(n % 2, Math.sqrt(n))
  const restored = new Scaler(2)
  restored.loadState(reload(scaler.saveState()))
  assert.equal(restored.scale(1, 2), scaler.scale(1, 2))
  assert.deepEqual(restored.saveState(), scaler.saveState())
})

test('an example is standardised by what came before it; a score request moves nothing', async () => {
  const features = await featuresOf({
    slots: [{ name: 'user', from: 'user' }],
    numeric: [{ name: 'price', from: 'item.price' }],
  })
  const price = (value: number, learn: boolean) => {
    features.observe(profile('item', 'tea', { numbers: { price: value } }))
    return features.extract(subject(), learn).dense.price!
  }
  for (let n = 0; n < 10; n++) assert.equal(price(n % 2, false), 0, 'nothing was learned yet')
  for (let n = 0; n < 10; n++) price(n % 2, true)
  near(price(2, false), 3, 1e-5)
  near(price(2, true), 3, 1e-5)
  const [mean, variance] = [7 / 11, 9 / 11 - (7 / 11) ** 2]
  near(price(2, true), (2 - mean) / Math.sqrt(variance), 1e-5)
})

test('a missing number does not count towards the mean', async () => {
  const features = await featuresOf({
    slots: [{ name: 'user', from: 'user' }],
    numeric: [{ name: 'price', from: 'item.price' }],
  })
  for (let n = 0; n < 10; n++) {
    features.observe(profile('item', 'tea', { numbers: { price: n % 2 } }))
    features.extract(subject())
    features.extract(subject({ item: 'unknown' }))
  }
  features.observe(profile('item', 'tea', { numbers: { price: 2 } }))
  near(features.extract(subject()).dense.price!, 3, 1e-5)
})
