/**
 * mgda: multiple-gradient descent, upper bound: the shortest vector in the convex hull of the tasks' gradients at the
 * shared representation, along which no task gets worse (Sener & Koltun, NeurIPS 2018, "Multi-Task Learning as
 * Multi-Objective Optimization", MGDA-UB).
 *
 *   α = argmin |Σ α_k g_k|²,   α ≥ 0, Σ α = 1        |Σ α_k g_k|² = αᵀ M α
 *
 * On the running products. The smallest gradient gets the largest weight.
 */
import { createProductWeighting, dot, times } from './product-weighting.js'
import { minimiseOnSimplex } from './simplex.js'
import type { TaskWeighting, WeightingSettings } from './weighting.js'

export function createMgdaWeighting(priors: readonly number[], settings: WeightingSettings): TaskWeighting {
  return createProductWeighting(priors, settings, products =>
    minimiseOnSimplex(
      products.length,
      x => dot(x, times(products, x)),
      x => times(products, x).map(value => 2 * value),
    ),
  )
}
