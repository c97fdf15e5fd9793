/**
 * uncertainty: a learned log-variance s_k per task (Kendall, Gal & Cipolla, CVPR 2018, "Multi-Task Learning Using
 * Uncertainty to Weigh Losses"), on per-label terms.
 *
 *   objective = Σ_k p_k Σ_labels (e^−s_k loss + s_k / 2)        w_k = p_k e^−s_k
 *   d/ds_k    = p_k (n_k / 2 − e^−s_k Σ loss)
 *
 * s is moved by Adam (as in the dense optimiser, step size `rate`) and clamped so that w stays within prior × bounds. At
 * rest w_k = p_k / (2 · mean loss): tasks with a small loss count more. Nothing renormalises the weights.
 */
import type { TaskWeighting, WeightingSettings } from './weighting.js'

const BETA1 = 0.9
const BETA2 = 0.999
const EPSILON = 1e-8

/** State: step, then [K] each of s, mean and square. */
export function createUncertaintyWeighting(priors: readonly number[], settings: WeightingSettings): TaskWeighting {
  const tasks = priors.length
  const state = new Float64Array(1 + 3 * tasks)
  const weights = Float64Array.from(priors)
  const logVariance = state.subarray(1, 1 + tasks)
  const mean = state.subarray(1 + tasks, 1 + 2 * tasks)
  const square = state.subarray(1 + 2 * tasks)
  const [least, most] = [-Math.log(settings.bounds[1]), -Math.log(settings.bounds[0])]

  const restored = () => {
    if ((state[0] ?? 0) < settings.warmup) return
    for (const [k, prior] of priors.entries()) weights[k] = prior * Math.exp(-(logVariance[k] ?? 0))
  }
  return {
    evidence: 'losses',
    scope: 'loss',
    weights,
    state,
    update({ lossSums, counts }) {
      const step = (state[0] ?? 0) + 1
      state[0] = step
      if (step <= settings.warmup) return
      const t = step - settings.warmup
      for (const [k, prior] of priors.entries()) {
        const s = logVariance[k] ?? 0
        const gradient = prior * ((counts[k] ?? 0) / 2 - Math.exp(-s) * (lossSums[k] ?? 0))
        const m = BETA1 * (mean[k] ?? 0) + (1 - BETA1) * gradient
        const v = BETA2 * (square[k] ?? 0) + (1 - BETA2) * gradient ** 2
        mean[k] = m
        square[k] = v
        const move = (settings.rate * m) / (1 - BETA1 ** t) / (Math.sqrt(v / (1 - BETA2 ** t)) + EPSILON)
        logVariance[k] = Math.min(Math.max(s - move, least), most)
      }
      restored()
    },
    restored,
  }
}
