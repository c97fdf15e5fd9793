import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runInSlices, runThrough } from '../../../src/std/slices.js'

/** Work of so many parts of 1 ms, on a clock that it moves. */
function workFor(parts: number, othersMs: number) {
  let nowMs = 0
  const slices: number[] = []
  let inSlice = 0
  function* work(): Generator<void, string> {
    for (let part = 0; part < parts; part++) {
      nowMs++
      inSlice++
      yield
    }
    return 'done'
  }
  const pause = async () => {
    slices.push(inSlice)
    inSlice = 0
    nowMs += othersMs
  }
  return { work: work(), slices, options: { nowMs: () => nowMs, pause } }
}

test('work is done in slices of the time given, with others in between', async () => {
  const { work, slices, options } = workFor(9, 0)
  assert.equal(await runInSlices(work, { ...options, sliceMs: 2, share: 0 }), 'done')
  assert.deepEqual(slices, [2, 2, 2, 2])
})

test('where others take long, slices are longer by a share of that', async () => {
  const { work, slices, options } = workFor(30, 50)
  await runInSlices(work, { ...options, sliceMs: 2, share: 0.2 })
  assert.deepEqual(slices, [2, 10, 10])
})

test('run through, it comes to the same', () => {
  assert.equal(runThrough(workFor(5, 0).work), 'done')
})
