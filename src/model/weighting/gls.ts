/**
 * gls: geometric loss strategy; the loss is Π_k L_k^(1/K), so that no task's unit matters (Chennupati, Sistu, Yogamani &
 * Rawashdeh, CVPR Workshops 2019, "MultiNet++").
 *
 *   ∇ Π L_k^(1/K) ∝ Σ_k ∇L_k / L_k        w_k ∝ p_k / L_k
 *
 * L_k is the slow running mean of the loss per label. A task without labels so far keeps its prior among the others.
 */
import { LossMeans } from './loss-means.js'
import { createStatefulWeighting } from './stateful-weighting.js'
import type { TaskWeighting, WeightingSettings } from './weighting.js'

const LEAST_LOSS = 1e-6

export function createGlsWeighting(priors: readonly number[], settings: WeightingSettings): TaskWeighting {
  const tasks = priors.length
  return createStatefulWeighting(priors, settings, {
    evidence: 'losses',
    scope: 'loss',
    size: LossMeans.size(tasks),
    observe: (evidence, own) => new LossMeans(tasks, own).observe(evidence),
    weigh: own => {
      const means = new LossMeans(tasks, own)
      return priors.map((prior, k) => (means.seen(k) ? prior / Math.max(means.slow(k), LEAST_LOSS) : prior))
    },
  })
}
