import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { DuplicateFilter } from '../../../src/join/duplicates.js'
import { Hasher } from '../../../src/std/hash.js'

const hasher = new Hasher()
const filterOf = (duplicateWindow: number, duplicateCapacity: number) =>
  new DuplicateFilter({ duplicateWindow, duplicateCapacity }, hasher)

test('an event id is remembered for the window of event time, inclusive', () => {
  const filter = filterOf(100, 10)
  assert.equal(filter.isDuplicate('click', 'a', 1000), false)
  assert.equal(filter.isDuplicate('click', 'a', 1000), true)
  assert.equal(filter.isDuplicate('click', 'a', 1100), true)
  assert.equal(filter.isDuplicate('click', 'a', 1101), false)
  assert.deepEqual(filter.stats(), { remembered: 1, duplicates: 2, forgotten: 0 })
})

test('the same id of another kind is another event', () => {
  const filter = filterOf(100, 10)
  assert.equal(filter.isDuplicate('click', 'a', 1000), false)
  assert.equal(filter.isDuplicate('buy', 'a', 1000), false)
  assert.equal(filter.isDuplicate('buy', 'a', 1000), true)
})

test('beyond its capacity the oldest id is forgotten early and that is counted', () => {
  const filter = filterOf(1e9, 2)
  for (const id of ['a', 'b', 'c']) assert.equal(filter.isDuplicate('click', id, 0), false)
  assert.equal(filter.isDuplicate('click', 'c', 0), true)
  assert.equal(filter.isDuplicate('click', 'b', 0), true)
  assert.equal(filter.isDuplicate('click', 'a', 0), false)
  assert.deepEqual(filter.stats(), { remembered: 2, duplicates: 2, forgotten: 2 })
})

const record = fc.record({ id: fc.nat({ max: 30 }), stepMs: fc.nat({ max: 20 }), backMs: fc.nat({ max: 60 }) })

test('the filter behaves like a list of ids with the stream time at their arrival', () => {
  fc.assert(
    fc.property(
      fc.array(record, { maxLength: 200 }),
      fc.constantFrom(0, 40, 200),
      fc.constantFrom(1, 5, 100),
      (records, windowMs, capacity) => {
        const filter = filterOf(windowMs, capacity)
        let known: { id: number; sinceMs: number }[] = []
        let nowMs = 0
        let streamMs = 0
        for (const { id, stepMs, backMs } of records) {
          nowMs += stepMs
          const timeMs = Math.max(0, nowMs - backMs)
          streamMs = Math.max(streamMs, timeMs)
          known = known.filter(({ sinceMs }) => sinceMs + windowMs >= streamMs)
          const isKnown = known.some(other => other.id === id)
          assert.equal(filter.isDuplicate('buy', `${id}`, timeMs), isKnown)
          if (!isKnown) known.push({ id, sinceMs: streamMs })
          if (known.length > capacity) known.shift()
          assert.equal(filter.stats().remembered, known.length)
        }
      },
    ),
  )
})

test('a restored filter goes on, and saves, exactly like the saved one', () => {
  // Slow first, so that ids expire and the ring wraps; then many at one time, so that it grows.
  const feed = (filter: DuplicateFilter, first: number, end: number) => {
    const answers: boolean[] = []
    for (let n = first; n < end; n++) {
      answers.push(filter.isDuplicate('click', `${(n * n) % 3001}`, Math.min(n, 1500) * 10))
    }
    return answers
  }
  const first = filterOf(5000, 4000)
  feed(first, 0, 5000)
  const state = first.saveState()
  const { keys, times } = state.arrays as { keys: Uint32Array; times: Float64Array }
  assert.ok(
    times.every((timeMs, index) => index === 0 || timeMs >= (times[index - 1] ?? 0)),
    'oldest first',
  )
  const second = filterOf(5000, 4000)
  second.loadState({ meta: JSON.parse(JSON.stringify(state.meta)), arrays: { keys, times } })
  assert.deepEqual(second.saveState(), state)
  assert.deepEqual(feed(second, 5000, 9000), feed(first, 5000, 9000))
  assert.deepEqual(second.saveState(), first.saveState())
})
