import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bpr } from '../../../src/recommend/bpr.kernel.js'
import { Random } from '../../../src/std/random.js'

const DIM = 16

/** The vectors that a model of this seed begins with, by the same draws. */
function starts(random: Random): Float32Array {
  return Float32Array.from({ length: DIM }, () => 0.1 * random.normal())
}

test('one step by hand: the gradient of log σ of the difference, rate .1, decay .01', () => {
  const bpr = new Bpr(4)
  const random = new Random(4)
  bpr.startUser(0)
  for (const item of [0, 1]) bpr.startItem(item)
  const [p, q, r] = [starts(random), starts(random), starts(random)] as const
  // The draws that make a step: of two items, the other one.
  let steps = 0
  for (let draw = 0; draw < 8; draw++) if (random.integer(2) === 1) steps++
  assert.ok(steps > 0)
  const bias = [0, 0]
  const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, x, c) => sum + x * (b[c] ?? 0), 0)
  for (let step = 0; step < steps; step++) {
    const g = 1 / (1 + Math.exp(bias[0]! + dot(p, q) - bias[1]! - dot(p, r)))
    for (let c = 0; c < DIM; c++) {
      const [own, won, lost] = [p[c]!, q[c]!, r[c]!]
      p[c] = own + 0.1 * (g * (won - lost) - 0.01 * own)
      q[c] = won + 0.1 * (g * own - 0.01 * won)
      r[c] = lost + 0.1 * (-g * own - 0.01 * lost)
    }
    bias[0] = bias[0]! + 0.1 * (g - 0.01 * bias[0]!)
    bias[1] = bias[1]! + 0.1 * (-g - 0.01 * bias[1]!)
  }
  bpr.learn(0, 0, 2, () => true)
  const scores = Float64Array.of(0, 0)
  bpr.fill(0, 2, scores)
  assert.ok(Math.abs(scores[0]! - bias[0]! - dot(p, q)) < 1e-6)
  assert.ok(Math.abs(scores[1]! - bias[1]! - dot(p, r)) < 1e-6)
})

test('what the user has had never loses, and who is not known sees the biases', () => {
  const bpr = new Bpr(1)
  bpr.startUser(0)
  for (const item of [0, 1]) bpr.startItem(item)
  bpr.learn(0, 0, 2, () => false)
  const scores = Float64Array.of(0, Number.NEGATIVE_INFINITY)
  bpr.fill(-1, 2, scores)
  assert.deepEqual(Array.from(scores), [0, Number.NEGATIVE_INFINITY])
})

test('of a user who is erased no vector is left', () => {
  const bpr = new Bpr(1)
  for (const user of [0, 1, 2]) bpr.startUser(user)
  bpr.eraseUser(1)
  const { 'bpr.users': users } = bpr.saveArrays() as { 'bpr.users': Float32Array }
  const isEmpty = (user: number) => users.subarray(user * DIM, (user + 1) * DIM).every(x => x === 0)
  assert.deepEqual([0, 1, 2].map(isEmpty), [false, true, false])
  bpr.eraseUser(1_000_000)
})
