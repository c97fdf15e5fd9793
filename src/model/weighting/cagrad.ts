/**
 * cagrad: of all steps within c |g_0| of the mean gradient g_0, the one whose worst task improves most (Liu, Liu, Jin,
 * Stone & Liu, NeurIPS 2021, "Conflict-Averse Gradient Descent").
 *
 *   x = argmin ⟨Σ x_k g_k, g_0⟩ + c |g_0| |Σ x_k g_k|  on the simplex        step = g_0 + c |g_0| / |g_x| g_x
 *
 * so the weight of task k is 1/K + c |g_0| / |g_x| x_k, up to the scale. c = 0.5 as in the official code. On the running
 * products at the shared representation.
 */
import { type Coefficients, createProductWeighting, dot, times } from './product-weighting.js'
import { minimiseOnSimplex } from './simplex.js'
import type { TaskWeighting, WeightingSettings } from './weighting.js'

const RADIUS = 0.5
/** Keeps the root differentiable at 0. */
const TINY = 1e-24

export function createCagradWeighting(priors: readonly number[], settings: WeightingSettings): TaskWeighting {
  return createProductWeighting(priors, settings, cagradCoefficients)
}

const cagradCoefficients: Coefficients = products => {
  const tasks = products.length
  const toMean = times(products, new Array(tasks).fill(1 / tasks))
  const reach = RADIUS * Math.sqrt(Math.max(toMean.reduce((sum, value) => sum + value, 0) / tasks, 0))
  const norm = (x: readonly number[]) => Math.sqrt(Math.max(dot(x, times(products, x)), 0) + TINY)
  const x = minimiseOnSimplex(
    tasks,
    x => dot(x, toMean) + reach * norm(x),
    x => times(products, x).map((value, k) => (toMean[k] ?? 0) + (reach * value) / norm(x)),
  )
  return x.map(share => 1 / tasks + (reach / norm(x)) * share)
}
