import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TimeHeap } from '../../../src/std/time-heap.js'

test('values come out in order of time, equal times in order of arrival, also when pushes and pops alternate', () => {
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: 0, max: 20 }), { freq: 3 }), { maxLength: 600 }), steps => {
      const heap = new TimeHeap<{ time: number; order: number }>()
      let model: { time: number; order: number }[] = []
      steps.forEach((time, order) => {
        if (time !== null) {
          heap.push(time, { time, order })
          model.push({ time, order })
          return
        }
        model = model.sort((a, b) => a.time - b.time || a.order - b.order)
        assert.equal(heap.peekTime(), model[0]?.time ?? Number.POSITIVE_INFINITY)
        assert.deepEqual(heap.pop(), model.shift())
      })
      assert.equal(heap.size, model.length)
    }),
  )
})

test('it grows beyond its first size', () => {
  const heap = new TimeHeap<{ n: number }>()
  for (let n = 0; n < 5000; n++) heap.push((n * 7919) % 5000, { n })
  let last = -1
  for (let value = heap.pop(); value !== undefined; value = heap.pop()) {
    const time = (value.n * 7919) % 5000
    assert.ok(time > last)
    last = time
  }
  assert.equal(last, 4999)
})
