/** What the watch makes of a log: whose labels a detector sees, and that a resumed watch goes on as the first one would have. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Config } from '../../../../src/config/schema.js'
import { MASK_JUDGED } from '../../../../src/domain/example.js'
import { type DriftAlarm, DriftWatch } from '../../../../src/evaluate/drift/drift.js'
import { Repeats } from '../../../../src/evaluate/drift/repeats.kernel.js'
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
const RECENT = 4096
const PLACES = 8192

interface Label {
  pair: readonly [lo: number, hi: number]
  value: number
  label: number
}

function watchOf(labels: readonly Label[], resumeEvery = Number.POSITIVE_INFINITY): DriftAlarm[] {
  const alarms: DriftAlarm[] = []
  let watch = new DriftWatch(DRIFT, [TASK])
  for (const [i, { pair, value, label }] of labels.entries()) {
    const judged = Uint8Array.of(MASK_JUDGED)
    alarms.push(...watch.record(Uint32Array.from(pair), Float32Array.of(value), Float32Array.of(label), judged))
    if (i % resumeEvery !== 0) continue
    const { meta, arrays } = watch.saveState()
    watch = new DriftWatch(DRIFT, [TASK])
    watch.loadState({ meta: JSON.parse(JSON.stringify(meta)), arrays: structuredClone(arrays) as never })
  }
  return alarms
}

/** A user's rating of an item: mostly foretold, but for `noise`. */
function rating(random: Random, noise: number): Label {
  const label = 1 + 4 * random.uniform()
  const value = Math.min(5, Math.max(1, label + noise * random.normal()))
  return { pair: [random.integer(2 ** 32), random.integer(2 ** 32)], value, label }
}

test('a change is an alarm, and the same in a watch that was saved and loaded on the way', () => {
  const random = new Random(1)
  const labels = Array.from({ length: 20_000 }, (_, i) => rating(random, i < 10_000 ? 0.7 : 1))
  const alarms = watchOf(labels)
  assert.equal(alarms.length, 1)
  assert.ok((alarms[0]?.labels ?? 0) > 10_000)
  assert.deepEqual(watchOf(labels, 997), alarms)
})

test('robots that repeat themselves raise no alarm by beginning and ending', () => {
  const random = new Random(2)
  const robot = (): Label => ({ pair: [random.integer(4), 7], value: 5, label: 5 })
  const isRobot = (i: number) => i >= 10_000 && i < 20_000 && i % 2 === 0
  const labels = Array.from({ length: 40_000 }, (_, i) => (isRobot(i) ? robot() : rating(random, 0.7)))
  assert.deepEqual(watchOf(labels), [])
  const strangers = labels.map(({ value, label }): Label => ({ pair: [0, 0], value, label }))
  assert.ok(watchOf(strangers).length > 0, 'nobody knows that they repeat themselves')
})

test('a pair counts once in 4,096 labels; another that takes its place makes it count again', () => {
  const repeats = new Repeats()
  assert.deepEqual([repeats.record(3, 9), repeats.record(3, 9)], [false, true])
  assert.deepEqual([repeats.record(3, 8), repeats.record(3, 9)], [false, false])
  assert.equal(repeats.record(4, 9), false)
  for (let i = 0; i < RECENT - 1; i++) assert.equal(repeats.record(4, 9), true)
  const { labels, pairs } = repeats.save()
  const copy = new Repeats()
  copy.load(labels, pairs)
  for (const one of [repeats, copy]) {
    assert.equal(one.record(4, 9), true, 'the 4,096th after it')
    assert.equal(one.record(4, 9), false)
    assert.equal(one.record(4, 9), true)
  }
})

test('the number of a label may run over', () => {
  const repeats = new Repeats()
  repeats.load(2 ** 32 - 2, new Uint32Array(PLACES * 2))
  assert.deepEqual(
    Array.from({ length: 4 }, () => repeats.record(1, 1)),
    [false, true, true, true],
  )
  repeats.load(2 ** 32 - 1, new Uint32Array(PLACES * 2))
  assert.equal(repeats.record(1, 1), false, 'as label 0 it can not be told from an empty place')
  assert.equal(repeats.record(1, 1), false)
  assert.equal(repeats.record(1, 1), true)
})
