import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError } from '../../../src/domain/errors.js'
import { MASK_COUNTED, MASK_JUDGED } from '../../../src/domain/example.js'
import type { LoadedState, StateArray } from '../../../src/domain/state.js'
import { ProgressiveValidation } from '../../../src/evaluate/progressive.js'
import { FLAG_COLD_ITEM, FLAG_COLD_USER, ITEM_BAND_SHIFT, USER_BAND_SHIFT } from '../../../src/features/columns.js'
import { Random } from '../../../src/std/random.js'
import { taskConfig } from './task-config.js'

const TASKS = [taskConfig('click', 'binary'), taskConfig('rating', 'ordinal')]

interface Row {
  values: [number, number]
  labels: [number, number]
  mask?: [number, number]
  flags?: number
  timeMs?: number
}

function recordRows(judged: ProgressiveValidation, rows: Row[]): void {
  judged.record(
    rows.length,
    new Float32Array(rows.flatMap(row => row.values)),
    new Float32Array(rows.flatMap(row => row.labels)),
    new Uint8Array(rows.flatMap(row => row.mask ?? [MASK_JUDGED, MASK_JUDGED])),
    new Uint8Array(rows.map(row => row.flags ?? 0)),
    new Float64Array(rows.map(row => row.timeMs ?? 0)),
  )
}

function find(judged: ProgressiveValidation, task: string, split: string) {
  const found = judged.totals().find(entry => entry.task === task && entry.split === split)
  assert.ok(found)
  return found
}

function drawnRows(random: Random, count: number): Row[] {
  return Array.from({ length: count }, () => ({
    values: [random.uniform(), 1 + 4 * random.uniform()],
    labels: [random.uniform() < 0.3 ? 1 : 0, random.integer(5) + 1],
    mask: [random.uniform() < 0.9 ? MASK_JUDGED : 0, random.uniform() < 0.2 ? MASK_JUDGED : 0],
    flags: random.integer(4) | (random.integer(6) << USER_BAND_SHIFT) | (random.integer(6) << ITEM_BAND_SHIFT),
    timeMs: random.integer(1000),
  }))
}

/** As a checkpoint would give it back. */
function reloaded(judged: ProgressiveValidation): LoadedState {
  const { meta, arrays } = judged.saveState()
  return { meta: JSON.parse(JSON.stringify(meta)), arrays: structuredClone(arrays) as Record<string, StateArray> }
}

test('a masked label does not count', () => {
  const judged = new ProgressiveValidation(TASKS)
  recordRows(judged, [
    { values: [0.2, 3], labels: [0, 5], mask: [MASK_JUDGED, MASK_COUNTED] },
    { values: [0.7, 4], labels: [1, 5], mask: [MASK_JUDGED, MASK_JUDGED] },
  ])
  assert.deepEqual(find(judged, 'rating', 'all'), {
    task: 'rating',
    split: 'all',
    count: 1,
    positives: 0,
    values: { rmse: 1, mae: 1, meanPrediction: 4, meanLabel: 5 },
  })
  assert.equal(find(judged, 'click', 'all').count, 2)
  assert.equal(find(judged, 'click', 'all').positives, 1)
})

test('only the first n rows are read', () => {
  const judged = new ProgressiveValidation(TASKS)
  judged.record(
    1,
    new Float32Array(8),
    new Float32Array(8),
    new Uint8Array(8).fill(MASK_JUDGED),
    new Uint8Array(4),
    new Float64Array(4),
  )
  assert.equal(find(judged, 'click', 'all').count, 1)
})

test("a cold user's cold item counts in both cold splits, once in all, and not in warm", () => {
  const judged = new ProgressiveValidation(TASKS)
  const row = (flags: number): Row => ({ values: [0.5, 3], labels: [1, 3], flags })
  recordRows(judged, [
    row(0),
    row(0),
    row(0),
    row(FLAG_COLD_USER),
    row(FLAG_COLD_ITEM),
    row(FLAG_COLD_USER | FLAG_COLD_ITEM),
  ])
  assert.deepEqual(
    judged.totals().map(({ task, split, count }) => [task, split, count]),
    ['click', 'rating'].flatMap(task => [
      [task, 'all', 6],
      [task, 'cold-user', 2],
      [task, 'cold-item', 2],
      [task, 'warm', 3],
    ]),
  )
})

