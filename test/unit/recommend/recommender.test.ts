import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recommend as schema } from '../../../src/config/recommend-schema.js'
import type { Positive } from '../../../src/domain/event.js'
import { type OnRank, Recommender } from '../../../src/recommend/recommender.js'
import { Hasher } from '../../../src/std/hash.js'
import { Random } from '../../../src/std/random.js'
import { readBack } from '../../helpers/read-back.js'

const HOUR = 3_600_000
const hasher = new Hasher()

function click(user: string, item: string, eventTimeMs: number): Positive {
  return { kind: 'click', eventId: '', requestId: null, eventTimeMs, user, item, value: 1, context: null }
}

interface Rank {
  ranker: string
  split: string
  rank: number
}

function judged(config: object): { recommender: Recommender; ranks: Rank[] } {
  const ranks: Rank[] = []
  const onRank: OnRank = ({ ranker, split, rank }) => ranks.push({ ranker, split, rank })
  return { recommender: new Recommender(schema.parse(config), hasher, 1, onRank), ranks }
}

/** Users who like one of two shelves and walk along it. */
function walk(steps: number, seed = 1): Positive[] {
  const random = new Random(seed)
  return Array.from({ length: steps }, (_, step) => {
    const user = random.integer(30)
    return click(`u${user}`, `${user % 2}-${random.integer(20)}`, step * HOUR)
  })
}

test('an item is judged by what came before it: the first of its kind is a miss', () => {
  const { recommender, ranks } = judged({})
  recommender.observe(click('a', 'x', 0))
  recommender.observe(click('b', 'x', HOUR))
  recommender.observe(click('a', 'x', 2 * HOUR))
  assert.deepEqual(
    ranks.map(({ split, rank }) => [split, rank]),
    [
      ['all', Number.POSITIVE_INFINITY],
      ['new', Number.POSITIVE_INFINITY],
      ['all', 1],
      ['new', 1],
      ['all', 1],
      ['repeated', 1],
    ],
  )
})

test('positives of one tick do not see each other, and the same pair counts once', () => {
  const { recommender, ranks } = judged({ tick: '1d' })
  for (const hour of [0, 1, 2]) recommender.observe(click('a', 'x', hour * HOUR))
  assert.equal(ranks.length, 2)
  recommender.observe(click('b', 'x', 3 * HOUR))
  assert.equal(ranks.at(-1)?.rank, Number.POSITIVE_INFINITY)
  recommender.observe(click('c', 'x', 24 * HOUR))
  assert.equal(ranks.at(-1)?.rank, 1)
})

test('ties count against the item, in every ranker', () => {
  const { recommender, ranks } = judged({ tick: '1d', baselines: true })
  for (const item of ['x', 'y', 'z']) recommender.observe(click(`first ${item}`, item, 0))
  ranks.length = 0
  recommender.observe(click('somebody', 'y', 24 * HOUR))
  const popularity = ranks.filter(({ ranker, split }) => ranker === 'popularity' && split === 'all')
  assert.deepEqual(
    popularity.map(({ rank }) => rank),
    [3],
  )
})

test('a user gets the shelf that she walks along, and without repeats only what she has not had', () => {
  const { recommender } = judged({ repeats: false, size: 5 })
  const had = new Set<string>()
  for (const event of walk(1500)) {
    recommender.observe(event)
    if (event.user === 'u1') had.add(event.item)
  }
  const fresh = 'somebody new'
  for (const item of ['1-3', '1-4']) recommender.observe(click(fresh, item, 2000 * HOUR))
  const list = recommender.recommend(fresh, 2001 * HOUR, 10)
  assert.equal(list.length, 10)
  assert.ok(
    list.every(({ item }) => item.startsWith('1-') && item !== '1-3' && item !== '1-4'),
    JSON.stringify(list),
  )
  assert.deepEqual(
    recommender.recommend('u1', 2001 * HOUR, 100).filter(({ item }) => had.has(item)),
    [],
  )
})

