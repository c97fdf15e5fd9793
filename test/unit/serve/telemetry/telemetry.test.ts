import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LabelSpread } from '../../../../src/serve/telemetry/label-spread.js'
import { type Change, type Reading, Telemetry } from '../../../../src/serve/telemetry/telemetry.js'
import { Thinned } from '../../../../src/serve/telemetry/thinned.js'
import { mergeWindows, taskWindow } from '../../../../src/serve/telemetry/windows.js'
import { aboutFixture, windowFixture } from '../../../helpers/dashboard-fixture.js'

function telemetryAt() {
  let nowMs = 1000
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }
  const wait = (ms: number) => {
    nowMs += ms
  }
  return { telemetry: new Telemetry(aboutFixture(), clock), wait }
}

test('a thinned series stays within its bound and leaves nothing out', () => {
  const series = new Thinned<number[]>(8, (a, b) => [...a, ...b])
  for (let value = 0; value < 1000; value++) {
    series.add([value])
    assert.ok(series.points.length <= 8)
  }
  assert.deepEqual(
    series.points.flat(),
    Array.from({ length: 1000 }, (_, value) => value),
  )
  const sizes = new Set(series.points.slice(0, -1).map(point => point.length))
  assert.equal(sizes.size, 1, 'all points but the last cover equally much')
})

test('two windows merge to the mean of their figures, weighted by positives', () => {
  const window = (auc: number, positives: number) => ({
    ...windowFixture(1),
    tasks: [{ task: 'click', count: 100, positives, values: { auc }, baseline: { auc: 0.5 } }],
  })
  const [merged] = mergeWindows(window(0.6, 10), window(0.9, 20)).tasks
  assert.deepEqual(merged, { task: 'click', count: 200, positives: 30, values: { auc: 0.8 }, baseline: { auc: 0.5 } })
})

test('the baseline is a constant: the rate of the window, or the mean of its labels', () => {
  const click = {
    task: 'click',
    split: 'all',
    count: 9,
    positives: 3,
    values: { auc: 0.7, logLoss: 0.45, normalisedEntropy: 0.9 },
  } as const
  assert.deepEqual(taskWindow(click, undefined).baseline, { auc: 0.5, logLoss: 0.5 })
  const rating = { task: 'rating', split: 'all', count: 9, positives: 0, values: { rmse: 0.8, mae: 0.6 } } as const
  assert.deepEqual(taskWindow(rating, 1.25).baseline, { rmse: 1.25 })
})

test('labels of numeric tasks spread by their standard deviation, window by window', () => {
  const spread = new LabelSpread(['click', 'stars'], index => index === 1)
  spread.add(Float32Array.of(1, 2, 0, 4, 1, 100), Uint8Array.of(1, 1, 1, 1, 1, 0))
  assert.deepEqual([...spread.take()], [['stars', 1]])
  spread.add(Float32Array.of(0, 3), Uint8Array.of(0, 1))
  assert.deepEqual([...spread.take()], [], 'one label spreads nowhere')
})

test('a sample that says nothing new is not told', () => {
  const { telemetry, wait } = telemetryAt()
  const told: Change[] = []
  const reading: Reading = { records: 0 }
  telemetry.read(() => reading)
  telemetry.listen(change => told.push(change))
  telemetry.sample()
  assert.deepEqual(
    told.map(({ kind }) => kind),
    ['now', 'pace'],
  )
  wait(500)
  telemetry.sample()
  assert.equal(told.length, 2)
})

test('the rate is of the last samples, and what a checkpoint brought back is no speed', () => {
  const { telemetry, wait } = telemetryAt()
  const reading: Reading = { records: 0 }
  telemetry.read(() => reading)
  telemetry.sample()
  reading.records = 1_000_000
  wait(500)
  telemetry.sample()
  assert.equal(telemetry.now.eventsPerSecond, 0)
  for (let i = 0; i < 8; i++) {
    reading.records += 700
    wait(500)
    telemetry.sample()
  }
  assert.equal(telemetry.now.eventsPerSecond, 1400)
})

test('who was away is told what was missed, or that it is too much', () => {
  const { telemetry } = telemetryAt()
  const { id } = telemetry.status()
  telemetry.window(windowFixture(0))
  telemetry.calibration([])
  assert.deepEqual(
    telemetry.since(id)?.map(({ kind }) => kind),
    ['window', 'calibration'],
  )
  assert.deepEqual(telemetry.since(telemetry.status().id), [])
  for (let n = 0; n < 600; n++) telemetry.window(windowFixture(n))
  assert.equal(telemetry.since(id), undefined)
  assert.equal(telemetry.since(telemetry.status().id + 5), undefined)
})

test('the status stays small however long the run', () => {
  const { telemetry, wait } = telemetryAt()
  let records = 0
  telemetry.read(() => ({ records }))
  for (let n = 0; n < 5000; n++) {
    records += 1000
    wait(500)
    telemetry.sample()
    telemetry.window(windowFixture(n))
    const at = { records, eventTime: n, task: 'click' }
    telemetry.alarm({ ...at, detector: 'adwin', lossBefore: 1, lossNow: 2 })
    telemetry.snapshot({
      version: n,
      kind: 'full',
      eventTime: n,
      records,
      bytes: 1,
      rows: 1,
      metrics: {},
      verdict: 'published',
      reason: '',
    })
  }
  assert.ok(JSON.stringify(telemetry.status()).length < 250_000)
})
