import assert from 'node:assert/strict'
import test from 'node:test'
import { featuresOf, profile, reload, subject } from '../../helpers/features.js'

const config = {
  slots: [{ name: 'item', from: 'item' }],
  numeric: [{ name: 'price', from: 'item.price', standardise: false }],
  embeddings: [{ name: 'text', from: 'item' as const, size: 2 }],
}
const vector = ({ dense }: { dense: Record<string, number> }) => [dense['text.0'], dense['text.1']]

test("an item's embedding is an input of the length that all have, behind the numbers", async () => {
  const features = await featuresOf(config)
  assert.deepEqual(vector(features.extract(subject())), [0, 0], 'of an item that nobody has described')
  features.observe(profile('item', 'tea', { embedding: [3, -4], numbers: { price: 5 } }))
  const { dense } = features.extract(subject())
  assert.deepEqual(Object.keys(dense), ['price', 'text.0', 'text.1'])
  assert.equal(dense.price, 5)
  assert.deepEqual(vector({ dense }), [Math.fround(2.4), Math.fround(-3.2)])
})

test('a profile without an embedding, or with one of another size, takes the earlier one away', async () => {
  for (const embedding of [null, [1, 2, 3]]) {
    const features = await featuresOf(config)
    features.observe(profile('item', 'tea', { embedding: [3, 4] }))
    features.observe(profile('item', 'tea', { embedding }))
    assert.deepEqual(vector(features.extract(subject())), [0, 0])
  }
})

test('embeddings stay with their items as the table grows, and through a checkpoint and a snapshot', async () => {
  const features = await featuresOf(config)
  const expected: [string, (number | undefined)[]][] = []
  for (let item = 0; item < 3000; item++) {
    const name = `item ${item}`
    features.observe(profile('item', name, { embedding: [Math.sin(item), Math.cos(item)] }))
    expected.push([name, vector(features.extract(subject({ item: name })))])
  }
  const resumed = await featuresOf(config)
  resumed.extractor.loadState(reload(features.extractor.saveState()))
  for (const [item, numbers] of expected) {
    assert.deepEqual(vector(features.extract(subject({ item }))), numbers)
    assert.deepEqual(vector(resumed.extract(subject({ item }))), numbers)
  }
})

test('embeddings by name are inputs of their own, in the order of the configuration, and one may be missing', async () => {
  const picture = { name: 'picture', from: 'item' as const, key: 'photo', size: 3 }
  const features = await featuresOf({ ...config, embeddings: [picture, ...config.embeddings] })
  const inputs = (item: string) => {
    const { price: _, ...vectors } = features.extract(subject({ item })).dense
    return vectors
  }
  features.observe(profile('item', 'tea', { embedding: [3, -4], embeddings: { photo: [0, 2, 0], other: [1, 1, 1] } }))
  features.observe(profile('item', 'rum', { embeddings: { photo: [0, 0, -5] } }))
  features.observe(profile('item', 'gin', { embedding: [5, 0], embeddings: { photo: [1, 2] } }))
  const none = { 'picture.0': 0, 'picture.1': 0, 'picture.2': 0, 'text.0': 0, 'text.1': 0 }
  assert.deepEqual(inputs('tea'), { ...none, 'picture.1': 4, 'text.0': Math.fround(2.4), 'text.1': Math.fround(-3.2) })
  assert.deepEqual(inputs('rum'), { ...none, 'picture.2': -4 })
  assert.deepEqual(inputs('gin'), { ...none, 'text.0': 4 }, 'one of another size is none')
  features.observe(profile('item', 'tea'))
  assert.deepEqual(inputs('tea'), none)
})

test('a name that every object has is not among the embeddings', async () => {
  const odd = { name: 'odd', from: 'item' as const, key: 'constructor', size: 1 }
  const features = await featuresOf({ ...config, embeddings: [odd] })
  features.observe(profile('item', 'tea', { embeddings: {} }))
  assert.equal(features.extract(subject()).dense['odd.0'], 0)
})

test('the fast part does not read embeddings, and the layout says where they are', async () => {
  const { layout } = (await featuresOf(config)).extractor
  assert.deepEqual(layout.embeddings, [{ name: 'text', first: 1, size: 2 }])
  assert.deepEqual(layout.linear, [0])
})

test('one embedding twice, two of one name, or one named as a number is, are refused', async () => {
  for (const wrong of [
    { name: 'more', from: 'item' as const, size: 2 },
    { name: 'text', from: 'user' as const, size: 2 },
    { name: 'price', from: 'user' as const, size: 2 },
    { name: 'text', from: 'item' as const, key: 'photo', size: 2 },
  ])
    await assert.rejects(featuresOf({ ...config, embeddings: [...config.embeddings, wrong] }), {
      code: 'CONFIG_INVALID',
    })
})
