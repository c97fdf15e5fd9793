/** The parts of the page that need no browser. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { curveTasks, figureSpec, taskCurve } from '../../../../src/serve/dashboard/page/curves.js'
import {
  bytes,
  clock,
  compact,
  day,
  figure,
  grouped,
  percent,
  span,
} from '../../../../src/serve/dashboard/page/format.js'
import { changed } from '../../../../src/serve/dashboard/page/state.js'
import { telemetryFixture, windowFixture } from '../../../helpers/dashboard-fixture.js'

test('numbers are written for people', () => {
  assert.deepEqual([0, 999, 1234567].map(grouped), ['0', '999', '1,234,567'])
  assert.deepEqual([1.5, 9999, 45_230, 3_400_000].map(compact), ['1.5', '9999', '45.2k', '3.4M'])
  assert.deepEqual([0, 0.00123, 0.5, 1].map(percent), ['0 %', '0.12 %', '50 %', '100 %'])
  assert.deepEqual([0.25, 4, 600, 86_400 * 30].map(span), ['250 ms', '4 s', '10 min', '30 days'])
  assert.deepEqual([13_800_000, 2400].map(bytes), ['13.8 MB', '2.4 kB'])
  assert.deepEqual([0.68234, 0.0001234, 123.456, undefined].map(figure), ['0.6823', '0.00012', '123.5', '–'])
  const atMs = Date.UTC(2026, 4, 1, 9, 5)
  assert.equal(`${day(atMs)} ${clock(atMs)}`, '1 May 2026 09:05')
})

test('a change is put into what was known, which stays as it was', () => {
  const status = telemetryFixture().status()
  const next = changed(status, 'window', windowFixture(30))
  assert.equal(next?.windows.length, 31)
  assert.equal(status.windows.length, 30)
  assert.equal(
    changed(undefined, 'window', windowFixture(0)),
    undefined,
    'without a beginning there is nothing to change',
  )
  let many = changed(undefined, 'status', status)
  for (let n = 0; n < 5000; n++)
    many = changed(many, 'pace', { at: n, eventsPerSecond: 1, lag: null, freshnessSeconds: null })
  assert.ok((many?.pace.length ?? 0) <= 600)
  assert.equal(many?.pace.at(-1)?.at, 4999)
})

test('a curve is smoothed by labels, and a window that hardly had one is left out', () => {
  const status = telemetryFixture().status()
  const [click] = curveTasks(status)
  assert.ok(click)
  const tiny = {
    ...windowFixture(30),
    tasks: [{ task: 'click', count: 5, positives: 1, values: { auc: 1 }, baseline: { auc: 0.5 } }],
  }
  const curve = taskCurve({ ...status, windows: [...status.windows, tiny] }, click, figureSpec(click, 'ranking'))
  const [records = [], raw = [], smooth = [], baseline = []] = curve.columns
  assert.equal(records.length, 31)
  assert.equal(raw.at(-1), null)
  assert.ok(Math.abs((smooth.at(-1) ?? 0) - (smooth.at(-2) ?? 0)) < 0.01)
  assert.equal(baseline.at(-1), 0.5)
  assert.ok((curve.last ?? 0) > 0.68 && (curve.last ?? 0) < 0.76)
})

test('the next item has a curve where it is judged, beside the popularity of items', () => {
  const status = telemetryFixture().status()
  const line = (task: string, recallAt10: number) => ({
    task,
    count: 9,
    positives: 3,
    values: { recallAt10 },
    baseline: {},
  })
  const windows = status.windows.map(point => ({
    ...point,
    tasks: [...point.tasks, line('next-item', 0.2), line('next-item.popularity', 0.1)],
  }))
  const tasks = curveTasks({ ...status, windows })
  assert.deepEqual(
    tasks.map(({ name }) => name),
    ['click', 'buy', 'rating', 'next-item'],
  )
  const [next] = tasks.slice(-1)
  assert.ok(next)
  const curve = taskCurve({ ...status, windows }, next, figureSpec(next, 'ranking'))
  assert.equal(curve.last?.toFixed(3), '0.200')
  assert.equal(curve.baseline?.toFixed(3), '0.100')
})