test('co-counts and associations beat popularity where users differ, exact and sampled', () => {
  for (const exactItems of [8192, 0]) {
    const { recommender, ranks } = judged({ repeats: false, baselines: true, exactItems })
    for (const event of walk(1500)) recommender.observe(event)
    const mrr = (name: string) => {
      const of = ranks.filter(({ ranker, split }) => ranker === name && split === 'new').slice(100)
      return of.reduce((sum, { rank }) => sum + 1 / rank, 0) / of.length
    }
    assert.ok(mrr('item-knn') > 1.3 * mrr('popularity'), `${mrr('item-knn')} ${mrr('popularity')}`)
    assert.ok(mrr('next-item') > 1.3 * mrr('popularity'), `${mrr('next-item')} ${mrr('popularity')}`)
    assert.ok(mrr('bpr') > 1.1 * mrr('popularity'), `${mrr('bpr')} ${mrr('popularity')}`)
  }
})

test('what users come back to is ordered better than by their own history alone, exact and sampled', () => {
  for (const exactItems of [8192, 0]) {
    const { recommender, ranks } = judged({ tick: '1d', baselines: true, exactItems })
    const random = new Random(4)
    for (let day = 0; day < 60; day++) {
      for (let user = 0; user < 20; user++) {
        // What is her own she comes back to, to some of it more often; the rest is what everybody has now and then.
        for (let nth = 0; nth < 3; nth++) {
          const isOwn = random.uniform() < 0.4
          const item = isOwn ? `own-${user}-${Math.floor(10 * random.uniform() ** 2)}` : `any-${random.integer(60)}`
          recommender.observe(click(`u${user}`, item, (day * 24 + nth) * HOUR))
        }
      }
    }
    const mrr = (name: string) => {
      const of = ranks.filter(({ ranker, split }) => ranker === name && split === 'repeated').slice(300)
      return of.reduce((sum, { rank }) => sum + 1 / rank, 0) / of.length
    }
    assert.ok(mrr('next-item') > 1.02 * mrr('own-history'), `${mrr('next-item')} ${mrr('own-history')}`)
  }
})

test('what a user has had in this tick is no candidate against what else she has in it', () => {
  const theta = (second: string) => {
    const { recommender } = judged({ tick: '1d' })
    for (const item of ['x', 'y']) recommender.observe(click('a', item, 0))
    for (const item of ['x', second]) recommender.observe(click('a', item, 24 * HOUR))
    recommender.recommend('a', 48 * HOUR, 1)
    return recommender.stats().theta
  }
  // x or y comes, which is learned; then y alone is left, and there is nothing to learn.
  assert.deepEqual(theta('y'), theta('x'))
})

test('a model with another number of weights is refused', () => {
  const { recommender } = judged({})
  const saved = readBack(recommender.saveState())
  saved.arrays.theta = new Float64Array(8)
  assert.throws(() => judged({}).recommender.loadState(saved), /8 θ/)
})

test('judging the baselines changes no list and no rank of the model', () => {
  const runs = [true, false].map(baselines => {
    const { recommender, ranks } = judged({ baselines, exactItems: 0 })
    for (const event of walk(600)) recommender.observe(event)
    const own = ranks.filter(({ ranker }) => ranker === 'next-item')
    return { own, list: recommender.recommend('u1', 601 * HOUR, 10) }
  })
  assert.deepEqual(runs[0], runs[1])
})

test('saved anywhere and restored, it goes on to the same ranks and the same saved bytes', () => {
  // Small bounds, so that items and pairs are forgotten on the way; ticks that are open when it is saved.
  const config = {
    tick: '5h',
    maxItems: 30,
    maxPairs: 100,
    neighbours: 8,
    baselines: true,
    exactItems: 20,
    negatives: 8,
  }
  const events = walk(800)
  const straight = judged(config)
  for (const event of events) straight.recommender.observe(event)
  let resumed = judged(config)
  const ranks: Rank[] = []
  for (const [nth, event] of events.entries()) {
    if (nth % 137 === 100) {
      ranks.push(...resumed.ranks)
      const next = judged(config)
      next.recommender.loadState(readBack(resumed.recommender.saveState()))
      resumed = next
    }
    resumed.recommender.observe(event)
  }
  assert.deepEqual([...ranks, ...resumed.ranks], straight.ranks)
  assert.deepEqual(readBack(resumed.recommender.saveState()), readBack(straight.recommender.saveState()))
  const { items, pairs } = straight.recommender.stats()
  assert.ok(items <= 30 && pairs <= 100)
  assert.deepEqual(
    resumed.recommender.recommend('u1', 900 * HOUR, 5),
    straight.recommender.recommend('u1', 900 * HOUR, 5),
  )
})
