/** What all methods that compute their weights anew in each step have in common: the step, the warm-up, the bounds. */
import { boundedScale } from './bounded-scale.js'
import type { Evidence, StepEvidence, TaskWeighting, WeightingSettings } from './weighting.js'

interface Method {
  evidence: Evidence
  scope: 'loss' | 'trunk'
  /** Doubles of `own`. */
  size: number
  /** own: the method's part of the state. step: 1, 2, ... */
  observe(evidence: StepEvidence, own: Float64Array, step: number): void
  /** Any multiple of the weights of the next step. */
  weigh(own: Float64Array, step: number): readonly number[]
}

/** State: step, [K] weights, then the method's. */
export function createStatefulWeighting(
  priors: readonly number[],
  { bounds, warmup }: WeightingSettings,
  method: Method,
): TaskWeighting {
  const state = new Float64Array(1 + priors.length + method.size)
  const weights = state.subarray(1, 1 + priors.length)
  const own = state.subarray(1 + priors.length)
  weights.set(priors)
  return {
    evidence: method.evidence,
    scope: method.scope,
    weights,
    state,
    update(evidence) {
      const step = (state[0] ?? 0) + 1
      state[0] = step
      method.observe(evidence, own, step)
      if (step <= warmup) return
      const next = method.weigh(own, step)
      // Evidence that is not a number is the learner's to report; the weights stay what they were.
      if (next.every(weight => weight >= 0 && weight < Number.POSITIVE_INFINITY) && next.some(weight => weight > 0))
        weights.set(boundedScale(next, priors, bounds))
    },
    restored() {},
  }
}
