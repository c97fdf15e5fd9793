import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TopN } from '../../../src/recommend/top-n.kernel.js'

test('the n best come best first, of equals the lower number, whatever the order of the offers', () => {
  const top = new TopN()
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 }),
      fc.integer({ min: 0, max: 12 }),
      (scores, n) => {
        const all = scores.map((score, item) => ({ item, score }))
        const expected = all.toSorted((a, b) => b.score - a.score || a.item - b.item).slice(0, n)
        for (const offered of [all, all.toReversed()]) {
          top.begin(n)
          for (const { item, score } of offered) top.offer(item, score)
          top.finish()
          assert.deepEqual(
            Array.from(top.items.subarray(0, top.size)),
            expected.map(({ item }) => item),
          )
        }
      },
    ),
  )
})
