/**
 * Top-N over a large catalogue: how long one exact answer takes, and what learning a positive costs, on a synthetic
 * stream with Zipf-like items and users who stay within a few neighbourhoods of the catalogue. One process, one thread.
 */
import { recommend as schema } from '../src/config/recommend-schema.js'
import type { Positive } from '../src/domain/event.js'
import { Recommender } from '../src/recommend/recommender.js'
import { Hasher } from '../src/std/hash.js'
import { Random } from '../src/std/random.js'
import type { Context, Measured } from './row.js'
import { spreadOf } from './statistics.js'

const SIZE = { items: 100_000, users: 20_000, positives: 200_000, queries: 500 }
const QUICK = { items: 10_000, users: 2_000, positives: 50_000, queries: 100 }
const NEIGHBOURHOOD = 200
const STEP_MS = 500

export async function measureTopN({ quick, say }: Context): Promise<Measured> {
  const { items, users, positives, queries } = quick ? QUICK : SIZE
  say(`${positives} positives of ${items} items`)
  const random = new Random(1)
  const recommender = new Recommender(schema.parse({ judgeEvery: 0 }), new Hasher(), 1)
  const draw = (user: number) => {
    // Most of what a user has is of her three neighbourhoods, the rest of everywhere; low numbers are popular.
    const home = ((user * 7919 + random.integer(3) * 104_729) % (items / NEIGHBOURHOOD)) * NEIGHBOURHOOD
    const skewed = random.uniform() ** 2
    return random.uniform() < 0.8 ? home + Math.floor(skewed * NEIGHBOURHOOD) : Math.floor(skewed * items)
  }
  // Every item comes once before, so that the catalogue is as large as it says; those are not counted.
  const total = items + positives
  const event: Positive = {
    kind: 'click',
    eventId: '',
    requestId: null,
    eventTimeMs: 0,
    user: '',
    item: '',
    value: 1,
    context: null,
  }
  let start = performance.now()
  for (let n = 0; n < total; n++) {
    if (n === items) start = performance.now()
    const user = random.integer(users)
    event.user = `u${user}`
    event.item = `i${n < items ? n : draw(user)}`
    event.eventTimeMs = n * STEP_MS
    recommender.observe(event)
  }
  const learnedUs = ((performance.now() - start) / positives) * 1000
  say(`${queries} answers`)
  const times = Array.from({ length: queries }, () => {
    const user = `u${random.integer(users)}`
    const before = performance.now()
    recommender.recommend(user, total * STEP_MS, 100)
    return (performance.now() - before) * 1000
  })
  const { theta, ...sizes } = recommender.stats()
  return {
    figures: [
      {
        name: 'answer',
        format: 'micros',
        value: spreadOf(times.slice(queries / 10)),
        limit: { better: 'lower', reach: 20_000, strive: 5_000 },
      },
      { name: 'learned', format: 'micros', value: learnedUs, limit: { better: 'lower', reach: 500, strive: 200 } },
    ],
    details: { ...sizes, theta, learnedUs },
  }
}
