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

test('the fast part does not read embeddings, and the layout says where they are', async () => {
  const { layout } = (await featuresOf(config)).extractor
  assert.deepEqual(layout.embeddings, [{ name: 'text', first: 1, size: 2 }])
  assert.deepEqual(layout.linear, [0])
})

test('two embeddings of one side, or of one name, or named as a number is, are refused', async () => {
  for (const wrong of [
    { name: 'more', from: 'item' as const, size: 2 },
    { name: 'text', from: 'user' as const, size: 2 },
    { name: 'price', from: 'user' as const, size: 2 },
  ])
    await assert.rejects(featuresOf({ ...config, embeddings: [...config.embeddings, wrong] }), {
      code: 'CONFIG_INVALID',
    })
})
