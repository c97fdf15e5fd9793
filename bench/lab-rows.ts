/**
 * The rows of the laboratory's table. One pass, predict, then learn; the examples' configurations as they are, but for
 * the seed and what a row names. A row that another folder's work adds is one entry here.
 */
import type { RunSummary } from '../src/evaluate/report/summary.js'
import { bots, randomRatings, raters, wildRatings } from './corruptions.js'
import { type ExperienceWanted, experienceText } from './experience.js'
import { measureFastCost } from './fast-cost.js'
import { lateBuys, lateMethods } from './late-buys.js'
import { measureLateShop } from './late-shop.js'
import { evaluate } from './quality.js'
import { qualityRows } from './quality-rows.js'
import { measureRegret } from './regret.js'
import { measureLoops, measureSwap, robustness } from './robustness.js'
import type { Context, Measured, RowDefinition } from './row.js'
import { BRANDS, MOVIES as MOVIE_ROWS, measureSnapshotRows } from './snapshot-rows.js'
import { overSeeds } from './statistics.js'
import type { Figure, Limit } from './verdict.js'

interface Wanted {
  name: string
  task: string
  metric: 'rmse' | 'mae' | 'auc' | 'pcoc'
  limit: Limit
}

const CALIBRATED: Limit = { better: 'between', reach: [0.97, 1.05] }
const lower = (reach: number, strive?: number): Limit => ({ better: 'lower', reach, ...(strive && { strive }) })
const higher = (reach: number, strive?: number): Limit => ({ better: 'higher', reach, ...(strive && { strive }) })

export function createLabRows(): RowDefinition[] {
  const MOVIES = 'examples/ml-100k.yaml'
  return [
    {
      name: 'rating',
      what: 'ml-100k, learned at every event (network: 60 s), all 100,000',
      measure: row(
        MOVIES,
        [],
        [
          { name: 'RMSE', task: 'rating', metric: 'rmse', limit: lower(0.922, 0.915) },
          { name: 'MAE', task: 'rating', metric: 'mae', limit: lower(0.727, 0.72) },
          { name: 'like AUC', task: 'like', metric: 'auc', limit: higher(0.78, 0.79) },
        ],
        [
          { task: 'rating', metric: 'rmse' },
          { task: 'like', metric: 'auc' },
        ],
      ),
    },
    {
      name: 'rating-1s',
      what: 'the same, events of one second predicted together',
      measure: row(
        MOVIES,
        ['fast.tick=1s'],
        [{ name: 'RMSE', task: 'rating', metric: 'rmse', limit: lower(0.933, 0.928) }],
      ),
    },
    {
      name: 'rating-60s',
      what: 'the same, tick of 60 s for all parts',
      measure: row(
        MOVIES,
        ['fast.tick=60s'],
        [{ name: 'RMSE', task: 'rating', metric: 'rmse', limit: lower(0.938, 0.932) }],
      ),
    },
    {
      name: 'tmall',
      what: 'tmall-dev, impressions of days 30–59 scored on arrival, labels known when they arrive (tick 1 h), buys within 7 days of the last click',
      measure: row(
        'examples/tmall.yaml',
        [],
        [
          { name: 'click AUC', task: 'click', metric: 'auc', limit: higher(0.826, 0.832) },
          { name: 'buy AUC', task: 'buy', metric: 'auc', limit: higher(0.896, 0.905) },
          { name: 'click PCOC', task: 'click', metric: 'pcoc', limit: CALIBRATED },
          { name: 'buy PCOC', task: 'buy', metric: 'pcoc', limit: CALIBRATED },
        ],
        [
          { task: 'click', metric: 'auc' },
          { task: 'buy', metric: 'auc' },
        ],
      ),
    },
    {
      name: 'late-buys',
      what: 'the same, buys whose 7 days are over when the log ends, against waiting 7 days for each',
      measure: lateBuys([]),
    },
    {
      name: 'late-buys-all',
      what: 'the same, buys credited to all impressions of the week before, most of them late',
      measure: lateBuys(['tasks.1.label.attribution=all']),
    },
    {
      name: 'late-buys-shop',
      what: 'simulated shop, nearly all buys late: what is predicted over the true probabilities, days 9–30',
      measure: measureLateShop,
    },
    {
      name: 'late-methods',
      what: 'buys of `late-buys`, taken back, against what else could be done with late ones',
      measure: lateMethods([]),
    },
    {
      name: 'late-methods-all',
      what: 'the same of `late-buys-all`',
      measure: lateMethods(['tasks.1.label.attribution=all']),
    },
    {
      name: 'snapshot-rows',
      what: 'ml-100k, answers of a follower of int8 rows, ratings after its version, against exact rows',
      measure: measureSnapshotRows(MOVIE_ROWS),
    },
    {
      name: 'snapshot-rows-tmall',
      what: 'the same of tmall-dev, impressions',
      measure: measureSnapshotRows(BRANDS),
    },
    ...qualityRows,
    {
      name: 'fast-cost',
      what: 'fast bank and stack, predict and learn, an event and task (tmall: 17 values, 22 numbers, 2 tasks)',
      alone: true,
      measure: measureFastCost,
    },
    {
      name: 'shop-regret',
      what: 'simulated shop (examples/shop.yaml) that changes at once on day 15: regret of the click against the true probabilities, in log loss',
      measure: measureRegret,
    },
    {
      name: 'robust-random',
      what: 'ml-100k rating, 2 % of the ratings 1 or 5 at random: the untouched ones, against the log as it is',
      measure: robustness('random-ratings', randomRatings, 0.005),
    },
    {
      name: 'robust-wild',
      what: 'the same, .1 % of the ratings −50 or 100 (outside the range: refused)',
      measure: robustness('wild-ratings', wildRatings, 0.002),
    },
    {
      name: 'robust-bots',
      what: 'the same, 20 bots that repeat a rating 2,000 times',
      measure: robustness('bots', bots, 0.005),
    },
    {
      name: 'robust-raters',
      what: 'the same, 20 robots that give every film the same rating, one a second (not asked)',
      measure: robustness('raters', raters, 0.005),
    },
    {
      name: 'robust-swap',
      what: 'the same, all ids swapped half way: ratings 15,000–20,000 after it',
      measure: measureSwap,
    },
    {
      name: 'robust-loops',
      what: 'the same, ten loops of the log (one seed), then all ids swapped: ratings 15,000–20,000 after it',
      slow: true,
      measure: measureLoops,
    },
  ]
}

/** byExperience: whose figures are shown by how many events the ids had had. */
function row(
  example: string,
  set: readonly string[],
  wanted: readonly Wanted[],
  byExperience: readonly ExperienceWanted[] = [],
) {
  return async ({ repeats, say }: Context): Promise<Measured> => {
    const runs: RunSummary[] = []
    for (let seed = 1; seed <= repeats; seed++) {
      say(`${example} ${set.join(' ')} seed ${seed}`)
      runs.push(await evaluate(example, [`model.seed=${seed}`, ...set], seed === 1))
    }
    const figures = wanted.map(({ name, task, metric, limit }): Figure => {
      const values = runs.map(({ tasks }) => tasks[task]?.[metric] ?? Number.NaN)
      return { name, format: 'score', value: overSeeds(values, runs[0]?.tasks[task]?.intervals?.[metric]), limit }
    })
    if (byExperience.length === 0) return { figures, details: runs }
    const title = `${example}, by how many events an id had had before`
    return { figures, details: runs, notes: experienceText(title, runs, byExperience) }
  }
}
