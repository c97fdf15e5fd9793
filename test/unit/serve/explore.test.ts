import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError } from '../../../src/domain/errors.js'
import { explorePage } from '../../../src/serve/explore.js'

const ITEMS = ['a', 'b', 'c', 'd', 'e', 'f']

function drawn(page: string, share = 1, places?: number) {
  const items = [...ITEMS]
  return { explored: explorePage(items, { page, share, places }), items: items.join('') }
}

test('a page that is explored has its items in another order, the same whenever it is asked for', () => {
  const { explored, items } = drawn('p-1')
  assert.deepEqual(explored, { places: 6, propensity: 1 / 6 })
  assert.equal([...items].sort().join(''), ITEMS.join(''))
  assert.deepEqual(drawn('p-1'), drawn('p-1'))
  const orders = new Set(Array.from({ length: 50 }, (_, page) => drawn(`p-${page}`).items))
  assert.ok(orders.size > 40, `${orders.size} orders of 50 pages`)
})

test('each item stands in each place with the probability that is said', () => {
  const pages = 6000
  const counts = new Map<string, number>()
  for (let page = 0; page < pages; page++) {
    const { items } = drawn(`page ${page}`)
    for (const [place, item] of [...items].entries())
      counts.set(`${item}${place}`, (counts.get(`${item}${place}`) ?? 0) + 1)
  }
  assert.equal(counts.size, 36)
  const expected = pages / 6
  const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
  // 25 degrees of freedom: 99.9 % are below 52.6.
  assert.ok(chiSquare < 52.6, `chi-square ${chiSquare}`)
})

test('the share that is asked for is explored, the other pages are left as they are', () => {
  const pages = Array.from({ length: 4000 }, (_, page) => drawn(`${page}`, 0.1))
  const explored = pages.filter(page => page.explored !== undefined)
  assert.ok(Math.abs(explored.length - 400) < 4 * Math.sqrt(360), `${explored.length} of 4000`)
  for (const page of pages) if (page.explored === undefined) assert.equal(page.items, 'abcdef')
  assert.equal(drawn('p-1', 0).explored, undefined)
})

test('only the items on the page change places', () => {
  for (let page = 0; page < 30; page++) {
    const { explored, items } = drawn(`${page}`, 1, 3)
    assert.deepEqual(explored, { places: 3, propensity: 1 / 3 })
    assert.equal([...items.slice(0, 3)].sort().join('') + items.slice(3), 'abcdef')
  }
  assert.deepEqual(drawn('p', 1, 100).explored, { places: 6, propensity: 1 / 6 })
})

test('a page of one item has no order to draw', () => {
  assert.equal(drawn('p', 1, 1).explored, undefined)
  assert.equal(explorePage([], { page: 'p', share: 1 }), undefined)
})

test('a share that is none is refused', () => {
  for (const share of [-0.1, 1.1, Number.NaN])
    assert.throws(
      () => drawn('p', share),
      (error: unknown) => error instanceof MillraceError && error.code === 'REQUEST_INVALID',
    )
})
