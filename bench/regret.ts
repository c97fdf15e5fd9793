/**
 * A simulated shop whose world changes at once half way: how much worse the model's probabilities of a click are than the
 * true ones, which lie beside the log. The regret of an impression is what it loses in log loss on average, KL(p ‖ q), so
 * chance has no part in it. Of the model, and of a constant: the share of clicks among the impressions before.
 */
import type { RunSummary } from '../src/evaluate/report/summary.js'
import type { Context, Measured } from './row.js'
import { withScratch } from './scratch.js'
import { judgedOf, runShop } from './simulated-shop.js'
import { overSeeds } from './statistics.js'
import type { Figure } from './verdict.js'

const DRIFT_DAY = 15
/** Days: the first, the last before the change, the first after it, the last. */
const WINDOWS = { first: [0, 3], before: [12, 15], after: [15, 16], last: [27, 30] } as const
const WINDOW_NAMES = Object.keys(WINDOWS) as (keyof typeof WINDOWS)[]
/** Earlier impressions. */
const COLD_BELOW = 5

interface Regret {
  count: number
  model: number
  constant: number
}

type Regrets = Record<keyof typeof WINDOWS | 'cold', Regret>

interface Run {
  regrets: Regrets
  /** Of the click. */
  logLoss: number
  ftrl: number
}

export async function measureRegret({ repeats, say }: Context): Promise<Measured> {
  const runs: Run[] = []
  for (let seed = 1; seed <= repeats; seed++) {
    say(`the simulated shop, seed ${seed}`)
    runs.push(await withScratch('shop', folder => runOf(folder, seed)))
  }
  const score = (name: string, of: (run: (typeof runs)[number]) => number): Figure => {
    return { name, format: 'score', value: overSeeds(runs.map(of)), limit: { better: 'lower', reach: 0 } }
  }
  const ofConstant = (window: keyof Regrets, name: string): Figure => {
    const ratios = runs.map(({ regrets }) => regrets[window].model / regrets[window].constant)
    return {
      name: `${name} ÷ constant`,
      format: 'ratio',
      value: overSeeds(ratios),
      limit: { better: 'lower', reach: 1 },
    }
  }
  return {
    figures: [
      ...WINDOW_NAMES.map(window => ofConstant(window, `days ${WINDOWS[window].join('–')}`)),
      ofConstant('cold', 'cold items'),
      score('before the change − first', ({ regrets: { before, first } }) => before.model - first.model),
      score('last − after the change', ({ regrets: { last, after } }) => last.model - after.model),
      score('log loss − FTRL', ({ logLoss, ftrl }) => logLoss - ftrl),
    ],
    details: runs,
  }
}

async function runOf(folder: string, seed: number): Promise<Run> {
  const set = [`source.simulate.driftDay=${DRIFT_DAY}`]
  await runShop(['replay'], folder, seed, set)
  const regrets = await regretsOf(folder)
  const { stdout } = await runShop(['evaluate', '--json', '--baselines'], folder, seed, set)
  const { tasks } = JSON.parse(stdout) as RunSummary
  const lossOf = (task: string) => tasks[task]?.logLoss ?? Number.NaN
  return { regrets, logLoss: lossOf('click'), ftrl: lossOf('click.ftrl') }
}

async function regretsOf(folder: string): Promise<Regrets> {
  const none = (): Regret => ({ count: 0, model: 0, constant: 0 })
  const regrets: Regrets = { first: none(), before: none(), after: none(), last: none(), cold: none() }
  const shown = new Map<string, number>()
  let clicks = 0.1
  let impressions = 1
  for await (const { day, truth, item, values } of judgedOf(folder, 'click')) {
    const before = shown.get(item) ?? 0
    shown.set(item, before + 1)
    const model = divergence(truth, values.click ?? Number.NaN)
    const constant = divergence(truth, clicks / impressions)
    clicks += truth
    impressions++
    const places = WINDOW_NAMES.filter(window => day >= WINDOWS[window][0] && day < WINDOWS[window][1])
    // New items come all the time; those of the first days are all of them.
    const isCold = before < COLD_BELOW && day >= WINDOWS.first[1]
    for (const place of [...places, ...(isCold ? (['cold'] as const) : [])]) {
      const regret = regrets[place]
      regret.count++
      regret.model += (model - regret.model) / regret.count
      regret.constant += (constant - regret.constant) / regret.count
    }
  }
  return regrets
}

/** Of two coins. */
function divergence(p: number, q: number): number {
  return p * Math.log(p / q) + (1 - p) * Math.log((1 - p) / (1 - q))
}
