import assert from 'node:assert/strict'
import test from 'node:test'
import { StreamClock } from '../../../src/join/watermark.js'

const HOUR = 3_600_000
const MONDAY = Date.UTC(2024, 0, 1, 22)
const TUESDAY = Date.UTC(2024, 0, 2, 6)
const YEAR_2150 = Date.UTC(2150, 0, 1)

function clockAt(timeMs?: number): StreamClock<string> {
  const clock = new StreamClock<string>(
    { disorder: 10_000, maxFuture: HOUR },
    { same: (a, b) => a === b, toJson: text => text, fromJson: json => json as string },
  )
  if (timeMs !== undefined) for (const name of ['x', 'y', 'z']) clock.admit(timeMs, name)
  return clock
}

const verdicts = (clock: StreamClock<string>) => clock.settled.map(({ payload, verdict }) => `${payload} ${verdict}`)

test('the watermark follows the highest event time by the allowed disorder', () => {
  const clock = clockAt(MONDAY)
  assert.equal(clock.watermarkMs, MONDAY - 10_000)
  assert.equal(clock.admit(MONDAY + 5, 'a'), 'ordinary')
  assert.equal(clock.watermarkMs, MONDAY + 5 - 10_000)
  assert.equal(clock.admit(MONDAY + 5 - 10_000, 'b'), 'ordinary')
  assert.equal(clock.admit(MONDAY + 4 - 10_000, 'c'), 'late')
  assert.equal(clock.watermarkMs, MONDAY + 5 - 10_000)
})

test('a record at the edge of the allowed future moves the clock, one beyond it is held', () => {
  const clock = clockAt(MONDAY)
  assert.equal(clock.admit(MONDAY + HOUR, 'a'), 'ordinary')
  assert.equal(clock.admit(MONDAY + 2 * HOUR + 1, 'b'), 'held')
  assert.equal(clock.streamMs, MONDAY + HOUR)
})

test('a single wrong timestamp is rejected by the next ordinary record', () => {
  const clock = clockAt(MONDAY)
  assert.equal(clock.admit(YEAR_2150, 'wrong'), 'held')
  assert.equal(clock.admit(MONDAY + 1000, 'a'), 'settled')
  assert.deepEqual(verdicts(clock), ['wrong rejected', 'a ordinary'])
  assert.equal(clock.streamMs, MONDAY + 1000)
})

test('after a night three records in a row move the clock and none is lost', () => {
  const clock = clockAt(MONDAY)
  assert.equal(clock.admit(TUESDAY, 'a'), 'held')
  assert.equal(clock.admit(TUESDAY - 2000, 'b'), 'held')
  assert.equal(clock.admit(TUESDAY + 2000, 'c'), 'settled')
  assert.deepEqual(verdicts(clock), ['a ordinary', 'b ordinary', 'c ordinary'])
  assert.deepEqual(
    clock.settled.map(({ watermarkMs }) => watermarkMs + 10_000 - TUESDAY),
    [0, 0, 2000],
  )
})

test('a wrong timestamp within a real jump is not carried along', () => {
  for (const place of [0, 1, 2]) {
    const clock = clockAt(MONDAY)
    const out: string[] = []
    const records = ['a', 'b', 'c', 'd'].map((name, index): [number, string] => [TUESDAY + index * 1000, name])
    records.splice(place, 0, [YEAR_2150, 'wrong'])
    for (const [timeMs, name] of records) {
      const admission = clock.admit(timeMs, name)
      if (admission === 'settled') out.push(...verdicts(clock))
      else if (admission !== 'held') out.push(`${name} ${admission}`)
    }
    assert.deepEqual(
      out.toSorted(),
      ['a ordinary', 'b ordinary', 'c ordinary', 'd ordinary', 'wrong rejected'],
      `place ${place}`,
    )
    assert.equal(clock.streamMs, TUESDAY + 3000)
  }
})

test('copies of a wrong record do not confirm it', () => {
  const clock = clockAt(MONDAY)
  assert.equal(clock.admit(YEAR_2150, 'wrong'), 'held')
  for (let copy = 0; copy < 5; copy++) {
    assert.equal(clock.admit(YEAR_2150, 'wrong'), 'settled')
    assert.deepEqual(verdicts(clock), ['wrong duplicate'])
  }
  clock.admit(MONDAY, 'a')
  assert.deepEqual(verdicts(clock), ['wrong rejected', 'a ordinary'])
})

test('a late record says nothing about a held one', () => {
  const clock = clockAt(MONDAY)
  assert.equal(clock.admit(TUESDAY, 'a'), 'held')
  assert.equal(clock.admit(0, 'ancient'), 'late')
  assert.equal(clock.admit(TUESDAY, 'b'), 'held')
  assert.equal(clock.admit(TUESDAY, 'c'), 'settled')
  assert.deepEqual(verdicts(clock), ['a ordinary', 'b ordinary', 'c ordinary'])
})

test('a first record in a wrong year does not make the log late', () => {
  const clock = clockAt()
  assert.equal(clock.admit(YEAR_2150, 'wrong'), 'held')
  assert.equal(clock.admit(MONDAY, 'a'), 'settled')
  assert.deepEqual(verdicts(clock), ['wrong rejected'])
  clock.admit(MONDAY + 1, 'b')
  assert.equal(clock.admit(MONDAY + 2, 'c'), 'settled')
  assert.deepEqual(verdicts(clock), ['a ordinary', 'b ordinary', 'c ordinary'])
})

test('the first records of a log may be out of order like any others', () => {
  const clock = clockAt()
  assert.equal(clock.admit(MONDAY, 'a'), 'held')
  assert.equal(clock.admit(MONDAY - 60_000, 'b'), 'held')
  assert.equal(clock.admit(MONDAY - 30_000, 'c'), 'settled')
  assert.deepEqual(verdicts(clock), ['a ordinary', 'b late', 'c late'])
})

test('a log of one record, and a jump at the very end, come out at the end', () => {
  const clock = clockAt()
  assert.equal(clock.admit(MONDAY, 'only'), 'held')
  clock.end()
  assert.deepEqual(verdicts(clock), ['only ordinary'])
  clock.admit(TUESDAY, 'a')
  clock.end()
  assert.deepEqual(verdicts(clock), ['a ordinary'])
  assert.equal(clock.streamMs, TUESDAY)
})

test('a held record that is forgotten is as one that never came', () => {
  const clock = clockAt(MONDAY)
  assert.equal(clock.admit(TUESDAY, 'a'), 'held')
  assert.equal(clock.admit(TUESDAY + 1, 'b'), 'held')
  assert.equal(
    clock.forget(name => name === 'a'),
    1,
  )
  assert.equal(clock.admit(TUESDAY + 2, 'c'), 'held')
  assert.equal(clock.admit(TUESDAY + 3, 'd'), 'settled')
  assert.deepEqual(verdicts(clock), ['b ordinary', 'c ordinary', 'd ordinary'])
})

test('what the stream had heard from records that are gone lets their successors in', () => {
  const clock = clockAt()
  assert.equal(clock.admit(MONDAY, 'first'), 'held')
  clock.witness(MONDAY + 6)
  assert.deepEqual(verdicts(clock), ['first ordinary'])
  assert.equal(clock.streamMs, MONDAY + 6)
  assert.equal(clock.admit(YEAR_2150, 'wrong'), 'held')
  clock.witness(MONDAY + 5)
  assert.deepEqual([verdicts(clock), clock.streamMs, clock.held], [[], MONDAY + 6, 1])
})
