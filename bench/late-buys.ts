/**
 * What it is worth that late labels are learned early and taken back: the same log and the same judged labels, once with
 * `late: take-back` and once with `late: wait`, seed by seed. With `attribution: all` most buys are late.
 */
import type { RunSummary } from '../src/evaluate/report/summary.js'
import { evaluate } from './quality.js'
import type { Context, Measured } from './row.js'
import { spreadOf } from './statistics.js'
import type { Figure } from './verdict.js'

/** set: keys to change in both of each pair of runs. */
export function lateBuys(set: readonly string[]) {
  return async ({ repeats, say }: Context): Promise<Measured> => {
    const pairs: { early: RunSummary; waiting: RunSummary }[] = []
    for (let seed = 1; seed <= repeats; seed++) {
      say(`late buys ${set.join(' ')} seed ${seed}`)
      const settings = [`model.seed=${seed}`, ...set]
      const early = await evaluate('examples/tmall.yaml', [...settings, 'tasks.1.label.late=take-back'])
      const waiting = await evaluate('examples/tmall.yaml', [...settings, 'tasks.1.label.late=wait'])
      pairs.push({ early, waiting })
    }
    const buy = (run: RunSummary, metric: 'auc' | 'logLoss' | 'pcoc') => run.tasks.buy?.[metric] ?? Number.NaN
    const gain = (metric: 'auc' | 'logLoss') =>
      spreadOf(pairs.map(({ early, waiting }) => buy(early, metric) - buy(waiting, metric)))
    const pcoc = spreadOf(pairs.map(({ early }) => buy(early, 'pcoc')))
    const figures: Figure[] = [
      { name: 'log loss − waiting', format: 'score', value: gain('logLoss'), limit: { better: 'lower', reach: 0 } },
      {
        name: 'AUC − waiting',
        format: 'score',
        value: gain('auc'),
        limit: { better: 'higher', reach: 0, strive: 0.003 },
      },
      { name: 'PCOC', format: 'score', value: pcoc, limit: { better: 'higher', reach: 0.97 } },
      { name: 'PCOC', format: 'score', value: pcoc, limit: { better: 'lower', reach: 1.03 } },
    ]
    return { figures, details: pairs }
  }
}
