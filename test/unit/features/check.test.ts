import assert from 'node:assert/strict'
import test from 'node:test'
import type { ConfigInput } from '../../../src/config/schema.js'
import { checkFeatures } from '../../../src/features/check.js'
import { parseFeatures } from '../../helpers/features.js'

type Features = ConfigInput['features']
type Numeric = NonNullable<Features['numeric']>
const faults = (slots: Features['slots'], numeric: Numeric = []) =>
  checkFeatures(parseFeatures({ slots, numeric })).map(({ path, message }) => `${path.join('.')}: ${message}`)
const user = { name: 'user', from: 'user' }
const ofNumber = (numeric: Omit<Numeric[number], 'name'>) => faults([user], [{ name: 'x', ...numeric }])

test('a sound configuration has no faults', () => {
  const slots = [
    user,
    { name: 'category', from: 'item.category', max: 1 },
    { name: 'page', from: 'context.page-name' },
    { name: 'recent', recent: 'click' as const },
    { name: 'price', bucket: 'price' },
    { name: 'taste', cross: ['user', 'category', 'page'] },
    { name: 'deep', cross: ['taste', 'price'] },
  ]
  const numeric = [
    { name: 'price', from: 'item.price' },
    { name: 'shown', count: 'impression' as const, by: 'item', halfLife: '7d' },
    { name: 'ctr', rate: 'click' as const, by: ['user', 'item.category'] },
    { name: 'liked', mean: 'rating' as const, by: 'item' },
    { name: 'bought', since: 'buy' as const, by: 'user' },
  ]
  assert.deepEqual(faults(slots, numeric), [])
})

test('a slot needs exactly one source', () => {
  assert.deepEqual(faults([{ name: 'a' }]), [
    'slots.0: exactly one of from, recent, bucket, cross is needed; none is given',
  ])
  assert.deepEqual(faults([user, { name: 'a', from: 'item', recent: 'click' }]), [
    'slots.1: exactly one of from, recent, bucket, cross is needed; from and recent are given',
  ])
})

test('a source that does not exist is named', () => {
  for (const from of ['usr', 'user.', 'time.minute', 'context', 'item.a.b']) {
    assert.deepEqual(faults([{ name: 'a', from }]), [
      'slots.0.from: expected user, item, user.ATTRIBUTE, item.ATTRIBUTE, context.NAME, position, time.hour or time.weekday',
    ])
  }
  assert.deepEqual(ofNumber({ from: 'user' }), ['numeric.0.from: expected user.NUMBER, item.NUMBER or position'])
})

test('a bucket and a cross name what exists, and a cross what is declared above, one with several values at most', () => {
  assert.deepEqual(faults([{ name: 'a', bucket: 'price' }]), ["slots.0.bucket: no numeric feature is named 'price'"])
  const tags = { name: 'tags', from: 'item.tags' }
  assert.deepEqual(faults([user, tags, { name: 'a', cross: ['user', 'nobody', 'tags'] }]), [
    "slots.2.cross.1: no slot is named 'nobody'",
  ])
  const words = { name: 'words', from: 'item.words' }
  assert.deepEqual(faults([user, tags, words, { name: 'a', cross: ['tags', 'user', 'words'] }]), [
    "slots.3.cross.2: slots 'tags' and 'words' may have several values; give all but one 'max: 1'",
  ])
  assert.deepEqual(faults([{ name: 'a', cross: ['user', 'a'] }, user]), [
    "slots.0.cross.0: slot 'user' must be declared above",
    "slots.0.cross.1: slot 'a' must be declared above",
  ])
})

test('a numeric feature needs exactly one source, and an entity where it counts', () => {
  assert.deepEqual(ofNumber({}), ['numeric.0: exactly one of from, count, rate, mean, since is needed; none is given'])
  assert.deepEqual(ofNumber({ count: 'click' }), [
    "numeric.0.by: 'count' needs 'by': user, item, an attribute such as item.category, or a pair",
  ])
  assert.deepEqual(ofNumber({ count: 'click', by: ['item', 'item'] }), [
    'numeric.0.by.1: a pair needs two different entities',
  ])
})

test('what has no effect is a fault too', () => {
  assert.deepEqual(ofNumber({ from: 'item.price', by: 'user', halfLife: '1d' }), [
    "numeric.0.by: 'from' is of one user or item; 'by' has no effect",
    "numeric.0.halfLife: 'from' does not decay; 'halfLife' has no effect",
  ])
  assert.deepEqual(ofNumber({ since: 'buy', by: 'user', halfLife: '1d' }), [
    "numeric.0.halfLife: 'since' does not decay; 'halfLife' has no effect",
  ])
  assert.deepEqual(ofNumber({ count: 'buy', by: 'user', halfLife: '0s' }), [
    'numeric.0.halfLife: must be longer than 0',
  ])
})

test('names are not given twice', () => {
  const price = { name: 'price', from: 'item.price' }
  assert.deepEqual(faults([user, user], [price, price]), [
    'slots.1.name: another slot has this name',
    'numeric.1.name: another numeric feature has this name',
  ])
})
