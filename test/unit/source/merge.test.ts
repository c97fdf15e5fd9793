import assert from 'node:assert/strict'
import test from 'node:test'
import { EventTimeMerge, type MergeLane } from '../../../src/source/merge.js'
import type { MergeDecision } from '../../../src/source/source.js'

class Lane implements MergeLane {
  ended = false
  behind = false
  readonly times: number[]

  constructor(...times: number[]) {
    this.times = times
  }

  get length(): number {
    return this.times.length
  }

  timeMs(ahead: number): number {
    return this.times[ahead] ?? Number.NaN
  }
}

function mergeOf(...lanes: Lane[]) {
  const decisions: MergeDecision[] = []
  const merge = new EventTimeMerge({
    maxFutureMs: 1000,
    idleMs: 800,
    onDecision: decision => decisions.push(decision),
  })
  for (const lane of lanes) merge.add(lane)
  /** Takes until nothing comes; '1:50' is partition 1, time 50. */
  const take = (nowMs?: number): string[] => {
    const taken: string[] = []
    for (let index = merge.next(nowMs); index >= 0; index = merge.next(nowMs)) {
      taken.push(`${index}:${lanes[index]!.times.shift()}`)
    }
    return taken
  }
  return { merge, decisions, take }
}

test('of the heads the earliest comes first, ties by partition', () => {
  const lanes = [new Lane(5, 9), new Lane(3, 5, 8)]
  const { take } = mergeOf(...lanes)
  assert.deepEqual(take(0), ['1:3', '0:5', '1:5', '1:8'])
})

test('nothing is taken while an active partition lacks a head', () => {
  const late = new Lane()
  const { take, decisions } = mergeOf(new Lane(1), late)
  assert.deepEqual(take(0), [])
  late.times.push(0)
  assert.deepEqual(take(700), ['1:0'])
  assert.deepEqual(decisions, [])
})

test('a partition without records becomes idle after the timeout and active with its next record', () => {
  const silent = new Lane()
  const { take, decisions } = mergeOf(new Lane(1, 2), silent)
  assert.deepEqual(take(0), [])
  assert.deepEqual(take(799), [])
  assert.deepEqual(take(800), ['0:1', '0:2'])
  assert.deepEqual(decisions[0], { records: 0, partition: 1, idle: true })
  silent.times.push(7)
  take(900)
  assert.deepEqual(
    decisions.find(({ partition, idle }) => partition === 1 && !idle),
    { records: 2, partition: 1, idle: false },
  )
})

test('a record without a time follows its predecessor at once', () => {
  const { take } = mergeOf(new Lane(5, Number.NaN, 9), new Lane(6, 7))
  assert.deepEqual(take(0), ['0:5', '0:NaN', '1:6', '1:7'])
})

test('a head from the far future has the place of the record behind it', () => {
  const { take } = mergeOf(new Lane(1e9, 3, 50), new Lane(2, 4, 60))
  assert.deepEqual(take(0), ['1:2', '0:1000000000', '0:3', '1:4', '0:50'])
})

test('what lies behind a far head is waited for, and the partition sat out if it does not come', () => {
  const wrong = new Lane(1e9)
  const steady = new Lane(2, 4)
  const { take, decisions } = mergeOf(wrong, steady)
  assert.deepEqual(take(0), [])
  assert.deepEqual(take(800), ['1:2', '1:4'])
  assert.deepEqual(decisions[0], { records: 0, partition: 0, idle: true })
  wrong.times.push(3)
  steady.times.push(60)
  assert.deepEqual(take(900), ['0:1000000000', '0:3', '1:60'])
})

test('far records are taken when nothing else is left', () => {
  const { take } = mergeOf(new Lane(5e9, 6e9), new Lane(1))
  take(0)
  take(800)
  assert.deepEqual(take(1600), ['0:5000000000', '0:6000000000'])
})

test('the end of a partition holds up nobody', () => {
  const lanes = [new Lane(1, 5), new Lane(2), new Lane()]
  for (const lane of lanes) lane.ended = true
  const { take, decisions } = mergeOf(...lanes)
  assert.deepEqual(take(0), ['0:1', '1:2', '0:5'])
  assert.deepEqual(decisions, [])
})

test('a partition that only now and then has a record makes the others wait once, not behind each record', () => {
  const busy = new Lane(1, 2, 3, 4, 5, 6)
  const rare = new Lane()
  const { take } = mergeOf(busy, rare)
  take(0)
  assert.equal(take(800).length, 6)
  busy.times.push(8, 9)
  rare.times.push(7)
  assert.deepEqual(take(1800), ['1:7', '0:8', '0:9'])
})

test('a partition of which more is known to be there is waited for', () => {
  const busy = new Lane(1)
  const backlog = new Lane()
  const { take } = mergeOf(busy, backlog)
  take(0)
  take(800)
  backlog.behind = true
  backlog.times.push(2)
  busy.times.push(4)
  assert.deepEqual(take(2000), ['1:2'])
  backlog.times.push(3)
  assert.deepEqual(take(2010), ['1:3'])
})

test('a partition added while running is idle until its first record, and its decision has its name', () => {
  const first = new Lane(1)
  const added = new Lane()
  const lanes = [first]
  const { merge, decisions, take } = mergeOf(...lanes)
  take(0)
  merge.addIdle(added, 'clicks/1')
  assert.deepEqual(decisions, [{ records: 1, partition: 1, idle: true, name: 'clicks/1' }])
  first.times.push(2)
  assert.deepEqual(take(0), ['0:2'])
})

test('a partition that was added in an earlier run has no say before it was', () => {
  const added = new Lane(0)
  const { merge, take } = mergeOf(new Lane(1, 2))
  merge.addIdle(added)
  merge.follow([
    { records: 1, partition: 1, idle: true, name: 'clicks/1' },
    { records: 2, partition: 1, idle: false },
  ])
  assert.deepEqual(take().slice(0, 2), ['0:1', '0:2'])
})

test('while decisions are followed the clock decides nothing', () => {
  const silent = new Lane()
  const { merge, decisions, take } = mergeOf(new Lane(1, 2), silent)
  merge.follow([{ records: 1, partition: 1, idle: true }])
  assert.deepEqual(take(0), [])
  assert.deepEqual(take(100_000), [])
  assert.deepEqual(decisions, [])
  assert.equal(merge.abandon(), 1)
  take(100_000)
  assert.deepEqual(take(200_000), ['0:1', '0:2'])
})
