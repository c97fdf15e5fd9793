import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { Config, TaskConfig } from '../../src/config/schema.js'
import type { Erase, Impression, Positive } from '../../src/domain/event.js'
import type { PartState, StateArray } from '../../src/domain/state.js'
import { Joiner, type JoinPorts } from '../../src/join/join.js'
import { Hasher } from '../../src/std/hash.js'
import { ReferenceJoiner } from '../helpers/reference-joiner.js'

const hasher = new Hasher()
const DISORDER = 20
/** There are no profiles; texts of one letter. */
const FACTS = { number: () => undefined, values: () => [], valueOf: (text: string) => text.charCodeAt(0) }

const task: fc.Arbitrary<TaskConfig> = fc
  .record({
    event: fc.constantFrom('click' as const, 'buy' as const, 'rating' as const),
    head: fc.constantFrom('binary' as const, 'binary' as const, 'regression' as const, 'ordinal' as const),
    window: fc.constantFrom(undefined, 0, 50, 120, 120, 300),
    attribution: fc.constantFrom('last' as const, 'given' as const, 'all' as const),
    atLeast: fc.constantFrom(undefined, 3.7),
    equals: fc.constantFrom(undefined, undefined, ['a'], ['a', 'b']),
    given: fc.constantFrom(undefined, undefined, 'task0', 'task1'),
    late: fc.constantFrom(
      'wait' as const,
      'duplicate' as const,
      'fake-negative-weighted' as const,
      'take-back' as const,
      'take-back' as const,
    ),
    early: fc.constantFrom(undefined, undefined, 0, 50, 100),
  })
  .map(({ event, head, window, attribution, atLeast, equals, given, late, early }) => ({
    name: 'task',
    ...(given ? { given } : {}),
    head,
    label: {
      event,
      attribution,
      late,
      ...(early === undefined ? {} : { early }),
      ...(window === undefined ? {} : { window }),
      ...(equals && head === 'binary' ? { from: 'context.kind', equals: [...equals] } : atLeast ? { atLeast } : {}),
    },
    prior: 1,
    rank: 1,
  }))

const joinConfig: fc.Arbitrary<Config['join']> = fc.record({
  disorder: fc.constant(DISORDER),
  late: fc.constantFrom('use' as const, 'drop' as const),
  maxFuture: fc.constant(1e9),
  duplicateWindow: fc.constant(1e9),
  duplicateCapacity: fc.constant(1e6),
  maxWaiting: fc.constantFrom(1, 3, 8, 1000, 1000),
  organic: fc.constantFrom('drop' as const, 'positive' as const, 'negatives' as const, 'funnel' as const),
  atEnd: fc.constantFrom('mature' as const, 'mature' as const, 'wait' as const),
  negatives: fc.constantFrom(1, 3),
})

// Few users and items, so that pairs repeat; steps back within the disorder, now and then far behind it, and gaps.
// Now and then a user is erased.
const stream: fc.Arbitrary<(Impression | Positive | Erase)[]> = fc
  .array(
    fc.record({
      kind: fc.oneof(
        {
          weight: 20,
          arbitrary: fc.constantFrom(
            'impression' as const,
            'impression' as const,
            'click' as const,
            'buy' as const,
            'rating' as const,
          ),
        },
        fc.constant('erase' as const),
      ),
      user: fc.constantFrom('u0', 'u0', 'u0', 'u1'),
      item: fc.constantFrom('i0', 'i0', 'i0', 'i1', 'i2'),
      stepMs: fc.oneof({ weight: 20, arbitrary: fc.integer({ min: 0, max: 12 }) }, fc.constantFrom(60, 400)),
      backMs: fc.oneof(
        { weight: 6, arbitrary: fc.integer({ min: 0, max: DISORDER }) },
        fc.integer({ min: 0, max: 200 }),
      ),
      requestId: fc.constantFrom(null, null, null, 'r0', 'r1'),
      value: fc.constantFrom(1, 2, 3.7, 5),
      text: fc.constantFrom('a', 'b', 'c', undefined),
    }),
    { maxLength: 120 },
  )
  .map(steps => {
    let nowMs = 1000
    return steps.map(({ kind, stepMs, backMs, value, text, ...rest }, index): Impression | Positive | Erase => {
      if (kind === 'erase') return { kind, user: rest.user, eventId: `e${index}`, eventTimeMs: 0 }
      nowMs += stepMs
      const stamped = {
        ...rest,
        eventId: `e${index}`,
        eventTimeMs: nowMs - backMs,
        context: text ? { kind: text } : null,
      }
      return kind === 'impression' ? { kind, ...stamped, position: index } : { kind, ...stamped, value }
    })
  })

const named = (tasks: TaskConfig[]) => tasks.map((one, index) => ({ ...one, name: `task${index}` }))

const setting = { tasks: fc.array(task, { minLength: 1, maxLength: 5 }).map(named), config: joinConfig, events: stream }

/** Ports that write every call down; rows are numbered from `firstRow` and must be used properly. */
function recorder(firstRow = 0): {
  calls: string[]
  live: Set<number>
  ports: JoinPorts
  adopt(rows: Int32Array): void
} {
  const calls: string[] = []
  const live = new Set<number>()
  const names = new Map<number, string>()
  let arrived = 0
  const nameOf = (row: number) => {
    assert.ok(live.has(row), `row ${row} is not live`)
    return names.get(row)
  }
  return {
    calls,
    live,
    adopt(rows) {
      for (const row of rows) {
        live.add(row)
        names.set(row, `saved ${row}`)
      }
    },
    ports: {
      arrive({ user, item, eventTimeMs, requestId, position, eventId }, score) {
        const row = firstRow + arrived++
        const name = JSON.stringify({ user, item, eventTimeMs, requestId, position, eventId, score })
        live.add(row)
        names.set(row, name)
        calls.push(`arrive ${name}`)
        return row
      },
      mature(row, labels, mask, fresh, impressionTimeMs) {
        calls.push(`mature ${nameOf(row)} ${[...labels]} ${[...mask]} ${fresh} ${impressionTimeMs}`)
      },
      release(row) {
        calls.push(`release ${nameOf(row)}`)
        live.delete(row)
      },
      drop(reason, count) {
        calls.push(`drop ${reason} ${count}`)
      },
    },
  }
}

