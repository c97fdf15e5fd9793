import assert from 'node:assert/strict'
import test from 'node:test'
import type { ConfigInput } from '../../../src/config/schema.js'
import { DAY, featuresOf, HOUR, impression, MONDAY, positive, profile, subject } from '../../helpers/features.js'

type NumericInput = NonNullable<ConfigInput['features']['numeric']>[number]

/** One raw number: neither transformed nor standardised. */
async function numberOf(numeric: Omit<NumericInput, 'name'>) {
  const features = await featuresOf({
    slots: [{ name: 'user', from: 'user' }],
    numeric: [{ name: 'x', standardise: false, ...numeric }],
  })
  return {
    ...features,
    x: (of: Parameters<typeof subject>[0] = {}) => features.extract(subject(of)).dense.x!,
    dense: (of: Parameters<typeof subject>[0] = {}) => features.extract(subject(of)).dense,
  }
}

function near(actual: number, expected: number) {
  assert.ok(Math.abs(actual - expected) < 1e-6 * Math.max(1, Math.abs(expected)), `${actual} is not near ${expected}`)
}

test('a numeric attribute is that of the last profile, and 0 where there is none', async () => {
  const price = await numberOf({ from: 'item.price' })
  assert.equal(price.x(), 0)
  price.observe(profile('item', 'tea', { numbers: { price: 2.5 } }))
  assert.equal(price.x(), 2.5)
  price.observe(profile('item', 'tea', { numbers: { weight: 1 } }))
  assert.equal(price.x(), 0)
})

test('a position is a number too', async () => {
  const place = await numberOf({ from: 'position' })
  assert.equal(place.x({ position: 7 }), 7)
  assert.equal(place.x({ position: null }), 0)
})

test('log1p keeps the sign, so that negative numbers have a logarithm', async () => {
  const balance = await numberOf({ from: 'user.balance', transform: 'log1p' })
  balance.observe(profile('user', 'ann', { numbers: { balance: -7 } }))
  near(balance.x(), -Math.log(8))
})

test('a count is of one kind of event of one entity', async () => {
  const clicks = await numberOf({ count: 'click', by: 'item' })
  assert.equal(clicks.x(), 0)
  clicks.observe(positive('click'), positive('click', { user: 'bob' }))
  clicks.observe(positive('click', { item: 'cup' }), positive('buy'), impression())
  assert.equal(clicks.x(), 2)
  assert.equal(clicks.x({ item: 'cup' }), 1)
})

test('a count by a pair is of both together, in either order', async () => {
  for (const by of [
    ['user', 'item'],
    ['item', 'user'],
  ]) {
    const met = await numberOf({ count: 'impression', by })
    met.observe(impression(), impression(), impression({ user: 'bob' }), impression({ item: 'cup' }))
    assert.equal(met.x(), 2)
  }
})

test('a count by an attribute is of all items that had that first value when it happened', async () => {
  const clicks = await numberOf({ count: 'click', by: ['user', 'item.category'] })
  clicks.observe(positive('click'))
  clicks.observe(profile('item', 'tea', { attributes: { category: ['drinks', 'bio'] } }))
  clicks.observe(profile('item', 'cola', { attributes: { category: ['drinks'] } }))
  assert.equal(clicks.x(), 0, 'the click came before the item had a category')
  clicks.observe(positive('click'), positive('click', { item: 'cola' }))
  assert.equal(clicks.x(), 2)
  clicks.observe(profile('item', 'tea', { attributes: { category: ['bio'] } }))
  assert.equal(clicks.x(), 0, 'no click on a bio item yet')
  assert.equal(clicks.x({ item: 'cola' }), 2, 'past clicks stay where they were counted')
})

test('a count with a half-life halves in event time', async () => {
  const clicks = await numberOf({ count: 'click', by: 'item', halfLife: '1d' })
  clicks.observe(positive('click'))
  near(clicks.x(), 1)
  near(clicks.x({ eventTimeMs: MONDAY + DAY }), 0.5)
  near(clicks.x({ eventTimeMs: MONDAY + 3 * DAY }), 0.125)
  clicks.observe(positive('click', { eventTimeMs: MONDAY + DAY }))
  near(clicks.x({ eventTimeMs: MONDAY + 2 * DAY }), 0.75)
})