test('a label counts once in the band of its user and once in that of its item', () => {
  const judged = new ProgressiveValidation(TASKS)
  judged.setStart(10)
  const row = (user: number, item: number, label: number, timeMs: number): Row => ({
    values: [0.5, 3],
    labels: [1, label],
    flags: FLAG_COLD_USER | (user << USER_BAND_SHIFT) | (item << ITEM_BAND_SHIFT),
    timeMs,
  })
  recordRows(judged, [row(0, 5, 3, 9), row(0, 5, 4, 10), row(2, 5, 5, 11)])
  const counted = judged.byExperience().filter(({ count }) => count > 0)
  assert.deepEqual(
    counted.map(({ task, side, events, count, values }) => [task, side, events, count, values.mae]),
    [
      ['click', 'user', '0', 1, undefined],
      ['click', 'user', '3–5', 1, undefined],
      ['click', 'item', 'more than 20', 2, undefined],
      ['rating', 'user', '0', 1, 1],
      ['rating', 'user', '3–5', 1, 2],
      ['rating', 'item', 'more than 20', 2, 1.5],
    ],
  )
})

test('totals leave out impressions before the start, the window does not', () => {
  const judged = new ProgressiveValidation(TASKS)
  judged.setStart(100)
  recordRows(judged, [
    { values: [0.5, 3], labels: [1, 3], timeMs: 99 },
    { values: [0.5, 3], labels: [1, 3], timeMs: 100 },
  ])
  assert.equal(find(judged, 'click', 'all').count, 1)
  assert.equal(judged.windowMetrics()[0]?.count, 2)
})

test('a closed window starts afresh and the totals go on', () => {
  const judged = new ProgressiveValidation(TASKS, { countFromMs: 0 })
  const random = new Random(3)
  recordRows(judged, drawnRows(random, 200))
  judged.closeWindow()
  assert.deepEqual(judged.windowMetrics(), [
    { task: 'click', split: 'all', count: 0, positives: 0, values: {} },
    { task: 'rating', split: 'all', count: 0, positives: 0, values: {} },
  ])
  const alone = new ProgressiveValidation(TASKS)
  const later = drawnRows(random, 100)
  recordRows(judged, later)
  recordRows(alone, later)
  assert.deepEqual(judged.windowMetrics(), alone.windowMetrics())
  assert.ok(find(judged, 'click', 'all').count > judged.windowMetrics()[0]!.count)
})

test('saved in the middle and loaded, it ends with the same figures and the same bytes', () => {
  const rows = drawnRows(new Random(5), 3000)
  const straight = new ProgressiveValidation(TASKS)
  const before = new ProgressiveValidation(TASKS)
  straight.setStart(300)
  before.setStart(300)
  recordRows(straight, rows.slice(0, 1000))
  straight.closeWindow()
  recordRows(straight, rows.slice(1000))
  recordRows(before, rows.slice(0, 1000))
  before.closeWindow()
  recordRows(before, rows.slice(1000, 1700))
  const after = new ProgressiveValidation(TASKS)
  after.loadState(reloaded(before))
  recordRows(after, rows.slice(1700))
  assert.deepEqual(after.totals(), straight.totals())
  assert.deepEqual(after.windowMetrics(), straight.windowMetrics())
  assert.deepEqual(after.byExperience(), straight.byExperience())
  assert.deepEqual(after.calibration(), straight.calibration())
  assert.deepEqual(after.saveState(), straight.saveState())
})

test('no start is saved as no start', () => {
  const judged = new ProgressiveValidation(TASKS)
  const after = new ProgressiveValidation(TASKS, { countFromMs: 50 })
  after.loadState(reloaded(judged))
  recordRows(after, [{ values: [0.5, 3], labels: [1, 3], timeMs: -5 }])
  assert.equal(find(after, 'click', 'all').count, 1)
})

test('state of other tasks is refused', () => {
  const other = new ProgressiveValidation([taskConfig('click', 'binary')])
  assert.throws(
    () => new ProgressiveValidation(TASKS).loadState(reloaded(other)),
    error => error instanceof MillraceError && error.code === 'CHECKPOINT_INCOMPATIBLE',
  )
})

test('only binary tasks have a calibration curve', () => {
  const judged = new ProgressiveValidation(TASKS)
  recordRows(judged, drawnRows(new Random(1), 500))
  const curves = judged.calibration()
  assert.deepEqual(
    curves.map(({ task }) => task),
    ['click'],
  )
  assert.equal(
    curves[0]?.points.reduce((sum, point) => sum + point.count, 0),
    find(judged, 'click', 'all').count,
  )
})
