import assert from 'node:assert/strict'
import { test } from 'node:test'
import { diverse } from '../../../src/recommend/diversity.js'

const kinds: Record<string, number[]> = { a: [1], b: [1], c: [1, 2], d: [2], e: [], f: [], g: [2] }
const take = (list: string, most: number, size: number) =>
  diverse([...list], item => kinds[item] ?? [], most, size).join('')

test('the order stays, and no value is there more often than it may', () => {
  assert.equal(take('abcdefg', 1, 10), 'adef')
  assert.equal(take('abcdefg', 2, 10), 'abdefg')
})

test('an item with several values counts for each and needs room in each', () => {
  assert.equal(take('cabdg', 2, 10), 'cad')
})

test('what has no value is never too many, and the list ends at its size', () => {
  assert.equal(take('efab', 1, 3), 'efa')
  assert.equal(take('efab', 1, 0), '')
})
