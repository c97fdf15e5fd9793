import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PLATT_SIZE, Platt } from '../../../../src/evaluate/calibration/platt.js'
import { Random } from '../../../../src/std/random.js'

/** Clicks whose true probability is p; a model that says something else. */
function figures(say: (logit: number, n: number) => number, n: number, from = n / 4) {
  const random = new Random(5)
  const platt = new Platt(new Float64Array(PLATT_SIZE))
  const sums = { before: 0, after: 0, truth: 0 }
  for (let i = 0; i < n; i++) {
    const logit = -3 + random.normal()
    const label = random.uniform() < 1 / (1 + Math.exp(-logit)) ? 1 : 0
    const said = 1 / (1 + Math.exp(-say(logit, i)))
    if (i >= from) {
      sums.before += said
      sums.after += platt.apply(said)
      sums.truth += label
    }
    platt.learn(said, label)
  }
  return { before: sums.before / sums.truth, after: sums.after / sums.truth }
}

test('scores that promise too much are calibrated by what came of earlier ones', () => {
  const { before, after } = figures(logit => 0.6 * logit + 0.5, 20_000)
  assert.ok(before > 3 && Math.abs(after - 1) < 0.07, `${before} → ${after}`)
})

test('scores that are right stay right', () => {
  const { before, after } = figures(logit => logit, 20_000)
  assert.ok(Math.abs(after - before) < 0.07, `${before} → ${after}`)
})

test('it follows a model that changes', () => {
  const { before, after } = figures((logit, i) => logit + (i < 10_000 ? -1 : 1), 20_000, 15_000)
  assert.ok(before > 2 && after < 1.3, `${before} → ${after}`)
})

test('certain scores stay finite', () => {
  const platt = new Platt(new Float64Array(PLATT_SIZE))
  for (const [said, label] of [
    [1, 0],
    [0, 1],
    [1, 1],
  ] as const) {
    platt.learn(said, label)
    assert.ok(Number.isFinite(platt.apply(said)))
  }
})
