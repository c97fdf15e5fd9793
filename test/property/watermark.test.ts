import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { type Settled, StreamClock } from '../../src/join/watermark.js'

interface Payload {
  id: number
  offset: bigint
}

const DISORDER = 10
const REACH = 100
const YEARS = 1e12

function clockOf(): StreamClock<Payload> {
  return new StreamClock<Payload>(
    { disorder: DISORDER, maxFuture: REACH },
    {
      same: (a, b) => a.id === b.id,
      toJson: ({ id, offset }) => ({ id, offset: `${offset}` }),
      fromJson: json => {
        const { id, offset } = json as { id: number; offset: string }
        return { id, offset: BigInt(offset) }
      },
    },
  )
}

/** One line per record that came out, in that order. */
function run(clock: StreamClock<Payload>, times: readonly number[], firstId = 0): string[] {
  const out: string[] = []
  for (const [index, timeMs] of times.entries()) {
    const payload = { id: firstId + index, offset: BigInt(firstId + index) }
    const before = clock.watermarkMs
    const admission = clock.admit(timeMs, payload)
    if (admission === 'settled') out.push(...lines(clock.settled))
    else if (admission !== 'held') out.push(`${payload.id} ${admission} ${clock.watermarkMs}`)
    assert.ok(clock.watermarkMs >= before, 'the watermark never goes back')
    assert.ok(clock.held <= 2, 'at most two records are held')
  }
  return out
}

const lines = (settled: Settled<Payload>[]) =>
  settled.map(({ payload, verdict, watermarkMs }) => `${payload.id} ${verdict} ${watermarkMs}`)

function finish(clock: StreamClock<Payload>): string[] {
  clock.end()
  assert.equal(clock.held, 0)
  return lines(clock.settled)
}

const anyTimes = fc.array(
  fc.oneof(fc.nat({ max: 300 }), fc.nat({ max: 3000 }), fc.constantFrom(0, 50, YEARS, YEARS + 5, 2 * YEARS)),
  { maxLength: 60 },
)

test('every record comes out exactly once', () => {
  fc.assert(
    fc.property(anyTimes, times => {
      const clock = clockOf()
      const ids = [...run(clock, times), ...finish(clock)].map(line => Number.parseInt(line, 10))
      assert.deepEqual(
        ids.sort((a, b) => a - b),
        times.map((_, index) => index),
      )
    }),
  )
})

test('a stream that is never more out of order than allowed loses nothing and keeps its order, whatever its gaps', () => {
  const step = fc.record({
    gapMs: fc.oneof(fc.nat({ max: 20 }), fc.constantFrom(0, REACH, REACH + 1, 5000, YEARS)),
    backMs: fc.nat({ max: DISORDER }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      let nowMs = 1000
      let streamMs = Number.NEGATIVE_INFINITY
      const expected: string[] = []
      const times = steps.map(({ gapMs, backMs }, id) => {
        nowMs += gapMs
        const timeMs = nowMs - backMs
        streamMs = Math.max(streamMs, timeMs)
        expected.push(`${id} ordinary ${streamMs - DISORDER}`)
        return timeMs
      })
      const clock = clockOf()
      assert.deepEqual([...run(clock, times), ...finish(clock)], expected)
    }),
  )
})

test('wrong timestamps ahead are rejected wherever they lie, and change nothing for the other records', () => {
  const start = 1_000_000
  const gaps = fc.array(fc.nat({ max: REACH }), { minLength: 12, maxLength: 40 })
  const wrong = fc.record({
    at: fc.nat(),
    aheadMs: fc.constantFrom(REACH * 50, YEARS),
    copies: fc.integer({ min: 1, max: 4 }),
  })
  fc.assert(
    fc.property(gaps, fc.array(wrong, { maxLength: 3 }), (steps, wrongs) => {
      let nowMs = start
      const good = steps.map(gapMs => {
        nowMs += gapMs
        return nowMs
      })
      const expected = clockOf()
      const expectedOut = [...run(expected, good), ...finish(expected)]

      const clock = clockOf()
      const out: string[] = []
      const rejected = new Set<number>()
      for (const [index, timeMs] of good.entries()) {
        for (const [place, { at, aheadMs, copies }] of wrongs.entries()) {
          if (at % (good.length - 2) !== index) continue
          for (let copy = 0; copy < copies; copy++) out.push(...run(clock, [timeMs + aheadMs], -1 - place))
          rejected.add(-1 - place)
          break // one at a place: two in agreement are not one wrong timestamp
        }
        out.push(...run(clock, [timeMs], index))
      }
      out.push(...finish(clock))
      const isGood = (line: string) => !line.startsWith('-')
      assert.deepEqual(out.filter(isGood), expectedOut)
      const verdicts = out.filter(line => !isGood(line)).map(line => line.split(' ').slice(0, 2).join(' '))
      for (const id of rejected) assert.ok(verdicts.includes(`${id} rejected`))
      assert.ok(verdicts.every(line => /rejected|duplicate/.test(line)))
    }),
  )
})

test('a restored clock goes on, and saves, exactly like the saved one', () => {
  fc.assert(
    fc.property(anyTimes, anyTimes, (before, after) => {
      const first = clockOf()
      run(first, before)
      const second = clockOf()
      second.loadState({ meta: JSON.parse(JSON.stringify(first.saveState().meta)), arrays: {} })
      assert.deepEqual(second.saveState(), first.saveState())
      assert.deepEqual(run(second, after, 1000), run(first, after, 1000))
      assert.deepEqual(second.saveState(), first.saveState())
      assert.deepEqual(finish(second), finish(first))
    }),
  )
})
