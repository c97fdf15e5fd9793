import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Log, silentLog } from '../../../src/observe/log.js'
import { createPace, createProgress } from '../../../src/observe/progress.js'

function lines() {
  const said: unknown[] = []
  const log: Log = { ...silentLog, info: (details, message) => said.push([message, details]) }
  let nowMs = 5000
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }
  const progress = createProgress('learning', false, log, clock)
  return {
    said,
    at(ms: number, done: number, share?: number) {
      nowMs = 5000 + ms
      progress.update(done, share)
    },
  }
}

test('without a terminal a line comes every ten seconds, however often there is news', () => {
  const { said, at } = lines()
  for (let ms = 0; ms <= 25_000; ms += 100) at(ms, ms / 10, ms / 50_000)
  assert.deepEqual(said, [
    ['learning', { records: 1000, recordsPerSecond: 100, percent: 20 }],
    ['learning', { records: 2000, recordsPerSecond: 100, percent: 40 }],
  ])
})

test('work of unknown length has no percentage', () => {
  const { said, at } = lines()
  at(0, 0)
  at(10_000, 5000)
  assert.deepEqual(said, [['learning', { records: 5000, recordsPerSecond: 500 }]])
})

test('the speed of a resumed run is its own, not that of the runs before it', () => {
  const pace = createPace()
  assert.deepEqual(pace(900_000, 0.9, 1000), { perSecond: 0, secondsLeft: undefined })
  assert.deepEqual(pace(910_000, 0.91, 2000), { perSecond: 10_000, secondsLeft: 9 })
  assert.deepEqual(pace(1_000_000, 1, 11_000), { perSecond: 10_000, secondsLeft: 0 })
})
