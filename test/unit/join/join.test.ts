import assert from 'node:assert/strict'
import test from 'node:test'
import type { Config, TaskConfig } from '../../../src/config/schema.js'
import type { Impression, Positive, PositiveKind } from '../../../src/domain/event.js'
import {
  MASK_COUNTED,
  MASK_JUDGED,
  MASK_REACHED,
  MASK_STEP_TAKEN_BACK,
  MASK_TAKEN_BACK,
} from '../../../src/domain/example.js'
import { Joiner } from '../../../src/join/join.js'
import { Hasher } from '../../../src/std/hash.js'

const hasher = new Hasher()

function task(event: PositiveKind, window: number | undefined, more: Partial<TaskConfig> = {}): TaskConfig {
  const label = {
    event,
    attribution: 'last' as const,
    late: 'wait' as const,
    ...(window === undefined ? {} : { window }),
  }
  return { name: event, head: 'binary', label, prior: 1, rank: 1, ...more }
}

const CLICK_AND_BUY = [task('click', 100), task('buy', 1000)]

function joined(
  tasks: TaskConfig[],
  config: Partial<Config['join']> = {},
  seen: (mask: Uint8Array) => void = () => {},
) {
  const calls: string[] = []
  let rows = 0
  const joiner = new Joiner(
    tasks,
    {
      disorder: 10,
      late: 'use',
      maxFuture: 3_600_000,
      duplicateWindow: 86_400_000,
      duplicateCapacity: 1_000_000,
      maxWaiting: 500_000,
      organic: 'drop',
      atEnd: 'mature',
      negatives: 2,
      ...config,
    },
    hasher,
    1,
    {
      arrive({ user, item }, score) {
        calls.push(`arrive ${rows} ${user}/${item}${score ? '' : ' unscored'}`)
        return rows++
      },
      mature(row, labels, mask, fresh, timeMs) {
        seen(mask)
        const shown = Array.from(labels, (label, index) => (mask[index] ? label : '-'))
        calls.push(`mature ${row} [${shown}] at ${timeMs}${fresh ? ' fresh' : ''}`)
      },
      release: row => calls.push(`release ${row}`),
      drop: (reason, count) => calls.push(`drop ${reason} ${count}`),
    },
  )
  return { joiner, take: () => calls.splice(0) }
}

const stamp = (user: string, item: string, eventTimeMs: number) => ({
  eventId: `${user}${item}${eventTimeMs}`,
  eventTimeMs,
  user,
  item,
  requestId: null,
  context: null,
})
const impression = (user: string, item: string, timeMs: number, requestId: string | null = null): Impression => ({
  ...stamp(user, item, timeMs),
  kind: 'impression',
  position: null,
  requestId,
})
const positive = (
  kind: PositiveKind,
  user: string,
  item: string,
  timeMs: number,
  more: Partial<Positive> = {},
): Positive => ({
  ...stamp(user, item, timeMs),
  kind,
  value: 1,
  ...more,
})

test('each task matures at the end of its own window and the row goes with the last one', () => {
  const { joiner, take } = joined(CLICK_AND_BUY)
  joiner.handle(impression('u', 'a', 1000))
  joiner.handle(positive('click', 'u', 'a', 1100))
  joiner.handle(positive('buy', 'u', 'a', 2000))
  assert.deepEqual(take(), ['arrive 0 u/a'])
  joiner.advance(1100)
  assert.deepEqual(take(), [], 'the end of the window still counts')
  joiner.advance(1101)
  assert.deepEqual(take(), ['mature 0 [1,-] at 1000'])
  joiner.advance(2001)
  assert.deepEqual(take(), ['mature 0 [-,1] at 1000', 'release 0'])
  assert.equal(joiner.waiting, 0)
})

