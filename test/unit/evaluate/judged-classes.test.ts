/** Categorical tasks in progressive validation. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MASK_COUNTED, MASK_JUDGED } from '../../../src/domain/example.js'
import { labelOfClass } from '../../../src/domain/heads.js'
import type { LoadedState, StateArray } from '../../../src/domain/state.js'
import { ProgressiveValidation } from '../../../src/evaluate/progressive.js'
import { FLAG_COLD_USER } from '../../../src/features/columns.js'
import { Random } from '../../../src/std/random.js'
import { taskConfig } from './task-config.js'

const CLASSES = ['bad', 'fair', 'good']
const { label, ...mood } = taskConfig('mood', 'categorical')
const TASKS = [taskConfig('click', 'binary'), { ...mood, label: { ...label, classes: CLASSES, of: ['good'] } }]

interface Row {
  said: [number, number, number]
  came: number
  mask?: number
  flags?: number
  timeMs?: number
}

function recordRows(judged: ProgressiveValidation, rows: readonly Row[], withClasses = true): void {
  judged.record(
    rows.length,
    Float32Array.from(rows.flatMap(({ said }) => [0.5, said[2]])),
    Float32Array.from(rows.flatMap(({ came }) => [0, labelOfClass(came, came === 2)])),
    Uint8Array.from(rows.flatMap(({ mask }) => [0, mask ?? MASK_JUDGED])),
    Uint8Array.from(rows, ({ flags }) => flags ?? 0),
    Float64Array.from(rows, ({ timeMs }) => timeMs ?? 0),
    withClasses ? Float32Array.from(rows.flatMap(({ said }) => said)) : undefined,
  )
}

const moodOf = (judged: ProgressiveValidation, split = 'all') =>
  judged.totals().find(line => line.task === 'mood' && line.split === split)!

function near(actual: number | undefined, expected: number): void {
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-6, `${actual}, ${expected}`)
}

test('a class is judged by what was said of it, and the baseline by what came before', () => {
  const judged = new ProgressiveValidation(TASKS)
  recordRows(judged, [
    { said: [0.5, 0.25, 0.25], came: 0 },
    { said: [0.5, 0.25, 0.25], came: 1 },
    { said: [0.125, 0.125, 0.75], came: 2, mask: MASK_COUNTED },
    { said: [0.125, 0.125, 0.75], came: 1 },
  ])
  const { count, positives, values } = moodOf(judged)
  assert.deepEqual([count, positives], [3, 0])
  near(values.crossEntropy, (Math.log(2) + Math.log(4) + Math.log(8)) / 3)
  near(values.classAccuracy, 1 / 3)
  // It begins with one of each; of equal ones the first is the most frequent.
  near(values.majorityCrossEntropy, (Math.log(3) + Math.log(4) + Math.log(5 / 2)) / 3)
  near(values.majorityAccuracy, 1 / 3)
  assert.deepEqual(judged.confusion(), [
    {
      task: 'mood',
      classes: CLASSES,
      counts: [
        [1, 0, 0],
        [1, 0, 1],
        [0, 0, 0],
      ],
    },
  ])
})

test('totals begin where they are told to, the baseline with the first label', () => {
  const judged = new ProgressiveValidation(TASKS)
  judged.setStart(10)
  recordRows(judged, [
    { said: [0.5, 0.25, 0.25], came: 1, timeMs: 9 },
    { said: [0.25, 0.5, 0.25], came: 1, timeMs: 10, flags: FLAG_COLD_USER },
  ])
  near(moodOf(judged).values.crossEntropy, Math.log(2))
  near(moodOf(judged).values.majorityCrossEntropy, Math.log(2))
  near(moodOf(judged, 'cold-user').values.classAccuracy, 1)
  assert.equal('classAccuracy' in moodOf(judged, 'warm').values, false)
  near(judged.windowMetrics()[1]?.values.crossEntropy, (Math.log(4) + Math.log(2)) / 2)
  judged.closeWindow()
  assert.deepEqual(judged.windowMetrics()[1]?.values, {})
})

test('saved in the middle and loaded, classes end with the same figures and the same bytes', () => {
  const random = new Random(5)
  const rows = Array.from({ length: 600 }, (): Row => {
    const [a, b, c] = [random.uniform(), random.uniform(), random.uniform()]
    const said: Row['said'] = [a / (a + b + c), b / (a + b + c), c / (a + b + c)]
    return { said, came: random.integer(3), flags: random.integer(4), timeMs: random.integer(100) }
  })
  const straight = new ProgressiveValidation(TASKS)
  recordRows(straight, rows)
  const before = new ProgressiveValidation(TASKS)
  recordRows(before, rows.slice(0, 250))
  const { meta, arrays } = before.saveState()
  const after = new ProgressiveValidation(TASKS)
  after.loadState({
    meta: JSON.parse(JSON.stringify(meta)),
    arrays: arrays as Record<string, StateArray>,
  } as LoadedState)
  recordRows(after, rows.slice(250))
  assert.deepEqual(after.totals(), straight.totals())
  assert.deepEqual(after.confusion(), straight.confusion())
  assert.deepEqual(after.saveState(), straight.saveState())
})

test('figures of a program that did not judge classes are refused', () => {
  const { meta, arrays } = new ProgressiveValidation(TASKS).saveState()
  const older = { heads: ['click:binary', 'mood:binary'], countFromMs: (meta as { countFromMs: null }).countFromMs }
  assert.throws(() => new ProgressiveValidation(TASKS).loadState({ meta: older, arrays } as LoadedState), {
    code: 'CHECKPOINT_INCOMPATIBLE',
  })
})

test('where nothing is said of classes, the task has the figures of what is asked for alone', () => {
  const judged = new ProgressiveValidation(TASKS)
  recordRows(judged, [{ said: [0.25, 0.25, 0.5], came: 2 }], false)
  const { count, positives, values } = moodOf(judged)
  assert.deepEqual([count, positives], [1, 1])
  near(values.logLoss, Math.log(2))
  assert.equal('crossEntropy' in values, false)
})
