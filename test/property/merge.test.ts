import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { EventTimeMerge, type MergeLane, SIGHT } from '../../src/source/merge.js'
import type { MergeDecision } from '../../src/source/source.js'

/** The part of a partition that has arrived and is not taken. */
class Arriving implements MergeLane {
  readonly #log: readonly number[]
  arrived = 0
  taken = 0
  ended = false

  constructor(log: readonly number[], taken = 0) {
    this.#log = log
    this.taken = taken
    this.arrived = taken
  }

  get length(): number {
    return this.arrived - this.taken
  }

  get behind(): boolean {
    return false
  }

  timeMs(ahead: number): number {
    assert.ok(ahead < SIGHT && ahead < this.length, 'only what is there and in sight is looked at')
    return this.#log[this.taken + ahead]!
  }

  arrive(count: number): void {
    this.arrived = Math.min(this.arrived + count, this.#log.length)
  }
}

/** What the broker and the clock do: so many records of a partition arrive, or time passes. */
type Happening = { partition: number; count: number } | { passMs: number }

const MAX_FUTURE = 100

interface Run {
  order: number[]
  decisions: MergeDecision[]
  lanes: Arriving[]
  merge: EventTimeMerge
}

function live(logs: readonly number[][], happenings: readonly Happening[]): Run {
  const decisions: MergeDecision[] = []
  const merge = new EventTimeMerge({ maxFutureMs: MAX_FUTURE, idleMs: 50, onDecision: one => decisions.push(one) })
  const lanes = logs.map(log => new Arriving(log))
  for (const lane of lanes) merge.add(lane)
  const order: number[] = []
  let nowMs = 0
  for (const happening of happenings) {
    if ('passMs' in happening) nowMs += happening.passMs
    else lanes[happening.partition % lanes.length]!.arrive(happening.count)
    take(merge, lanes, order, nowMs)
  }
  return { order, decisions, lanes, merge }
}

function take(merge: EventTimeMerge, lanes: Arriving[], order: number[], nowMs?: number, limit = Infinity): void {
  while (order.length < limit) {
    const next = merge.next(nowMs)
    if (next < 0) return
    lanes[next]!.taken++
    order.push(next)
  }
}

const logs = fc.array(
  fc.array(
    fc.oneof(
      { weight: 12, arbitrary: fc.integer({ min: 0, max: 400 }) },
      { weight: 1, arbitrary: fc.constant(Number.NaN) },
      { weight: 2, arbitrary: fc.integer({ min: 500, max: 2000 }) },
    ),
    { maxLength: 25 },
  ),
  { minLength: 1, maxLength: 4 },
)
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({ partition: fc.nat(3), count: fc.integer({ min: 1, max: 8 }) }),
  fc.record({ passMs: fc.integer({ min: 1, max: 60 }) }),
)
const happenings = fc.array(happening, { maxLength: 60 })

/** The same log and decisions, with records arriving in another way; the clock has no say. */
function replay(
  logs: readonly number[][],
  from: { taken: number[]; records: number },
  decisions: readonly MergeDecision[],
  arrivals: readonly Happening[],
  count: number,
): number[] {
  const merge = new EventTimeMerge({
    maxFutureMs: MAX_FUTURE,
    idleMs: 50,
    records: from.records,
    onDecision: () => assert.fail('a replay decides nothing'),
  })
  const lanes = logs.map((log, partition) => new Arriving(log, from.taken[partition]))
  for (const lane of lanes) merge.add(lane)
  merge.follow(decisions)
  const order: number[] = []
  for (const arrival of arrivals) {
    if ('passMs' in arrival) continue
    lanes[arrival.partition % lanes.length]!.arrive(arrival.count)
    take(merge, lanes, order, undefined, count)
  }
  for (const lane of lanes) {
    lane.arrive(1000)
    take(merge, lanes, order, undefined, count)
  }
  return order
}

test('the same log and the same decisions make the same order, however records arrive', () => {
  fc.assert(
    fc.property(logs, happenings, happenings, (logs, happened, arrivals) => {
      const { order, decisions } = live(logs, happened)
      const again = replay(logs, { taken: logs.map(() => 0), records: 0 }, decisions, arrivals, order.length)
      assert.deepEqual(again, order)
    }),
    { numRuns: 500 },
  )
})

test('from a checkpoint anywhere, its standing decisions and those behind it make the rest of the order', () => {
  fc.assert(
    fc.property(logs, happenings, happenings, happenings, (logs, before, after, arrivals) => {
      const first = live(logs, before)
      const records = first.order.length
      const standing = first.merge.standing()
      const taken = first.lanes.map(lane => lane.taken)
      const whole = live(logs, [...before, ...after])
      const behind = whole.decisions.slice(first.decisions.length)
      const rest = replay(logs, { taken, records }, [...standing, ...behind], arrivals, whole.order.length - records)
      assert.deepEqual(rest, whole.order.slice(records))
    }),
    { numRuns: 500 },
  )
})

test('every record is taken once all have arrived and time has passed', () => {
  fc.assert(
    fc.property(logs, happenings, (logs, happened) => {
      const all = logs.map((log, partition) => ({ partition, count: log.length }))
      const waits = Array.from({ length: 4 * logs.flat().length + 10 }, () => ({ passMs: 51 }))
      const { order } = live(logs, [...happened, ...all, ...waits])
      assert.equal(order.length, logs.flat().length)
    }),
  )
})