test('an impression without positives is a negative for clicks and buys, and nothing for ratings', () => {
  const { joiner, take } = joined([
    task('click', 100),
    task('buy', 100),
    task('rating', 100, { head: 'regression' }),
    task('rating', 100, { label: { event: 'rating', window: 100, attribution: 'last', late: 'wait', atLeast: 4 } }),
  ])
  joiner.handle(impression('u', 'a', 0))
  joiner.handle(impression('u', 'b', 0))
  joiner.handle(positive('rating', 'u', 'b', 5, { value: 3.5 }))
  joiner.end()
  assert.deepEqual(take().slice(2), ['mature 0 [0,0,-,-] at 0', 'release 0', 'mature 1 [0,0,3.5,0] at 0', 'release 1'])
})

test('a task without a window makes the positive an example at once, and it still labels what waits', () => {
  const rated = {
    event: 'rating' as const,
    window: 100,
    attribution: 'last' as const,
    late: 'wait' as const,
    atLeast: 4,
  }
  const { joiner, take } = joined([
    task('rating', undefined, { head: 'ordinal' }),
    task('rating', 100, { label: rated }),
  ])
  joiner.handle(impression('u', 'a', 0))
  joiner.handle(positive('rating', 'u', 'a', 5, { value: 5 }))
  assert.deepEqual(take(), ['arrive 0 u/a', 'arrive 1 u/a unscored', 'mature 1 [5,-] at 5 fresh', 'release 1'])
  joiner.end()
  assert.deepEqual(take(), ['mature 0 [-,1] at 0', 'release 0'])
})

test('with only window-less tasks an impression is scored and let go', () => {
  const { joiner, take } = joined([task('rating', undefined, { head: 'regression' })])
  joiner.handle(impression('u', 'a', 0))
  joiner.handle(positive('click', 'u', 'a', 1))
  assert.deepEqual(take(), ['arrive 0 u/a', 'release 0'])
  assert.equal(joiner.stats().unused, 1)
})

test('a positive goes to the impression of its request, else to the latest before it', () => {
  const { joiner, take } = joined([task('click', 100)])
  joiner.handle(impression('u', 'a', 0, 'first'))
  joiner.handle(impression('u', 'a', 10, 'second'))
  joiner.handle(impression('u', 'a', 20, 'third'))
  joiner.handle(positive('click', 'u', 'a', 30, { requestId: 'first' }))
  joiner.handle(positive('click', 'u', 'a', 15, { requestId: 'unknown' }))
  joiner.end()
  const labels = take().filter(call => call.startsWith('mature'))
  assert.deepEqual(labels, ['mature 0 [1] at 0', 'mature 1 [1] at 10', 'mature 2 [0] at 20'])
})

test('a second click on a clicked impression changes nothing', () => {
  const { joiner, take } = joined([task('click', 100)])
  joiner.handle(impression('u', 'a', 0))
  joiner.handle(impression('u', 'a', 10))
  for (const timeMs of [20, 30]) joiner.handle(positive('click', 'u', 'a', timeMs))
  joiner.end()
  const labels = take().filter(call => call.startsWith('mature'))
  assert.deepEqual(labels, ['mature 0 [0] at 0', 'mature 1 [1] at 10'])
})

test('a click that comes before its impression waits for it, and its organic rows are given back', () => {
  const { joiner, take } = joined([task('click', 100)], { organic: 'positive' })
  joiner.advance(990)
  joiner.handle(positive('click', 'u', 'a', 1000))
  joiner.handle(impression('u', 'a', 995))
  assert.deepEqual(take(), ['arrive 0 u/a', 'arrive 1 u/a', 'release 0'])
  joiner.end()
  assert.deepEqual(take(), ['mature 1 [1] at 995', 'release 1'])
  assert.deepEqual(joiner.stats().attributed, { click: 1, buy: 0, rating: 0 })
})

