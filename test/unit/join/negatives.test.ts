import assert from 'node:assert/strict'
import test from 'node:test'
import type { StateArray } from '../../../src/domain/state.js'
import { RecentItems } from '../../../src/join/negatives.js'
import { Random } from '../../../src/std/random.js'

const anything = () => false

test('negatives are drawn in proportion to how often an item was chosen lately', () => {
  const recent = new RecentItems(new Random(1))
  for (let n = 0; n < 900; n++) recent.add(n % 9 < 8 ? 'popular' : 'rare')
  let popular = 0
  for (let n = 0; n < 9000; n++) if (recent.draw(1, anything)[0] === 'popular') popular++
  assert.ok(Math.abs(popular - 8000) < 150, `${popular} of 9000`)
})

test('only the most recent items are drawn once the ring is full', () => {
  const recent = new RecentItems(new Random(1), 4)
  for (const item of ['a', 'b', 'c', 'd', 'e', 'f']) recent.add(item)
  const drawn = new Set(Array.from({ length: 200 }, () => recent.draw(1, anything)).flat())
  assert.deepEqual([...drawn].sort(), ['c', 'd', 'e', 'f'])
})

test('a draw gives distinct items that are not refused, and fewer rather than searching for ever', () => {
  const recent = new RecentItems(new Random(1))
  assert.deepEqual(recent.draw(4, anything), [])
  for (let n = 0; n < 100; n++) recent.add(`i${n % 5}`)
  const drawn = recent.draw(8, item => item === 'i2')
  assert.deepEqual(drawn.toSorted(), ['i0', 'i1', 'i3', 'i4'])
  assert.deepEqual(
    recent.draw(3, () => true),
    [],
  )
})

test('a restored ring draws, and saves, exactly like the saved one', () => {
  const first = new RecentItems(new Random(1), 5)
  for (const item of ['', 'ä', '商品', 'd', 'e', '🛒', 'g']) first.add(item)
  const state = first.saveArrays()
  const random = new Random(1)
  const second = new RecentItems(random, 5)
  second.loadArrays(state as Record<string, StateArray>)
  assert.deepEqual(second.saveArrays(), state)
  for (let n = 0; n < 20; n++) {
    assert.deepEqual(second.draw(2, anything), first.draw(2, anything))
    first.add(`n${n}`)
    second.add(`n${n}`)
    assert.deepEqual(second.saveArrays(), first.saveArrays())
  }
})