/** Feeds the joiner as the pipeline does: the watermark as of a record, then the record. */
function feed(
  joiner: Joiner | ReferenceJoiner,
  events: readonly (Impression | Positive | Erase)[],
  clock = { streamMs: 0 },
): void {
  for (const event of events) {
    if (event.kind === 'erase') {
      joiner.erase(event.user)
      continue
    }
    clock.streamMs = Math.max(clock.streamMs, event.eventTimeMs)
    joiner.advance(clock.streamMs - DISORDER)
    joiner.handle(event)
  }
}

function restored({ meta, arrays }: PartState) {
  const joined = Object.entries(arrays).map(([name, array]) => {
    assert.ok(!Array.isArray(array))
    return [name, array.slice()] as [string, StateArray]
  })
  return { meta: JSON.parse(JSON.stringify(meta)), arrays: Object.fromEntries(joined) }
}

test('the joiner makes the same calls as the rules written down plainly', () => {
  fc.assert(
    fc.property(fc.record(setting), ({ tasks, config, events }) => {
      const expected = recorder()
      const reference = new ReferenceJoiner(tasks, config, 7, expected.ports)
      feed(reference, events)
      reference.end()
      const actual = recorder()
      const joiner = new Joiner(tasks, config, hasher, 7, actual.ports, FACTS)
      feed(joiner, events)
      joiner.end()
      assert.deepEqual(actual.calls, expected.calls)
      assert.equal(joiner.waiting, reference.shown.length)
      const stats = joiner.stats()
      const count = (prefix: string) => actual.calls.filter(call => call.startsWith(prefix)).length
      assert.equal(stats.matured, count('mature'))
      assert.deepEqual(stats.dropped, {
        late: count('drop late'),
        capacity: count('drop capacity'),
        organic: count('drop organic'),
        erased: actual.calls.reduce((sum, call) => sum + Number(/^drop erased (\d+)/.exec(call)?.[1] ?? 0), 0),
      })
      assert.deepEqual([...actual.live].sort(), Array.from(joiner.waitingRows()).sort(), 'what waits holds its rows')
      if (config.atEnd === 'mature') assert.equal(actual.live.size, 0, 'every row is released')
    }),
    { numRuns: 1500 },
  )
})

test('how often the watermark is told does not change a call', () => {
  fc.assert(
    fc.property(fc.record(setting), fc.array(fc.nat({ max: 500 })), ({ tasks, config, events }, pauses) => {
      const expected = recorder()
      const joiner = new Joiner(tasks, config, hasher, 7, expected.ports, FACTS)
      feed(joiner, events)
      const actual = recorder()
      const nagged = new Joiner(tasks, config, hasher, 7, actual.ports, FACTS)
      let streamMs = events[0]?.eventTimeMs ?? 0
      for (const [index, event] of events.entries()) {
        if (event.kind === 'erase') {
          nagged.erase(event.user)
          continue
        }
        const nextMs = Math.max(streamMs, event.eventTimeMs)
        const stepMs = 1 + (pauses[index % pauses.length] ?? 0)
        for (let timeMs = streamMs; timeMs < nextMs; timeMs += stepMs) nagged.advance(timeMs - DISORDER)
        streamMs = nextMs
        nagged.advance(streamMs - DISORDER)
        nagged.advance(streamMs - DISORDER - 50)
        nagged.handle(event)
      }
      assert.deepEqual(actual.calls, expected.calls)
      assert.deepEqual(nagged.saveState(), joiner.saveState())
    }),
    { numRuns: 300 },
  )
})

test('a restored joiner goes on, and saves, exactly like the saved one, on other rows', () => {
  fc.assert(
    fc.property(fc.record(setting), fc.nat({ max: 120 }), ({ tasks, config, events }, cut) => {
      const first = recorder()
      const joiner = new Joiner(tasks, config, hasher, 7, first.ports, FACTS)
      const clock = { streamMs: 0 }
      feed(joiner, events.slice(0, cut), clock)
      const state = restored(joiner.saveState())
      const rows = joiner.waitingRows()
      const second = recorder(100_000)
      const other = new Joiner(tasks, config, hasher, 99, second.ports, FACTS)
      const newRows = rows.map((_, index) => 50_000 + index * 3)
      second.adopt(newRows)
      other.loadState(state, newRows)
      assert.deepEqual(other.saveState(), joiner.saveState())
      assert.deepEqual(other.waitingRows(), newRows)

      const before = first.calls.length
      const otherClock = { ...clock }
      feed(joiner, events.slice(cut), clock)
      feed(other, events.slice(cut), otherClock)
      assert.deepEqual(other.saveState(), joiner.saveState())
      joiner.end()
      other.end()
      const anonymous = (call: string) => call.replace(/(saved \d+|\{.*\})/, '')
      assert.deepEqual(second.calls.map(anonymous), first.calls.slice(before).map(anonymous))
      const arrivals = (call: string) => call.startsWith('arrive')
      assert.deepEqual(second.calls.filter(arrivals), first.calls.slice(before).filter(arrivals))
      assert.deepEqual(other.stats(), joiner.stats())
      assert.deepEqual(other.saveState(), joiner.saveState())
    }),
    { numRuns: 300 },
  )
})
