/**
 * dwa: dynamic weight average; tasks whose loss falls slowly count more (Liu, Johns & Davison, CVPR 2019, "End-to-End
 * Multi-Task Learning with Attention").
 *
 *   w_k ∝ p_k exp(r_k / 2)        r_k = fast mean loss / slow mean loss
 *
 * The paper's r compares the mean losses of the last two epochs; a stream has none, so it is a fast and a slow running
 * mean over labelled examples. 2 is the paper's temperature.
 */
import { LossMeans } from './loss-means.js'
import { createStatefulWeighting } from './stateful-weighting.js'
import type { TaskWeighting, WeightingSettings } from './weighting.js'

const TEMPERATURE = 2

export function createDwaWeighting(priors: readonly number[], settings: WeightingSettings): TaskWeighting {
  const tasks = priors.length
  return createStatefulWeighting(priors, settings, {
    evidence: 'losses',
    scope: 'loss',
    size: LossMeans.size(tasks),
    observe: (evidence, own) => new LossMeans(tasks, own).observe(evidence),
    weigh: own => {
      const means = new LossMeans(tasks, own)
      return priors.map((prior, k) => prior * Math.exp(means.ratio(k) / TEMPERATURE))
    },
  })
}
