import assert from 'node:assert/strict'
import test from 'node:test'
import type { ScoreRequest } from '../../../src/domain/event.js'
import { featuresOf, impression, MONDAY, positive, profile, reload, subject } from '../../helpers/features.js'

const slots = [{ name: 'user', from: 'user' }]

test('a user or an item is cold until it has had so many impressions and positives', async () => {
  const features = await featuresOf({ slots, coldBelow: 3 })
  assert.deepEqual(features.extract(subject()).cold, ['user', 'item'])
  features.observe(impression(), positive('click'), positive('buy', { item: 'cup' }))
  assert.deepEqual(features.extract(subject()).cold, ['item'])
  features.observe(impression({ user: 'bob' }))
  assert.deepEqual(features.extract(subject()).cold, [])
  assert.deepEqual(features.extract(subject({ user: 'bob' })).cold, ['user'])
})

test('an example knows how many events its user and its item had had, in bands', async () => {
  const features = await featuresOf({ slots })
  const bands: number[][] = []
  for (let events = 0; events <= 22; events++) {
    const { user, item } = features.extract(subject()).bands
    bands.push([user, item])
    features.observe(impression({ item: events % 2 === 0 ? 'tea' : 'cup' }))
  }
  const users = [0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5]
  const items = [0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 4, 4]
  assert.deepEqual(
    bands,
    users.map((user, index) => [user, items[index]]),
  )
})

test('profiles and score requests are not events of a user or an item', async () => {
  const features = await featuresOf({ slots: [{ name: 'category', from: 'item.category' }], coldBelow: 1 })
  const request: ScoreRequest = {
    kind: 'score-request',
    eventId: 'e',
    requestId: 'r',
    eventTimeMs: MONDAY,
    user: 'ann',
    candidates: ['tea'],
    context: null,
  }
  features.observe(request, profile('item', 'tea'), profile('user', 'ann'))
  assert.deepEqual(features.extract(subject()).cold, ['user', 'item'])
})

test('extracting alone changes nothing for later subjects', async () => {
  const features = await featuresOf({
    slots: [...slots, { name: 'history', recent: 'impression' }],
    numeric: [{ name: 'shown', count: 'impression', by: 'item', standardise: false }],
  })
  const first = features.extract(subject())
  assert.deepEqual(features.extract(subject()), first)
  assert.deepEqual(
    features.extractor.stats().tables.map(({ entities }) => entities),
    [0, 0],
  )
})

test('only what the configuration uses has rows', async () => {
  const features = await featuresOf({
    slots,
    numeric: [{ name: 'bought', count: 'buy', by: ['user', 'item'] }],
  })
  features.observe(profile('item', 'cup', { attributes: { category: ['x'] } }))
  features.observe(impression(), positive('click'))
  const rows = () => Object.fromEntries(features.extractor.stats().tables.map(({ name, entities }) => [name, entities]))
  assert.deepEqual(rows(), { user: 1, item: 1, 'item+user': 0 })
  features.observe(positive('buy'))
  assert.deepEqual(rows(), { user: 1, item: 1, 'item+user': 1 })
})

test('an attribute entity follows a profile that arrives between two looks at the same subject', async () => {
  const features = await featuresOf({
    slots,
    numeric: [{ name: 'clicks', count: 'click', by: 'item.category', standardise: false }],
  })
  features.observe(
    profile('item', 'cup', { attributes: { category: ['kitchen'] } }),
    positive('click', { item: 'cup' }),
  )
  assert.equal(features.extract(subject()).dense.clicks, 0)
  features.observe(profile('item', 'tea', { attributes: { category: ['kitchen'] } }))
  assert.equal(features.extract(subject()).dense.clicks, 1)
})

test('a faulty configuration is refused with the place of the fault', async () => {
  await assert.rejects(featuresOf({ slots: [{ name: 'a', bucket: 'b' }] }), {
    code: 'CONFIG_INVALID',
    message: "features.slots.0.bucket: no numeric feature is named 'b'",
  })
})

test('the state of other features is refused', async () => {
  const one = await featuresOf({ slots })
  const other = await featuresOf({ slots, numeric: [{ name: 'n', count: 'click', by: 'user' }] })
  one.observe(impression())
  assert.throws(() => other.extractor.loadState(reload(one.extractor.saveState())), { code: 'CHECKPOINT_INCOMPATIBLE' })
})
