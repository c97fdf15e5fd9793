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

test('a label of 0 that is taken back leaves about what a label of 1 leaves', () => {
  const [atOnce, late] = [new Float64Array(PLATT_SIZE), new Float64Array(PLATT_SIZE)]
  const [one, other] = [new Platt(atOnce), new Platt(late)]
  const random = new Random(8)
  for (let i = 0; i < 5000; i++) {
    const said = 1 / (1 + Math.exp(3 - random.normal()))
    const label = random.uniform() < said ? 1 : 0
    one.learn(said, label)
    other.learn(said, 0)
    if (label === 1) other.takeBack(said)
  }
  for (const said of [0.01, 0.05, 0.2]) {
    const [expected, actual] = [one.apply(said), other.apply(said)]
    assert.ok(Math.abs(actual / expected - 1) < 0.05, `${said}: ${actual}, not ${expected}`)
  }
})
