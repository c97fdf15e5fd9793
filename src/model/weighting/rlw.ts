/**
 * rlw: random weights, drawn anew in each step; the baseline that an adaptive method should beat (Lin, Ye, Zhang & Tsang,
 * TMLR 2022, "Reasonable Effectiveness of Random Weighting").
 *
 *   w = softmax(z) · p        z ~ N(0, 1)
 *
 * The generator of a step is seeded by model.seed and the step's number, so a step learned again draws the same weights.
 */
import { Random } from '../../std/random.js'
import { createStatefulWeighting } from './stateful-weighting.js'
import { stepSeed, type TaskWeighting, type WeightingSettings } from './weighting.js'

export function createRlwWeighting(priors: readonly number[], settings: WeightingSettings): TaskWeighting {
  return createStatefulWeighting(priors, settings, {
    evidence: 'losses',
    scope: 'loss',
    size: 0,
    observe() {},
    weigh: (_, step) => {
      const random = new Random(stepSeed(settings.seed, step))
      return priors.map(prior => prior * Math.exp(random.normal()))
    },
  })
}
