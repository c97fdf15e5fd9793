/** How often the publish gate holds back although nothing changed, and how soon it does when something did; on seeded streams. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configSchema } from '../../src/config/schema.js'
import { MASK_JUDGED } from '../../src/domain/example.js'
import { PublishGate } from '../../src/evaluate/gate/publish-gate.js'
import { BLOCK, RiseTest } from '../../src/evaluate/gate/rise-test.kernel.js'
import { Random } from '../../src/std/random.js'
import { smallConfig } from '../helpers/small-config.js'

const STEP = 128

interface World {
  /** Logit of the mean, and how far the examples lie apart. */
  level: number
  spread: number
  /** Share of the day's swing. */
  season?: number
  /** Of the labels that are the other way round. */
  flipped?: number
  /** The model's logits are off by so much, and noisy by so much. */
  shift?: number
  noise?: number
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

function createGate(settings: Record<string, unknown> = {}) {
  const { tasks, outputs } = configSchema.parse({ ...smallConfig, outputs: { gate: settings } })
  assert.ok(outputs.gate)
  return new PublishGate(outputs.gate, tasks)
}

/** Labels of the three tasks click, buy and rating as a step brings them; the rating's world is the click's. */
function* steps(random: Random, world: { click: World; buy: World }, count: number) {
  for (let step = 0; step < count; step++) {
    const values = new Float32Array(STEP * 3)
    const labels = new Float32Array(STEP * 3)
    const mask = new Uint8Array(STEP * 3).fill(MASK_JUDGED)
    for (let i = 0; i < STEP; i++) {
      for (const [t, { level, spread, season = 0, flipped = 0, shift = 0, noise = 0 }] of [
        world.click,
        world.buy,
        world.click,
      ].entries()) {
        const swing = season * Math.sin((step * STEP) / 5000)
        const logit = level + swing + spread * random.normal()
        const said = logit + shift + noise * random.normal()
        const at = i * 3 + t
        if (t === 2) {
          labels[at] = Math.min(5, Math.max(1, 3 + logit - level - swing + random.normal()))
          if (random.uniform() < flipped) labels[at] = 6 - (labels[at] ?? 0)
          values[at] = Math.min(5, Math.max(1, 3 + said - level - swing))
        } else {
          const label = random.uniform() < sigmoid(logit) ? 1 : 0
          labels[at] = random.uniform() < flipped ? 1 - label : label
          values[at] = sigmoid(said)
        }
      }
    }
    yield { values, labels, mask }
  }
}

const USUAL = { click: { level: -2, spread: 1, season: 0.4 }, buy: { level: -5, spread: 1, noise: 0.3 } }

/** Labels of each task until the gate holds; undefined: it never did. */
function heldAfter(gate: PublishGate, random: Random, world: typeof USUAL, count: number): number | undefined {
  let n = 0
  for (const { values, labels, mask } of steps(random, world, count)) {
    gate.record(STEP, values, labels, mask)
    n += STEP
    if (gate.judge(0).findings.length > 0) return n
  }
  return undefined
}

test('a test of one figure alarms no more often than it says, also without any tolerance', () => {
  const [threshold, blocks, runs] = [40, 20, 400]
  let over = 0
  for (let seed = 1; seed <= runs; seed++) {
    const random = new Random(seed)
    const one = new RiseTest({ tolerance: 0, floor: 0, sane: [0, 2], blockWeight: 0, threshold })
    for (let n = 0; n < (blocks + 8) * BLOCK && !one.isOver; n++) {
      const rate = sigmoid(-2 + random.normal())
      const label = random.uniform() < rate ? 1 : 0
      const said = sigmoid(-2)
      one.add(-Math.log(label ? rate : 1 - rate), -Math.log(label ? said : 1 - said), -Math.log(said))
    }
    if (one.isOver) over++
  }
  // Promised: one in two at most. The rest is what the reference leaves for its own error.
  assert.ok(over / runs <= blocks / threshold, `${over} of ${runs}`)
})

test('nothing is held back in a hundred thousand labels a task of a steady world, with its days and nights', () => {
  for (const seed of [1, 2, 3]) assert.equal(heldAfter(createGate(), new Random(seed), USUAL, 800), undefined)
})

const CHANGES: [name: string, task: 'click' | 'buy', change: Partial<World>, within: number][] = [
  ['labels the other way round', 'click', { flipped: 1 }, 2 * STEP],
  ['rare labels the other way round', 'buy', { flipped: 1 }, 2 * STEP],
  ['every tenth label the other way round', 'buy', { flipped: 0.1 }, 2_000],
  ['a model that knows half as much', 'click', { noise: 1 }, 2_000],
  ['promises half as high again', 'click', { shift: 0.5 }, 10_000],
]

test('what gets worse is found, soon if it is much; and the state goes on from where it was saved', () => {
  const random = new Random(4)
  const before = createGate()
  assert.equal(heldAfter(before, random, USUAL, 400), undefined)
  const state = JSON.stringify(before.toJson())
  for (const [name, task, change, within] of CHANGES) {
    const gate = createGate()
    gate.fromJson(JSON.parse(state))
    assert.equal(JSON.stringify(gate.toJson()), state)
    const labels = heldAfter(gate, random, { ...USUAL, [task]: { ...USUAL[task], ...change } }, 200)
    assert.ok(labels !== undefined && labels <= within, `${name}: ${labels}`)
  }
})

test('it opens again when the world is back, or when its patience is over', () => {
  const random = new Random(5)
  const bad = { ...USUAL, click: { ...USUAL.click, flipped: 1 } }
  const feed = (gate: PublishGate, world: typeof USUAL, count: number) => {
    for (const { values, labels, mask } of steps(random, world, count)) gate.record(STEP, values, labels, mask)
  }
  const gate = createGate({ patience: '1h' })
  feed(gate, USUAL, 200)
  feed(gate, bad, 10)
  assert.deepEqual(
    gate.judge(1000).findings.map(({ task, figure }) => `${task} ${figure}`),
    ['click gate-loss', 'click gate-calibration', 'rating gate-loss'],
  )
  feed(gate, USUAL, 10)
  assert.deepEqual(gate.judge(2000), { findings: [], isAccepted: false })
  feed(gate, bad, 10)
  assert.ok(gate.judge(3000).findings.length > 0)
  feed(gate, bad, 100)
  assert.ok(gate.judge(3000 + 3_599_999).findings.length > 0, 'not an hour yet')
  assert.deepEqual(gate.judge(3000 + 3_600_000), { findings: [], isAccepted: true })
  feed(gate, bad, 100)
  assert.deepEqual(gate.judge(9_000_000), { findings: [], isAccepted: false }, 'the new level is the level now')
})
