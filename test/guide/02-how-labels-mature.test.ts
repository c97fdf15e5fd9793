import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type RunReport, replay } from '../../src/index.js'
import { readOutput, writeSmallLog } from '../helpers/small-log.js'

// # 2. How labels mature
//
// That nobody clicked is known only after a while. So an impression waits: for each task as long as the task's `window`, and
// its features and its score wait with it. When the window is over, the label is settled, the score is judged, and the example
// is learned. A task without a window learns at once from the event itself; ratings are such events.
//
// All of this happens in event time. The **watermark** is the highest event time seen, minus `join.disorder`; a window is over
// when the watermark has passed its end. So a replay of last year's log does what the live run did last year.

const folder = mkdtempSync(join(tmpdir(), 'millrace-guide-'))
after(() => rmSync(folder, { recursive: true }))

const MINUTE = 60_000
const DAY = 1440 * MINUTE
const at = (ms: number) => Date.UTC(2026, 0, 1) + ms

writeFileSync(
  join(folder, 'films.yaml'),
  `
name: films
source: { log: log }
tasks:
  - { name: click, label: { event: click, window: 30m } }
  - { name: buy, label: { event: buy, window: 3d } }
join: { disorder: 10s, maxFuture: 30d, atEnd: wait }
features: { slots: [{ name: item, from: item }] }
outputs: { path: out }
checkpoint: { path: checkpoints }
`,
)

// Two films are shown to Ada at midnight. She clicks one after ten minutes and buys it the next day. She clicks the other after
// forty minutes: too late for the window of half an hour. Ten days later Bob comes by; his impression moves the clock.
// (`writeSmallLog` does what the first chapter did; it is in `test/helpers/small-log.ts`.)

await writeSmallLog(join(folder, 'log'), [
  ['impression', { eventId: 'a', eventTime: at(0), user: 'ada', item: 'alien' }],
  ['impression', { eventId: 'b', eventTime: at(0), user: 'ada', item: 'brazil' }],
  ['click', { eventId: 'c', eventTime: at(10 * MINUTE), user: 'ada', item: 'alien' }],
  ['click', { eventId: 'd', eventTime: at(40 * MINUTE), user: 'ada', item: 'brazil' }],
  ['buy', { eventId: 'e', eventTime: at(1 * DAY), user: 'ada', item: 'alien', value: 1 }],
  ['impression', { eventId: 'f', eventTime: at(10 * DAY), user: 'bob', item: 'alien' }],
])

function labelsOf(report: RunReport, name: string): (number | undefined)[] {
  const all = report.tasks.find(task => task.name === name)?.totals.find(total => total.split === 'all')
  return [all?.count, all?.positives]
}

test('a label counts when its event came within the window', async () => {
  const report = await replay(join(folder, 'films.yaml'), { write: true })

  assert.deepEqual(labelsOf(report, 'click'), [2, 1])
  assert.deepEqual(labelsOf(report, 'buy'), [2, 1])
  // Bob's impression still waits: `atEnd: wait` keeps it in the checkpoint for the next run. The default is to let it mature.
  assert.equal(report.records, 6)
  // The late click, and nothing else, found no impression that still waited for it.
  assert.deepEqual(report.counts.drops, { organic: 1 })
})

// The two tasks have learned at different times. The journal says which records had been read when a step was made: the click
// labels were settled, and learned, as soon as the clock stood at 00:40; the buy labels when it stood ten days later. An
// impression makes one example for each distinct window, so nothing waits for the longest one.

test('every window is learned at its own time', async () => {
  const journal = await readOutput<{ step: number; kind: string; examples: number; consumed: { offset: number }[] }>(
    join(folder, 'out/journal'),
  )
  const steps = journal.filter(({ kind }) => kind === 'learn')
  assert.deepEqual(
    steps.map(({ step, examples }) => [step, examples]),
    [
      [1, 2],
      [2, 2],
    ],
  )
  // Read when the step was made: a to c, and d was in hand; then a to e, and f was in hand.
  assert.deepEqual(
    steps.map(({ consumed }) => consumed[0]?.offset),
    [3, 5],
  )
})

// ## One wrong clock
//
// What if one record says that it is the year 2099? If it moved the clock, every waiting impression would mature without its
// click. So a record further ahead than `join.maxFuture` is held until the records behind it have spoken. If they agree, the
// stream did jump, over a night or an outage. If they contradict it, it is a dead letter, and nothing else has noticed.

test('one record from the far future does not move the clock', async () => {
  await writeSmallLog(join(folder, 'wrong-clock'), [
    ['impression', { eventId: 'a', eventTime: at(0), user: 'ada', item: 'alien' }],
    ['impression', { eventId: 'b', eventTime: Date.UTC(2099, 0, 1), user: 'bob', item: 'brazil' }],
    ['impression', { eventId: 'c', eventTime: at(5 * MINUTE), user: 'ada', item: 'brazil' }],
    ['click', { eventId: 'd', eventTime: at(10 * MINUTE), user: 'ada', item: 'alien' }],
    ['impression', { eventId: 'e', eventTime: at(1 * DAY), user: 'ada', item: 'alien' }],
  ])
  const report = await replay(join(folder, 'films.yaml'), { write: true, set: ['source.log=wrong-clock'] })

  assert.deepEqual(report.counts.rejects, { 'future-time': 1 })
  assert.deepEqual(labelsOf(report, 'click'), [2, 1])
  const letters = await readOutput<{ offset: string; reason: string }>(join(folder, 'out/dead-letters'))
  assert.deepEqual(
    letters.map(({ offset, reason }) => [offset, reason]),
    [['1', 'future-time']],
  )
})
