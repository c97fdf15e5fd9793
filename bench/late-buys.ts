/**
 * What it is worth that late labels are learned early and taken back: the same log and the same judged labels, once with
 * `late: take-back` and once with `late: wait`, seed by seed. With `attribution: all` most buys are late.
 *
 * Judged are impressions whose week was over when the log ended: of the others some buys are still to come, and a figure
 * would count them as predicted but not bought.
 */
import type { RunSummary } from '../src/evaluate/report/summary.js'
import { evaluate } from './quality.js'
import type { Context, Measured } from './row.js'
import { overSeeds } from './statistics.js'
import type { Figure } from './verdict.js'

/** No label before its time is over. */
const JUDGED = 'join.atEnd=wait'

type Method = 'take-back' | 'fake-negative-weighted' | 'duplicate' | 'wait'

/** Rows share what they have run. */
const runs = new Map<string, Promise<RunSummary>>()

/** set: keys to change in both of each pair of runs. */
export function lateBuys(set: readonly string[]) {
  return async ({ repeats, say }: Context): Promise<Measured> => {
    const pairs: { early: RunSummary; waiting: RunSummary }[] = []
    for (let seed = 1; seed <= repeats; seed++) {
      say(`late buys ${set.join(' ')} seed ${seed}`)
      pairs.push({ early: await run('take-back', seed, set), waiting: await run('wait', seed, set) })
    }
    const gain = (metric: 'auc' | 'logLoss') =>
      overSeeds(pairs.map(({ early, waiting }) => buy(early, metric) - buy(waiting, metric)))
    const ofUsers = pairs[0]?.early.tasks.buy?.intervals?.pcoc
    const pcoc = overSeeds(
      pairs.map(({ early }) => buy(early, 'pcoc')),
      ofUsers,
    )
    const figures: Figure[] = [
      { name: 'log loss − waiting', format: 'score', value: gain('logLoss'), limit: { better: 'lower', reach: 0 } },
      {
        name: 'AUC − waiting',
        format: 'score',
        value: gain('auc'),
        limit: { better: 'higher', reach: 0, strive: 0.003 },
      },
      { name: 'PCOC', format: 'score', value: pcoc, limit: { better: 'between', reach: [0.97, 1.03] } },
    ]
    return { figures, details: pairs }
  }
}

/**
 * What else could be done with late labels, beside the default: no worse than any of them beyond noise. AUC, log loss and
 * PCOC of each are in the details.
 */
export function lateMethods(set: readonly string[]) {
  return async ({ repeats, say }: Context): Promise<Measured> => {
    const OTHERS = ['fake-negative-weighted', 'duplicate'] as const
    const seeds = Array.from({ length: repeats }, (_, i) => i + 1)
    const figuresOf = async (method: Method) => {
      const figures = []
      for (const seed of seeds) {
        say(`late buys, ${method}, ${set.join(' ')} seed ${seed}`)
        const summary = await run(method, seed, set)
        figures.push({ auc: buy(summary, 'auc'), logLoss: buy(summary, 'logLoss'), pcoc: buy(summary, 'pcoc') })
      }
      return figures
    }
    const details: Record<string, Awaited<ReturnType<typeof figuresOf>>> = { 'take-back': await figuresOf('take-back') }
    const figures: Figure[] = []
    for (const other of OTHERS) {
      const found = await figuresOf(other)
      details[other] = found
      const less = (metric: 'auc' | 'logLoss') =>
        overSeeds(found.map((line, i) => (details['take-back']?.[i]?.[metric] ?? Number.NaN) - line[metric]))
      figures.push(
        {
          name: `log loss − ${other}`,
          format: 'score',
          value: less('logLoss'),
          limit: { better: 'lower', reach: 1e-4 },
        },
        { name: `AUC − ${other}`, format: 'score', value: less('auc'), limit: { better: 'higher', reach: -0.001 } },
      )
    }
    return { figures, details }
  }
}

function run(late: Method, seed: number, set: readonly string[]): Promise<RunSummary> {
  const settings = [`model.seed=${seed}`, JUDGED, ...set, `tasks.1.label.late=${late}`]
  const key = settings.join(' ')
  const known = runs.get(key) ?? evaluate('examples/tmall.yaml', settings, seed === 1)
  runs.set(key, known)
  return known
}

function buy(run: RunSummary, metric: 'auc' | 'logLoss' | 'pcoc'): number {
  return run.tasks.buy?.[metric] ?? Number.NaN
}
