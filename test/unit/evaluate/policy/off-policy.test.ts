import assert from 'node:assert/strict'
import { test } from 'node:test'
import { OffPolicy } from '../../../../src/evaluate/policy/off-policy.js'
import { Pages, type Shown } from '../../../../src/evaluate/policy/pages.js'
import { policyNote } from '../../../../src/evaluate/report/policy.js'
import { Random } from '../../../../src/std/random.js'

const PLACED = { placed: 10, unusable: 0 }
/** Two items, a and b; a leads with this probability, whatever is better. */
const A_FIRST = 0.8
const TRUTH = { a: [0.3, 0.1], b: [0.5, 0.25] } as const

/** Pages of a shop that prefers a, judged by an order that prefers b. stated: what the log says of the propensity. */
function simulated(
  pages: number,
  stated: (propensity: number) => number,
  { shares = TRUTH, seed = 8 } = {},
): OffPolicy {
  const random = new Random(seed)
  const estimator = new OffPolicy()
  for (let page = 0; page < pages; page++) {
    const aFirst = random.uniform() < A_FIRST
    const propensity = stated(aFirst ? A_FIRST : 1 - A_FIRST)
    const shown = (item: 'a' | 'b', first: boolean): Shown => ({
      position: first ? 1 : 2,
      propensity,
      tie: 0,
      score: item === 'b' ? 1 : 0,
      expected: 0.2,
      reward: random.uniform() < (shares[item][first ? 0 : 1] ?? 0) ? 1 : 0,
    })
    estimator.add([shown('a', aFirst), shown('b', !aFirst)], page % 500, 0, true)
  }
  return estimator
}

test('intervals of 95 % cover the value of an order that the log seldom had, in about 95 of 100 logs', () => {
  const truth = {
    logged: (A_FIRST * (0.3 + 0.25) + (1 - A_FIRST) * (0.5 + 0.1)) / 2,
    ips: (0.5 + 0.1) / 2,
    snips: (0.5 + 0.1) / 2,
    dr: (0.5 + 0.1) / 2,
  }
  const covered = { logged: 0, ips: 0, snips: 0, dr: 0 }
  const width = { logged: 0, ips: 0, snips: 0, dr: 0 }
  for (let seed = 1; seed <= 100; seed++) {
    const { values } = simulated(3000, p => p, { seed }).result('click', PLACED)
    assert.ok(values)
    for (const name of ['logged', 'ips', 'snips', 'dr'] as const) {
      const { low, high } = values[name]
      if (low < truth[name] && truth[name] < high) covered[name]++
      width[name] += high - low
    }
    assert.ok(Math.abs(values.gain.value - (values.dr.value - values.logged.value)) < 1e-12)
  }
  for (const [name, count] of Object.entries(covered)) assert.ok(count >= 88 && count <= 99, `${name} ${count}`)
  assert.ok(width.dr < 0.9 * width.ips && width.snips < 0.9 * width.ips, JSON.stringify(width))
})

test('what the agreeing impressions are worth is their number where weights are equal', () => {
  const { effective, meanWeight, pages } = simulated(20_000, p => p).result('click', PLACED)
  assert.equal(pages, 20_000)
  assert.ok(Math.abs(effective / 8000 - 1) < 0.05)
  assert.ok(Math.abs(meanWeight - 1) < 0.05)
})

test('propensities that are not those of the log are found out', () => {
  const { refused, values } = simulated(20_000, () => 0.5).result('click', PLACED)
  assert.match(refused ?? '', /weights average 0\.\d+ instead of 1/)
  assert.equal(values, undefined)
})

test('too little overlap and too few rewards are refused in a sentence', () => {
  const few = simulated(400, p => p).result('click', PLACED)
  assert.match(few.refused ?? '', /Too little overlap: .* worth \d+ impressions; 500 are the least/)
  assert.match(policyNote(few), /^No estimate of another order\. Too little overlap/)
  const none = simulated(4000, p => p, { shares: { a: [0, 0], b: [0, 0] } as never }).result('click', PLACED)
  assert.match(none.refused ?? '', /Only 0 rewards/)
  const empty = new OffPolicy()
  assert.match(empty.result('click', { placed: 0, unusable: 0 }).refused ?? '', /No impression says its page/)
  assert.match(empty.result('click', { placed: 9, unusable: 9 }).refused ?? '', /No impression has a propensity/)
  assert.match(empty.result('click', PLACED).refused ?? '', /nothing to put into another order/)
})

test('by hand: one page that agrees, one that does not', () => {
  const estimator = new OffPolicy()
  const shown = (position: number, score: number, reward: number): Shown => ({
    position,
    propensity: 0.5,
    tie: 0,
    score,
    expected: 0.25,
    reward,
  })
  estimator.add([shown(1, 2, 1), shown(2, 1, 0)], 1, 0, true)
  estimator.add([shown(1, 1, 1), shown(2, 2, 0)], 2, 0, true)
  // One impression says nothing of an order, nor do two in one place; what is before evaluate.after does not count.
  estimator.add([shown(1, 1, 1)], 3, 0, true)
  estimator.add([shown(1, 1, 1), shown(1, 2, 1)], 4, 0, true)
  estimator.add([shown(1, 2, 1), shown(2, 1, 0)], 5, 0, false)
  const { pages, impressions, effective, meanWeight } = estimator.result('click', PLACED)
  assert.deepEqual(
    { pages, impressions, effective, meanWeight },
    { pages: 2, impressions: 4, effective: 2, meanWeight: 1 },
  )
})

test('a page is complete when all its impressions are judged; one without a propensity is handed on as such', () => {
  const pages: (readonly Shown[])[] = []
  const gathered = new Pages('p', page => pages.push(page))
  const impression = (position: number, p?: string) => ({
    requestId: 'r',
    position,
    context: p === undefined ? null : { p },
  })
  gathered.arrive(1, impression(1, '0.25'), 7)
  gathered.arrive(2, impression(2), 8)
  gathered.arrive(3, { requestId: null, position: 1, context: null }, 9)
  gathered.judged(3, 1, 1, 1)
  gathered.judged(2, 0.5, 0.1, 0)
  assert.equal(pages.length, 0)
  gathered.judged(1, 0.7, 0.2, 1)
  assert.deepEqual(pages[0], [
    { position: 1, propensity: 0.25, tie: 7, score: 0.7, expected: 0.2, reward: 1 },
    { position: 2, propensity: 0, tie: 8, score: 0.5, expected: 0.1, reward: 0 },
  ])
  assert.deepEqual([gathered.placed, gathered.unusable], [2, 1])
})