test('an organic positive is dropped and counted, or an example, with negatives of the same user', () => {
  const { joiner: dropping, take: takeDropped } = joined(CLICK_AND_BUY)
  dropping.handle(positive('buy', 'u', 'a', 1000))
  dropping.advance(1000)
  assert.deepEqual(takeDropped(), [])
  dropping.advance(1001)
  assert.deepEqual(takeDropped(), ['drop organic 1'])

  const { joiner, take } = joined(CLICK_AND_BUY, { organic: 'negatives' })
  for (const item of ['a', 'b', 'c', 'd']) joiner.handle(positive('buy', 'other', item, 0))
  joiner.advance(500)
  take()
  joiner.handle(impression('u', 'b', 500))
  joiner.handle(positive('buy', 'u', 'a', 1000))
  const arrived = take().slice(2)
  assert.equal(arrived.length, 2, 'two negatives')
  assert.ok(
    arrived.every(call => /u\/[cd]$/.test(call)),
    'neither the item itself nor one that waits for its own label',
  )
  joiner.advance(1001)
  const labels = take().filter(call => call.startsWith('mature') && call.endsWith('at 1000'))
  assert.deepEqual(
    labels.map(call => call.slice(call.indexOf('['))),
    ['[-,1] at 1000', '[-,0] at 1000', '[-,0] at 1000'],
  )
})

test('beyond its capacity the oldest impression matures early with the labels known by then', () => {
  const { joiner, take } = joined(CLICK_AND_BUY, { maxWaiting: 2 })
  joiner.handle(impression('u', 'a', 0))
  joiner.handle(positive('click', 'u', 'a', 1))
  joiner.handle(impression('u', 'b', 2))
  joiner.handle(impression('u', 'c', 3))
  assert.deepEqual(take().slice(2), ['drop capacity 1', 'mature 0 [1,0] at 0', 'release 0', 'arrive 2 u/c'])
  assert.equal(joiner.waiting, 2)
})

test('a late impression waits its window from the watermark on, so that its late click finds it', () => {
  const { joiner, take } = joined([task('click', 100)])
  joiner.advance(10_000)
  joiner.handle(impression('u', 'a', 1000))
  joiner.handle(positive('click', 'u', 'a', 1050))
  joiner.advance(10_100)
  assert.deepEqual(take(), ['arrive 0 u/a'])
  joiner.advance(10_101)
  assert.deepEqual(take(), ['mature 0 [1] at 1000', 'release 0'])
  assert.equal(joiner.stats().late, 2)
})

test('late records are dropped and counted if the configuration says so', () => {
  const { joiner, take } = joined([task('click', 100)], { late: 'drop' })
  joiner.advance(1000)
  joiner.handle(impression('u', 'a', 999))
  joiner.handle(impression('u', 'a', 1000))
  assert.deepEqual(take(), ['drop late 1', 'arrive 0 u/a'])
})

test('at the end of a log what waits matures, or stays in the checkpoint', () => {
  const { joiner: waiting, take: takeWaiting } = joined(CLICK_AND_BUY, { atEnd: 'wait' })
  waiting.handle(impression('u', 'a', 0))
  waiting.end()
  assert.deepEqual(takeWaiting(), ['arrive 0 u/a'])
  assert.deepEqual([...waiting.waitingRows()], [0])
  const { joiner, take } = joined(CLICK_AND_BUY)
  joiner.handle(impression('u', 'a', 0))
  joiner.end()
  assert.deepEqual(take(), ['arrive 0 u/a', 'mature 0 [0,-] at 0', 'mature 0 [-,0] at 0', 'release 0'])
})

test('a buy says whether its impression was clicked, also when the click matured long before', () => {
  const masks: string[] = []
  const tasks = [task('click', 100), task('buy', 1000, { given: 'click' })]
  const { joiner } = joined(tasks, {}, mask => masks.push(mask.join(' ')))
  for (const item of ['clicked', 'bought', 'shown']) joiner.handle(impression('u', item, 0))
  joiner.handle(positive('click', 'u', 'clicked', 10))
  joiner.handle(positive('buy', 'u', 'bought', 20))
  joiner.end()
  const final = MASK_COUNTED | MASK_JUDGED
  const reached = final | MASK_REACHED
  const clicks = [`${final} 0`, `${final} 0`, `${final} 0`]
  assert.deepEqual(masks, [...clicks, `0 ${reached}`, `0 ${reached}`, `0 ${final}`])
})

function lateBuy(late: TaskConfig['label']['late'], more: Partial<TaskConfig['label']> = {}): TaskConfig[] {
  const label = { event: 'buy' as const, window: 1000, attribution: 'last' as const, late, ...more }
  return [task('click', 100), task('buy', 1000, { given: 'click', label })]
}

