import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Histories } from '../../../src/recommend/histories.kernel.js'
import { Random } from '../../../src/std/random.js'
import { readBack } from '../../helpers/read-back.js'

const DAY = 86_400_000

function itemsOf(histories: Histories, user: number): number[] {
  const items: number[] = []
  for (let pair = histories.newest(histories.userRow(user, 1)); pair >= 0; pair = histories.older(pair))
    items.push(histories.itemOf(pair))
  return items
}

test('an item that comes again moves to the front and its weight has decayed', () => {
  const histories = new Histories(100, 7 * DAY)
  histories.add(7, 1, 10, 0)
  histories.add(7, 1, 11, DAY)
  histories.add(7, 1, 10, 7 * DAY)
  assert.deepEqual(itemsOf(histories, 7), [10, 11])
  const newest = histories.newest(histories.userRow(7, 1))
  assert.ok(Math.abs(histories.weightAt(newest, 7 * DAY) - 1.5) < 1e-6)
  assert.ok(Math.abs(histories.weightAt(newest, 14 * DAY) - 0.75) < 1e-6)
})

test('a pair says what it weighed when it was had last, and how many half-lives ago that is', () => {
  const histories = new Histories(100, 7 * DAY)
  histories.add(7, 1, 10, 0)
  histories.add(7, 1, 10, 7 * DAY)
  const pair = histories.newest(histories.userRow(7, 1))
  assert.equal(histories.weightOf(pair), 1.5)
  assert.equal(histories.ageAt(pair, 21 * DAY), 2)
  assert.equal(histories.ageAt(pair, 0), 0)
})

test('beyond the bound the pair that was longest untouched goes, and a user without pairs', () => {
  const histories = new Histories(3, DAY)
  histories.add(1, 1, 10, 0)
  histories.add(2, 1, 10, 1)
  histories.add(2, 1, 11, 2)
  histories.add(1, 1, 10, 3)
  histories.add(3, 1, 12, 4)
  assert.deepEqual(itemsOf(histories, 2), [11])
  histories.add(3, 1, 13, 5)
  assert.equal(histories.userRow(2, 1), -1)
  assert.equal(histories.users, 2)
  assert.deepEqual(itemsOf(histories, 3), [13, 12])
  assert.deepEqual(itemsOf(histories, 1), [10])
})

test('histories agree with plain lists under random use, eviction, erasing and reloading', () => {
  const random = new Random(3)
  let histories = new Histories(40, DAY)
  /** Oldest first. */
  let pairs: { user: number; item: number }[] = []
  for (let step = 0; step < 3000; step++) {
    const user = 1 + random.integer(12)
    const item = random.integer(15)
    const known = pairs.findIndex(pair => pair.user === user && pair.item === item)
    if (known >= 0) pairs.splice(known, 1)
    else if (pairs.length === 40) pairs.shift()
    pairs.push({ user, item })
    histories.add(user, 1, item, step)
    if (step % 500 === 250) {
      const gone = Uint8Array.from({ length: 15 }, (_, nth) => (nth === item ? 1 : 0))
      histories.removeItems(gone)
      pairs = pairs.filter(pair => pair.item !== item)
    }
    if (step % 300 === 299) {
      assert.equal(histories.erase(user, 1), pairs.filter(pair => pair.user === user).length)
      assert.equal(histories.userRow(user, 1), -1)
      pairs = pairs.filter(pair => pair.user !== user)
    }
    if (step % 400 === 399) {
      const saved = readBack({ meta: null, arrays: histories.saveArrays() })
      const copy = new Histories(40, DAY)
      copy.loadArrays(saved)
      assert.deepEqual(readBack({ meta: null, arrays: copy.saveArrays() }), saved)
      histories = copy
    }
    for (let one = 1; one <= 12; one++) {
      const expected = pairs.filter(pair => pair.user === one).map(pair => pair.item)
      assert.deepEqual(itemsOf(histories, one), expected.reverse())
    }
  }
})
