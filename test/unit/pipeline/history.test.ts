import assert from 'node:assert/strict'
import { test } from 'node:test'
import { History } from '../../../src/pipeline/history.js'
import type { MetricsAnswer } from '../../../src/pipeline/learner.js'

const answer = (step: number): MetricsAnswer => ({
  step,
  window: [],
  totals: [],
  byExperience: [],
  loss: 1 / (step + 1),
  taskWeights: [1, 2],
  deepRestarts: 0,
  tables: {} as MetricsAnswer['tables'],
})

function fill(history: History, from: number, to: number): void {
  for (let step = from; step < to; step++) history.add(answer(step), step * 10, step * 1000)
}

test('a short history has every point as it came', () => {
  const history = new History()
  fill(history, 0, 3)
  assert.deepEqual(history.points[2], {
    records: 20,
    eventTimeMs: 2000,
    step: 2,
    loss: 1 / 3,
    taskWeights: [1, 2],
    tasks: [],
  })
  assert.equal(history.points.length, 3)
})

test('a long history stays bounded, evenly spaced, and keeps its beginning', () => {
  const history = new History()
  fill(history, 0, 100_000)
  const steps = history.points.map(point => point.step)
  assert.ok(steps.length >= 256 && steps.length < 512, `${steps.length} points`)
  const [first, second = 0] = steps
  assert.equal(first, 0)
  assert.deepEqual(
    steps,
    Array.from(steps, (_, index) => index * second),
  )
  assert.ok((steps.at(-1) ?? 0) > 100_000 - 2 * second)
})

test('a history that is saved and loaded anywhere goes on as if it had not been', () => {
  for (const at of [0, 1, 511, 512, 513, 1023, 1024, 5000]) {
    const whole = new History()
    fill(whole, 0, 6000)
    const before = new History()
    fill(before, 0, at)
    const after = new History()
    after.fromJson(JSON.parse(JSON.stringify(before.toJson())))
    fill(after, at, 6000)
    assert.deepEqual(JSON.stringify(after.toJson()), JSON.stringify(whole.toJson()), `saved at ${at}`)
  }
})

test('challengers have points of their own, which are saved apart, and come back for those who still learn', () => {
  const challenger = (hash: string, step: number | undefined) =>
    ({ name: hash, hash, figures: step === undefined ? undefined : answer(step) }) as unknown as NonNullable<
      MetricsAnswer['challengers']
    >[number]
  const history = new History()
  for (let step = 0; step < 3; step++) {
    const challengers = [challenger('a', step + 10), challenger('b', step < 2 ? step + 20 : undefined)]
    history.add({ ...answer(step), challengers }, step * 10, step * 1000)
  }
  const stepsOf = (of: History, hash: string) => of.challengers.get(hash)?.points.map(({ step }) => step)
  assert.deepEqual(stepsOf(history, 'a'), [10, 11, 12])
  assert.deepEqual(stepsOf(history, 'b'), [20, 21])
  const alone = new History()
  fill(alone, 0, 3)
  assert.deepEqual(history.toJson(), alone.toJson())

  const again = new History()
  again.challengersFromJson(JSON.parse(JSON.stringify(history.challengersToJson())), new Set(['a', 'c']))
  assert.deepEqual([...again.challengers.keys()], ['a'])
  again.add({ ...answer(3), challengers: [challenger('a', 13)] }, 30, 3000)
  assert.deepEqual(stepsOf(again, 'a'), [10, 11, 12, 13])
})
