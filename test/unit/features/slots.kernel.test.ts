import assert from 'node:assert/strict'
import test from 'node:test'
import { DAY, featuresOf, HOUR, impression, MONDAY, positive, profile, subject } from '../../helpers/features.js'

test('user, item, context and position have one key each, of their own table and value', async () => {
  const features = await featuresOf({
    slots: [
      { name: 'who', from: 'user' },
      { name: 'what', from: 'item' },
      { name: 'device', from: 'context.device' },
      { name: 'place', from: 'position' },
    ],
  })
  const { keys } = features.extract(subject({ position: 3, context: { device: 'phone' } }))
  assert.deepEqual(keys, {
    who: [features.key('who', 'ann')],
    what: [features.key('what', 'tea')],
    device: [features.key('device', 'phone')],
    place: [features.key('place', '3')],
  })
})

test('a position has the key of its decimal text, however far down the page', async () => {
  const features = await featuresOf({ slots: [{ name: 'place', from: 'position' }] })
  for (const position of [0, 1, 255, 256, 100_000]) {
    assert.deepEqual(features.extract(subject({ position })).keys.place, [features.key('place', String(position))])
  }
})

test('a missing value has no key', async () => {
  const features = await featuresOf({
    slots: [
      { name: 'category', from: 'item.category' },
      { name: 'device', from: 'context.device' },
      { name: 'odd', from: 'context.constructor' },
      { name: 'place', from: 'position' },
      { name: 'history', recent: 'click' },
    ],
  })
  const none = { category: [], device: [], odd: [], place: [], history: [] }
  assert.deepEqual(features.extract(subject()).keys, none)
  assert.deepEqual(features.extract(subject({ context: { browser: 'x' } })).keys, none)
})

test('hour and weekday are those of UTC, before 1970 too', async () => {
  const features = await featuresOf({
    slots: [
      { name: 'hour', from: 'time.hour' },
      { name: 'weekday', from: 'time.weekday' },
    ],
  })
  for (const eventTimeMs of [MONDAY, MONDAY + 23.9 * HOUR, MONDAY + 6 * DAY + 13 * HOUR, 0, -1]) {
    const date = new Date(eventTimeMs)
    assert.deepEqual(features.extract(subject({ eventTimeMs })).keys, {
      hour: [features.key('hour', String(date.getUTCHours()))],
      weekday: [features.key('weekday', String(date.getUTCDay()))],
    })
  }
})

test('an attribute has the values of the last profile, at most max of them', async () => {
  const features = await featuresOf({ slots: [{ name: 'tags', from: 'item.tags', max: 2 }] })
  features.observe(profile('item', 'tea', { attributes: { tags: ['green', 'loose', 'bio'], other: ['x'] } }))
  assert.deepEqual(features.extract(subject()).keys.tags, [
    features.key('tags', 'green'),
    features.key('tags', 'loose'),
  ])
  features.observe(profile('item', 'tea', { attributes: { tags: ['black'] } }))
  assert.deepEqual(features.extract(subject()).keys.tags, [features.key('tags', 'black')])
  features.observe(profile('item', 'tea', { attributes: { other: ['x'] } }))
  assert.deepEqual(features.extract(subject()).keys.tags, [], 'a profile replaces the one before it as a whole')
})

test('a numeric attribute can be a category by its decimal text', async () => {
  const features = await featuresOf({ slots: [{ name: 'born', from: 'user.born' }] })
  features.observe(profile('user', 'ann', { numbers: { born: 1984 } }))
  assert.deepEqual(features.extract(subject()).keys.born, [features.key('born', '1984')])
})