/** Each call of mature(): row, labels, mask. */
function learnedOf(tasks: TaskConfig[], config: Partial<Config['join']>, run: (joiner: Joiner) => void): string[] {
  const masks: string[] = []
  const { joiner, take } = joined(tasks, config, mask => masks.push(mask.join(' ')))
  run(joiner)
  const matured = take().filter(call => call.startsWith('mature'))
  return matured.map((call, index) => `${call.split(' ')[1]}: ${call.split(' ')[2]} ${masks[index]}`)
}

const LEARNED = MASK_COUNTED | MASK_REACHED

test('a buy is learned with the click, taken back when it comes after all, and judged once, when it is final', () => {
  const calls = learnedOf(lateBuy('take-back'), {}, joiner => {
    for (const item of ['soon', 'late', 'never', 'unseen']) joiner.handle(impression('u', item, 0))
    for (const item of ['soon', 'late', 'never']) joiner.handle(positive('click', 'u', item, 10))
    joiner.handle(positive('buy', 'u', 'soon', 20))
    joiner.advance(101)
    joiner.handle(positive('buy', 'u', 'late', 500))
    joiner.handle(positive('buy', 'u', 'late', 501))
    joiner.handle(positive('buy', 'u', 'unseen', 502))
    joiner.advance(1001)
  })
  assert.deepEqual(calls, [
    `0: [1,1] ${MASK_COUNTED | MASK_JUDGED} ${LEARNED}`,
    `1: [1,0] ${MASK_COUNTED | MASK_JUDGED} ${LEARNED}`,
    `2: [1,0] ${MASK_COUNTED | MASK_JUDGED} ${LEARNED}`,
    `3: [0,0] ${MASK_COUNTED | MASK_JUDGED} ${MASK_COUNTED}`,
    `1: [-,1] 0 ${MASK_TAKEN_BACK | MASK_STEP_TAKEN_BACK}`,
    // Whoever bought has clicked, though nobody saw it: the step was not learned as 0.
    `3: [-,1] 0 ${MASK_TAKEN_BACK | MASK_REACHED}`,
    ...[1, 1, 0, 1].map((label, row) => `${row}: [-,${label}] 0 ${MASK_JUDGED}`),
  ])
})

test('a late buy may also be a further example, or be waited for; a task without a funnel says itself when it is learned', () => {
  const run = (joiner: Joiner) => {
    joiner.handle(impression('u', 'a', 0))
    joiner.handle(positive('click', 'u', 'a', 10))
    joiner.advance(301)
    joiner.handle(positive('buy', 'u', 'a', 500))
    joiner.advance(1001)
  }
  const click = `0: [1,-] ${MASK_COUNTED | MASK_JUDGED} 0`
  assert.deepEqual(learnedOf(lateBuy('duplicate'), {}, run), [
    `0: [1,0] ${MASK_COUNTED | MASK_JUDGED} ${LEARNED}`,
    `0: [-,1] 0 ${LEARNED}`,
    `0: [-,1] 0 ${MASK_JUDGED}`,
  ])
  assert.deepEqual(learnedOf(lateBuy('wait'), {}, run), [click, `0: [-,1] 0 ${LEARNED | MASK_JUDGED}`])
  const alone = lateBuy('take-back', { early: 300 }).map(({ given, ...rest }) => rest)
  assert.deepEqual(learnedOf(alone, {}, run), [
    click,
    `0: [-,0] 0 ${MASK_COUNTED}`,
    `0: [-,1] 0 ${MASK_TAKEN_BACK}`,
    `0: [-,1] 0 ${MASK_JUDGED}`,
  ])
})

