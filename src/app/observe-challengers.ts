/** What is told of challengers while they learn: how they stand, and who takes over. */
import type { LoadedConfig } from '../config/load.js'
import type { Verdict } from '../evaluate/contest/comparison.js'
import type { Log } from '../observe/log.js'
import type { Promotion } from '../pipeline/dispatch.js'
import type { MetricsAnswer } from '../pipeline/learner.js'
import type { Observation } from './observation.js'

interface ObservedChallengers {
  onFigures(answer: MetricsAnswer, records: number): void
  onPromotion(promotion: Promotion): void
}

const MESSAGES: Record<Verdict, string> = {
  better: 'a challenger is better than what answers, beyond noise',
  worse: 'a challenger is worse than what answers, beyond noise',
  open: 'a challenger is no longer told apart from what answers',
}
const NUMBERS: Record<Verdict, number> = { better: 1, open: 0, worse: -1 }

export function observeChallengers(
  { metrics, telemetry }: Observation,
  { config }: LoadedConfig,
  backend: string,
  logger: Log,
): ObservedChallengers {
  const verdicts = new Map<string, Verdict>()
  return {
    onFigures({ challengers = [] }, records) {
      metrics.clear('millrace_challenger_difference')
      metrics.clear('millrace_challenger_verdict')
      for (const { name, hash, standing, failure } of challengers) {
        const { verdict, difference } = standing
        if (difference !== undefined) metrics.set('millrace_challenger_difference', difference, { challenger: name })
        if (failure === undefined) metrics.set('millrace_challenger_verdict', NUMBERS[verdict], { challenger: name })
        if (verdict !== (verdicts.get(hash) ?? 'open'))
          logger.info({ challenger: name, verdict, difference, records }, MESSAGES[verdict])
        verdicts.set(hash, verdict)
      }
    },
    onPromotion({ name, hash, before, cause, step, records, difference }) {
      verdicts.clear()
      metrics.increase('millrace_promotions_total', 1, { cause })
      metrics.clear('millrace_model_info')
      metrics.set('millrace_model_info', 1, { name: config.name, backend, config: hash })
      telemetry?.describe({ configHash: hash })
      logger.warn(
        { challenger: name, before, cause, hash, step, records, difference },
        'a challenger is promoted: it answers from here on, and what answered so far goes on as a challenger',
      )
    },
  }
}