test('a late event counts as if it had come at the last one, and no age is negative', async () => {
  const clicks = await numberOf({ count: 'click', by: 'item', halfLife: '1d' })
  clicks.observe(positive('click', { eventTimeMs: MONDAY + DAY }), positive('click', { eventTimeMs: MONDAY }))
  near(clicks.x({ eventTimeMs: MONDAY }), 2)
  near(clicks.x({ eventTimeMs: MONDAY + 2 * DAY }), 1)
})

test('a rate starts at the average of everybody and moves to its own with the evidence', async () => {
  const rate = await numberOf({ rate: 'click', by: 'item', prior: 4 })
  assert.equal(rate.x(), 0, 'nothing is known yet')
  rate.observe(...Array.from({ length: 8 }, () => impression({ item: 'cup' })))
  rate.observe(positive('click', { item: 'cup' }), positive('click', { item: 'cup' }))
  near(rate.x(), 0.25)
  near(rate.x({ item: 'cup' }), (2 + 4 * 0.25) / (8 + 4))
  rate.observe(impression(), positive('click'))
  near(rate.x(), (1 + (4 * 3) / 9) / (1 + 4))
})

test('the average of a rate is at most 1, whatever clicks come without an impression', async () => {
  const rate = await numberOf({ rate: 'buy', by: 'item', halfLife: '1h' })
  rate.observe(impression({ item: 'cup' }))
  for (let n = 0; n < 50; n++) rate.observe(positive('buy', { item: 'cup', eventTimeMs: MONDAY + n * HOUR }))
  near(rate.x({ eventTimeMs: MONDAY + 50 * HOUR }), 1)
  near(rate.x({ eventTimeMs: MONDAY + 5000 * DAY }), 0)
})

test('a mean is the shrunken difference to the average of everybody', async () => {
  const mean = await numberOf({ mean: 'rating', by: 'item', prior: 3 })
  assert.equal(mean.x(), 0)
  mean.observe(positive('rating', { value: 5 }), positive('rating', { item: 'cup', value: 2 }))
  near(mean.x(), (5 - 3.5) / (1 + 3))
  near(mean.x({ item: 'cup' }), (2 - 3.5) / (1 + 3))
  assert.equal(mean.x({ item: 'new' }), 0)
})

test('a mean with a half-life forgets', async () => {
  const mean = await numberOf({ mean: 'rating', by: 'user', prior: 1, halfLife: '1d' })
  mean.observe(positive('rating', { value: 1 }), positive('rating', { value: 5, eventTimeMs: MONDAY + DAY }))
  mean.observe(positive('rating', { user: 'bob', value: 2, eventTimeMs: MONDAY + DAY }))
  const average = (0.5 * 1 + 5 + 2) / 2.5
  near(mean.x({ eventTimeMs: MONDAY + DAY }), (0.5 * 1 + 5 - 1.5 * average) / (1.5 + 1))
})

test('since is in days, and a second input says never', async () => {
  const since = await numberOf({ since: 'buy', by: 'user' })
  assert.deepEqual(since.dense(), { x: 0, 'x.never': 1 })
  since.observe(positive('click'))
  assert.deepEqual(since.dense(), { x: 0, 'x.never': 1 })
  since.observe(positive('buy'))
  assert.deepEqual(since.dense({ eventTimeMs: MONDAY + 36 * HOUR }), { x: 1.5, 'x.never': 0 })
  assert.deepEqual(since.dense({ eventTimeMs: MONDAY - DAY }), { x: 0, 'x.never': 0 })
})

test('an item without the attribute has no count, no rate and no last time', async () => {
  const features = await featuresOf({
    slots: [{ name: 'seen', bucket: 'count' }],
    numeric: [
      { name: 'count', count: 'click', by: 'item.category' },
      { name: 'rate', rate: 'click', by: 'item.category' },
      { name: 'since', since: 'click', by: 'item.category' },
    ],
  })
  features.observe(impression(), positive('click'))
  const { keys, dense } = features.extract(subject())
  assert.deepEqual(keys.seen, [features.key('seen', 'missing')])
  assert.deepEqual(dense, { count: 0, rate: 0, since: 0, 'since.never': 1 })
})

test('numbers that float32 can not hold, and infinite ones, are missing', async () => {
  const price = await numberOf({ from: 'item.price' })
  for (const huge of [1e300, Number.POSITIVE_INFINITY, Number.NaN]) {
    price.observe(profile('item', 'tea', { numbers: { price: huge } }))
    assert.equal(price.x(), 0)
  }
})
