import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TaskConfig } from '../../../src/config/schema.js'
import type { Impression, Positive, PositiveKind } from '../../../src/domain/event.js'
import type { LoadedState } from '../../../src/domain/state.js'
import { Joiner } from '../../../src/join/join.js'
import { LabelAges } from '../../../src/join/label-ages.js'
import { Hasher } from '../../../src/std/hash.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

function task(event: PositiveKind, window?: number): TaskConfig {
  const label = { event, attribution: 'last' as const, late: 'wait' as const, ...(window && { window }) }
  return { name: event, head: 'binary', label, prior: 1, rank: 1 }
}

function joinerOf(tasks: TaskConfig[]): Joiner {
  const config = {
    disorder: 10 * MINUTE,
    late: 'use' as const,
    maxFuture: HOUR,
    duplicateWindow: HOUR,
    duplicateCapacity: 1000,
    maxWaiting: 1000,
    organic: 'drop' as const,
    atEnd: 'mature' as const,
    negatives: 0,
  }
  const ports = { arrive: () => 0, mature() {}, release() {}, drop() {} }
  return new Joiner(tasks, config, new Hasher(), 1, ports)
}

const event = (user: string, eventTimeMs: number) => {
  return { eventId: `${user}${eventTimeMs}`, eventTimeMs, user, item: 'i', requestId: null, context: null }
}
const impression = (user: string, timeMs: number): Impression => {
  return { ...event(user, timeMs), kind: 'impression', position: null }
}
const positive = (kind: PositiveKind, user: string, timeMs: number): Positive => {
  return { ...event(user, timeMs), kind, value: 1 }
}

test('the curve says which share of the labels has come by which age, up to the window', () => {
  const ages = new LabelAges([task('click', 30 * MINUTE), task('rating')])
  assert.deepEqual(ages.maturity(), [[], []], 'nothing is known before a label has come')
  for (const ageMs of [0, MINUTE, MINUTE + 1, 30 * MINUTE, 31 * MINUTE]) ages.add(0, ageMs)
  assert.deepEqual(ages.maturity()[0], [
    { ageMs: MINUTE, share: 0.4 },
    { ageMs: 5 * MINUTE, share: 0.6 },
    { ageMs: 15 * MINUTE, share: 0.6 },
    { ageMs: 30 * MINUTE, share: 1 },
  ])
})

test('the age of a label is from the impression to its event, also where the impression came second; one label a task counts', () => {
  const joiner = joinerOf([task('click', 15 * MINUTE), task('buy', HOUR)])
  joiner.handle(impression('a', 0))
  joiner.handle(positive('click', 'a', MINUTE))
  joiner.handle(positive('click', 'a', 2 * MINUTE))
  joiner.handle(positive('buy', 'a', 10 * MINUTE))
  joiner.handle(positive('buy', 'b', 7 * MINUTE))
  joiner.handle(impression('b', 6 * MINUTE))
  joiner.handle(positive('buy', 'nobody', 7 * MINUTE))
  const shares = joiner.maturity().map(points => points.map(({ share }) => share))
  assert.deepEqual(shares, [
    [1, 1, 1],
    [0.5, 0.5, 1, 1],
  ])
})

test('a resumed join counts on, and one from before there were ages begins', () => {
  const tasks = [task('click', HOUR)]
  const before = joinerOf(tasks)
  before.handle(impression('a', 0))
  before.handle(positive('click', 'a', MINUTE))
  const { meta, arrays } = before.saveState()
  const state = { meta: JSON.parse(JSON.stringify(meta)), arrays } as LoadedState
  const after = joinerOf(tasks)
  after.loadState(state, before.waitingRows())
  assert.deepEqual(after.maturity(), before.maturity())
  delete (state.meta as { ages?: unknown }).ages
  const old = joinerOf(tasks)
  old.loadState(state, before.waitingRows())
  assert.deepEqual(old.maturity(), [[]])
})
