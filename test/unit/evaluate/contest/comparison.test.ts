/** How often one of two equals is called better, and how soon one that is; on seeded streams. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskConfig } from '../../../../src/config/schema.js'
import { MASK_JUDGED } from '../../../../src/domain/example.js'
import { Comparison } from '../../../../src/evaluate/contest/comparison.js'
import { PairTest } from '../../../../src/evaluate/contest/pair-test.kernel.js'
import { BLOCK } from '../../../../src/evaluate/gate/rise-test.kernel.js'
import { Random } from '../../../../src/std/random.js'
import { taskConfig } from '../task-config.js'

const tasks: TaskConfig[] = [
  taskConfig('click', 'binary'),
  taskConfig('buy', 'binary'),
  { ...taskConfig('rating', 'regression'), range: [1, 5] },
]
const STEP = 256
const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

/** Labels of a click in eight, a buy in fifty and a rating; both predict with noise of their own on the logits. */
function feed(comparison: Comparison, random: Random, steps: number, noise: { answering: number; own: number }): void {
  for (let step = 0; step < steps; step++) {
    const [answering, own, labels] = [0, 1, 2].map(() => new Float32Array(STEP * 3))
    if (answering === undefined || own === undefined || labels === undefined) return
    for (let at = 0; at < STEP * 3; at++) {
      const t = at % 3
      const logit = ([-2, -4, 0][t] ?? 0) + random.normal()
      const said = (by: number) => logit + by * random.normal()
      const value = (x: number) => (t === 2 ? Math.min(5, Math.max(1, 3 + x)) : sigmoid(x))
      labels[at] = t === 2 ? value(said(1)) : random.uniform() < sigmoid(logit) ? 1 : 0
      answering[at] = value(said(noise.answering))
      own[at] = value(said(noise.own))
    }
    comparison.record(STEP, answering, own, labels, new Uint8Array(STEP * 3).fill(MASK_JUDGED))
  }
}

const rules = { falseAlarms: 0.001, minLabels: 5000 }

test('a test of equals says better or worse no more often than it may, at any time', () => {
  const [threshold, blocks, runs] = [40, 20, 400]
  let wrong = 0
  for (let run = 0; run < runs; run++) {
    const random = new Random(run)
    const pair = new PairTest(threshold)
    let isWrong = false
    for (let label = 0; label < blocks * BLOCK; label++) {
      // Mostly a little, seldom a lot the other way: the mean is 0.
      pair.add(random.uniform() < 0.1 ? -0.9 : 0.1)
      isWrong ||= pair.verdict === 1
    }
    if (isWrong) wrong++
  }
  assert.ok(wrong / runs <= blocks / threshold, `${wrong} of ${runs}`)
})

test('a challenger that is as good is called neither better nor worse in a million labels', () => {
  for (const seed of [1, 2, 3]) {
    const comparison = new Comparison(tasks, rules, 2)
    const random = new Random(seed)
    for (let part = 0; part < 26; part++) {
      feed(comparison, random, 50, { answering: 0.3, own: 0.3 })
      const { verdict, tasks: each } = comparison.standing()
      assert.deepEqual([verdict, ...each.map(one => one.verdict)], ['open', 'open', 'open', 'open'])
    }
  }
})

test('a better one is found, the other way round it is found worse, and its difference says by how much', () => {
  const better = new Comparison(tasks, rules, 2)
  feed(better, new Random(4), 400, { answering: 1, own: 0.3 })
  const found = better.standing()
  assert.equal(found.verdict, 'better')
  assert.ok((found.difference ?? 0) < -0.02)
  assert.equal(found.passed, 5000)
  assert.ok(found.tasks.every(({ verdict, difference }) => verdict !== 'worse' && (difference ?? 0) < 0))

  const worse = new Comparison(tasks, rules, 2)
  feed(worse, new Random(4), 400, { answering: 0.3, own: 1 })
  assert.equal(worse.standing().verdict, 'worse')
})

test('what was worse at first is forgotten: it can still come out ahead, and a verdict lapses when the reason is gone', () => {
  const comparison = new Comparison(tasks, rules, 1)
  const random = new Random(5)
  feed(comparison, random, 300, { answering: 0.3, own: 1.5 })
  assert.equal(comparison.standing().verdict, 'worse')
  feed(comparison, random, 600, { answering: 1, own: 0.3 })
  assert.equal(comparison.standing().verdict, 'better')
})

test('saved and loaded in the middle it comes to the same', () => {
  const whole = new Comparison(tasks, rules, 1)
  const first = new Comparison(tasks, rules, 1)
  const noise = { answering: 0.8, own: 0.4 }
  feed(whole, new Random(6), 60, noise)
  feed(first, new Random(6), 60, noise)
  const second = new Comparison(tasks, rules, 1)
  second.fromJson(JSON.parse(JSON.stringify(first.toJson())))
  feed(whole, new Random(7), 60, noise)
  feed(second, new Random(7), 60, noise)
  assert.deepEqual(second.toJson(), whole.toJson())
})

test('a score that is no number counts as bad, not as none', () => {
  const comparison = new Comparison(tasks, { ...rules, minLabels: 0 }, 1)
  const mask = new Uint8Array(STEP * 3).fill(MASK_JUDGED)
  const values = new Float32Array(STEP * 3).fill(0.5)
  for (let step = 0; step < 40; step++)
    comparison.record(STEP, values, new Float32Array(STEP * 3).fill(Number.NaN), values, mask)
  assert.equal(comparison.standing().verdict, 'worse')
})
