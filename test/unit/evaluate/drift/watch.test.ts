/** What the watch makes of a log: whose labels a detector sees, and that a resumed watch goes on as the first one would have. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../../../../src/config/schema.js'
import { MASK_JUDGED } from '../../../../src/domain/example.js'
import { type DriftAlarm, DriftWatch } from '../../../../src/evaluate/drift/drift.js'
import { UsualUsers } from '../../../../src/evaluate/drift/usual-users.kernel.js'
import { Random } from '../../../../src/std/random.js'

const TASK = { name: 'rating', head: 'regression', range: [1, 5] } as Config['tasks'][number]
const DRIFT: Config['drift'] = {
  detectors: ['e-detector'],
  delta: 0.002,
  threshold: 50,
  forget: 0.5,
  boost: 1,
  boostSteps: 1,
}

interface Label {
  user: readonly [lo: number, hi: number]
  value: number
  label: number
}

function watchOf(labels: readonly Label[], resumeEvery = Number.POSITIVE_INFINITY): DriftAlarm[] {
  const alarms: DriftAlarm[] = []
  let watch = new DriftWatch(DRIFT, [TASK])
  for (const [i, { user, value, label }] of labels.entries()) {
    const judged = Uint8Array.of(MASK_JUDGED)
    alarms.push(...watch.record(Uint32Array.from(user), Float32Array.of(value), Float32Array.of(label), judged))
    if (i % resumeEvery !== 0) continue
    const { meta, arrays } = watch.saveState()
    watch = new DriftWatch(DRIFT, [TASK])
    watch.loadState({ meta: JSON.parse(JSON.stringify(meta)), arrays: structuredClone(arrays) as never })
  }
  return alarms
}

/** One of many users' ratings: foretold, but for `noise`. */
function rating(random: Random, noise: number): Label {
  const label = 1 + 4 * random.uniform()
  const value = Math.min(5, Math.max(1, label + noise * random.normal()))
  return { user: [random.integer(500), 1], value, label }
}

test('a change is an alarm, and the same in a watch that was saved and loaded on the way', () => {
  const random = new Random(1)
  const labels = Array.from({ length: 20_000 }, (_, i) => rating(random, i < 10_000 ? 0.7 : 1))
  const alarms = watchOf(labels)
  assert.equal(alarms.length, 1)
  assert.ok((alarms[0]?.labels ?? 0) > 10_000)
  assert.deepEqual(watchOf(labels, 997), alarms)
})

test('robots that always say the same raise no alarm by beginning and ending', () => {
  const random = new Random(2)
  const robot = (): Label => ({ user: [1000 + random.integer(20), 7], value: 5, label: 5 })
  const isRobot = (i: number) => i >= 10_000 && i < 20_000 && i % 2 === 0
  const labels = Array.from({ length: 40_000 }, (_, i) => (isRobot(i) ? robot() : rating(random, 0.7)))
  assert.deepEqual(watchOf(labels), [])
  const nobody = labels.map(({ value, label }): Label => ({ user: [0, 0], value, label }))
  assert.ok(watchOf(nobody).length > 0, 'nobody knows that they are few')
})

test('a user counts 96 times in 4,096 labels, then again', () => {
  const users = new UsualUsers()
  const counted = Array.from({ length: 2 * 4096 + 1 }, () => users.count(1, 1, 0.1, 0.2)).flatMap((is, i) =>
    is ? i : [],
  )
  assert.deepEqual([counted.length, counted[95], counted[96], counted[191]], [192, 95, 4097, 4192])
})

test('who is foretold three times better than the others does not count, until that ends', () => {
  const users = new UsualUsers()
  let user = 10
  const others = (labels: number) => {
    for (let i = 0; i < labels; i++) users.count(user++ % 4096, 1, 0.1, 0.2)
  }
  const ofOne = (labels: number, loss: number) => Array.from({ length: labels }, () => users.count(1, 1, loss, 0.2))
  others(1000)
  const good = ofOne(40, 0)
  assert.equal(good.indexOf(false), 19, 'of 8 labels of .1 and .2, and 19 of 0 and .2 of which older ones count less')
  assert.ok(good.slice(19).every(counts => !counts))
  assert.ok(ofOne(50, 0.4).includes(true))
})

test('of two users of one place the one that comes begins anew', () => {
  const users = new UsualUsers()
  for (let i = 0; i < 200; i++) users.count(5, 1, 0.1, 0.2)
  assert.equal(users.count(5, 1, 0.1, 0.2), false)
  assert.equal(users.count(5 + 4096, 2, 0.1, 0.2), true)
  assert.equal(users.count(5, 1, 0.1, 0.2), true)
})

test('the number of a label may run over', () => {
  const users = new UsualUsers()
  users.load([2 ** 32 - 50, 0, 0, 0], new Uint32Array(4096 * 3), new Float64Array(4096 * 2))
  const counted = Array.from({ length: 4000 }, () => users.count(1, 1, 0.1, 0.2)).filter(Boolean)
  assert.equal(counted.length, 96)
})
