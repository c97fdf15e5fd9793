import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bots, loops, type Rating, randomRatings, raters, swapped, wildRatings } from '../../../bench/corruptions.js'

const ratings: Rating[] = Array.from({ length: 4000 }, (_, i) => ({
  id: `c${i}`,
  ts: `${1000 + i}`,
  user: `u${i % 40}`,
  item: `i${i % 90}`,
  value: '3',
}))
const clean = (rows: readonly Rating[]) => rows.filter(({ id }) => id.startsWith('c'))

test('a corruption is a function of its seed', () => {
  for (const corrupt of [randomRatings, wildRatings, bots, raters, swapped]) {
    assert.deepEqual(corrupt(ratings, 1), corrupt(ratings, 1))
    assert.notDeepEqual(corrupt(ratings, 1), corrupt(ratings, 2))
  }
})

test('what is called clean is as it was, and nothing else is', () => {
  for (const corrupt of [randomRatings, wildRatings, bots, raters]) {
    const rows = corrupt(ratings, 1)
    for (const row of clean(rows)) assert.deepEqual(row, ratings[Number(row.id.slice(1))])
    for (const row of rows.filter(({ id }) => id.startsWith('x'))) assert.notEqual(row.value, '3')
  }
  assert.ok(Math.abs(randomRatings(ratings, 1).length - clean(randomRatings(ratings, 1)).length - 80) < 30)
  assert.equal(bots(ratings, 1).length, 4000 + 20 * 2000)
  assert.equal(raters(ratings, 1).length, 4000 + 20 * 90)
})

test('after a swap nobody has the id of before, and everybody has one', () => {
  const rows = swapped(ratings, 1)
  assert.deepEqual(rows.slice(0, 2000), ratings.slice(0, 2000))
  for (const [i, row] of rows.slice(2000).entries()) {
    assert.notEqual(row.user, ratings[2000 + i]?.user)
    assert.notEqual(row.item, ratings[2000 + i]?.item)
  }
  assert.equal(new Set(rows.slice(2000).map(({ user }) => user)).size, 40)
})

test('the loops lie behind one another in time, with ids of their own', () => {
  const rows = loops(ratings, 1, 100)
  assert.equal(rows.length, 10 * 4000 + 100)
  assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length)
  for (const [i, row] of rows.entries()) assert.ok(i === 0 || Number(row.ts) >= Number(rows[i - 1]?.ts))
})