test('recent items come newest first, at most max, with the keys that the item slot of the same table gives', async () => {
  const features = await featuresOf({
    slots: [
      { name: 'item', from: 'item' },
      { name: 'history', recent: 'click', table: 'item', max: 3 },
      { name: 'last', recent: 'click', table: 'item', max: 1 },
      { name: 'bought', recent: 'buy', max: 2 },
    ],
  })
  features.observe(positive('click', { item: 'a' }), positive('click', { item: 'b' }))
  features.observe(impression({ item: 'seen' }), positive('click', { user: 'bob', item: 'x' }))
  const item = (id: string) => features.key('item', id)
  assert.deepEqual(features.extract(subject({ item: 'b' })).keys, {
    item: [item('b')],
    history: [item('b'), item('a')],
    last: [item('b')],
    bought: [],
  })
  features.observe(...['c', 'c', 'd'].map(id => positive('click', { item: id })))
  features.observe(positive('buy', { item: 'c' }))
  const { keys } = features.extract(subject({ item: 'new' }))
  assert.deepEqual(keys.history, [item('d'), item('c'), item('c')])
  assert.deepEqual(keys.last, [item('d')])
  assert.deepEqual(keys.bought, [features.key('bought', 'c')])
})

test('a bucket is cut from the number before it is transformed or standardised', async () => {
  const features = await featuresOf({
    slots: [
      { name: 'clicks', bucket: 'clicked' },
      { name: 'cost', bucket: 'price' },
    ],
    numeric: [
      { name: 'clicked', count: 'click', by: 'item', transform: 'log1p' },
      { name: 'price', from: 'item.price' },
    ],
  })
  assert.deepEqual(features.extract(subject()).keys, {
    clicks: [features.key('clicks', '0')],
    cost: [features.key('cost', 'missing')],
  })
  features.observe(...Array.from({ length: 5 }, () => positive('click')))
  features.observe(profile('item', 'tea', { numbers: { price: 64 } }))
  assert.deepEqual(features.extract(subject()).keys, {
    clicks: [features.key('clicks', '2^2')],
    cost: [features.key('cost', '2^6')],
  })
})

test('a cross with several values of one part has as many values, each as if it were the only one', async () => {
  const slots = (max: number) => [
    { name: 'user', from: 'user' },
    { name: 'tags', from: 'item.tags', max },
    { name: 'taste', cross: ['user', 'tags'] },
  ]
  const many = await featuresOf({ slots: slots(3) })
  const one = await featuresOf({ slots: slots(1) })
  const keysOf = (features: typeof one, tags: string[]) => {
    features.observe(profile('item', 'tea', { attributes: { tags } }))
    return features.extract(subject({ item: 'tea' })).keys.taste
  }
  assert.deepEqual(keysOf(many, ['hot', 'green']), [...keysOf(one, ['hot'])!, ...keysOf(one, ['green'])!])
})

test('a cross has a key of its own for each combination, and none if a part is missing', async () => {
  const features = await featuresOf({
    slots: [
      { name: 'user', from: 'user' },
      { name: 'category', from: 'item.category', max: 1 },
      { name: 'hour', from: 'time.hour' },
      { name: 'pair', cross: ['user', 'category'] },
      { name: 'swapped', cross: ['category', 'user'], table: 'pair' },
      { name: 'triple', cross: ['user', 'category', 'hour'] },
    ],
  })
  assert.deepEqual(features.extract(subject()).keys.pair, [])
  for (const item of ['tea', 'cup']) features.observe(profile('item', item, { attributes: { category: [item] } }))
  const all = ['ann', 'bob'].flatMap(user => ['tea', 'cup'].map(item => features.extract(subject({ user, item })).keys))
  const keys = all.flatMap(({ pair, swapped, triple }) => [pair, swapped, triple]).map(String)
  assert.equal(new Set(keys).size, 12)
  assert.deepEqual(features.extract(subject()).keys, all[0], 'the same combination has the same key')
  const later = features.extract(subject({ eventTimeMs: MONDAY + HOUR })).keys
  assert.deepEqual(later.pair, all[0]!.pair)
  assert.notDeepEqual(later.triple, all[0]!.triple)
})
