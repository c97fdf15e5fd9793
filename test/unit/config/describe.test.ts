import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configJsonSchema, configMarkdown, describeLeaves } from '../../../src/config/describe.js'

test('every key has a description', () => {
  const undescribed = describeLeaves(true).filter(leaf => leaf.description === '')
  assert.deepEqual(
    undescribed.map(leaf => leaf.path.join('.')),
    [],
  )
})

test('the reference has a row for every key', () => {
  const rows = configMarkdown()
    .split('\n')
    .filter(line => line.startsWith('| `') && !line.includes('` | section | |'))
  assert.equal(rows.length, describeLeaves(true).length)
})

test('the JSON schema takes durations as text and refuses unknown keys', () => {
  const schema = configJsonSchema() as {
    additionalProperties: boolean
    properties: { batch: { properties: { tick: { type: string } } } }
  }
  assert.equal(schema.properties.batch.properties.tick.type, 'string')
  assert.equal(schema.additionalProperties, false)
})