test('a click that nobody was shown is an example of what comes after clicks, and of nothing else', () => {
  const calls = learnedOf(lateBuy('take-back'), { organic: 'funnel' }, joiner => {
    joiner.handle(positive('click', 'u', 'soon', 0))
    joiner.handle(positive('click', 'u', 'late', 1))
    joiner.handle(positive('buy', 'u', 'soon', 2))
    // Again: not a further example.
    joiner.handle(positive('click', 'u', 'soon', 3))
    // Without a click nothing begins.
    joiner.handle(positive('buy', 'u', 'other', 4))
    joiner.advance(50)
    joiner.handle(positive('click', 'u', 'soon', 60))
    joiner.advance(200)
    joiner.handle(positive('buy', 'u', 'late', 500))
    joiner.end()
    assert.equal(joiner.stats().organic, 2)
    assert.equal(joiner.stats().dropped.organic, 1)
  })
  assert.deepEqual(calls, [
    `0: [-,1] 0 ${MASK_REACHED}`,
    `1: [-,0] 0 ${MASK_REACHED}`,
    `1: [-,1] 0 ${MASK_STEP_TAKEN_BACK}`,
  ])
})

test('where buys are credited to what they are given, the last click gets them, also one that comes after its buy', () => {
  const tasks = lateBuy('wait', { attribution: 'given' })
  const { joiner, take } = joined(tasks)
  for (const [item, timeMs] of [
    ['a', 0],
    ['b', 0],
    ['a', 50],
    ['b', 50],
  ] as const)
    joiner.handle(impression('u', item, timeMs))
  joiner.handle(positive('click', 'u', 'a', 10))
  joiner.handle(positive('buy', 'u', 'a', 60))
  joiner.handle(positive('buy', 'u', 'b', 62))
  joiner.handle(positive('click', 'u', 'b', 61))
  joiner.end()
  const buys = take().filter(call => call.startsWith('mature') && call.includes('[-,'))
  assert.deepEqual(
    buys.map(call => call.slice(0, 'mature 0 [-,0]'.length)),
    ['mature 0 [-,1]', 'mature 1 [-,0]', 'mature 2 [-,0]', 'mature 3 [-,1]'],
  )
  assert.equal(joiner.stats().resolved, 1)
  assert.equal(joiner.stats().dropped.organic, 0)
})

test('of the negatives a task keeps the share that it says, the same ones in every run, and judges all', () => {
  const label = { event: 'buy' as const, window: 1000, attribution: 'last' as const, late: 'take-back' as const }
  const tasks = [
    { ...task('click', 100), label: { ...task('click', 100).label, keepNegatives: 0.25 } },
    task('buy', 1000, { given: 'click', label: { ...label, keepNegatives: 0.25 } }),
  ]
  const run = () =>
    learnedOf(tasks, {}, joiner => {
      for (let i = 0; i < 1000; i++) joiner.handle(impression('u', `i${i}`, i % 7))
      for (let i = 0; i < 100; i++) joiner.handle(positive('click', 'u', `i${i}`, 50))
      joiner.advance(500)
      for (let i = 50; i < 150; i++) joiner.handle(positive('buy', 'u', `i${i}`, 600))
      joiner.end()
    })
  const calls = run()
  assert.deepEqual(run(), calls)
  const of = (pattern: RegExp) => calls.filter(call => pattern.test(call)).length
  // Clicked ones are all learned, as a step too where the entire space is left out; of the rest a quarter.
  assert.equal(of(/: \[1,/), 100)
  const negatives = of(new RegExp(`: \\[0,0\\] ${MASK_COUNTED | MASK_JUDGED} ${MASK_COUNTED}$`))
  assert.ok(Math.abs(negatives - 225) < 50, `${negatives} of 900`)
  assert.equal(of(new RegExp(`: \\[0,-\\] ${MASK_JUDGED} 0$`)), 900 - negatives)
  // A late buy is taken back where it was learned as 0, and a plain positive where it was not.
  const takenBack = of(new RegExp(`: \\[-,1\\] 0 ${MASK_TAKEN_BACK | MASK_STEP_TAKEN_BACK}$`))
  const plain = of(new RegExp(`: \\[-,1\\] 0 ${MASK_COUNTED | MASK_STEP_TAKEN_BACK}$`))
  assert.equal(takenBack + plain, 50)
  assert.ok(takenBack > 2 && plain > 25, `${takenBack} ${plain}`)
  assert.equal(calls.filter(call => (Number(call.split(' ')[3]) & MASK_JUDGED) !== 0).length, 1000)
})
