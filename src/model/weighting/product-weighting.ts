/**
 * The frame of the methods that read their weights off the products M of the tasks' gradients at the shared
 * representation: imtl-g, mgda, pcgrad, cagrad. What each of them does with the gradients themselves is a linear
 * combination of them whose coefficients depend on M alone, so M is all they need, and coefficients are weights.
 *
 * M is a running mean: M_ij moves by max(.02, 1/n_ij) in the steps with labels of both i and j. A task's loss is its
 * prior × its loss, as everywhere. The weights act on what the heads send into the trunk (scope `trunk`), as the papers'
 * weights act on the shared parameters alone.
 */
import { createStatefulWeighting } from './stateful-weighting.js'
import type { TaskWeighting, WeightingSettings } from './weighting.js'

const LEAST_SHARE = 0.02

/** M as rows; step: for methods that draw. Returns the coefficients, which may be negative: the bounds see to that. */
export type Coefficients = (products: readonly (readonly number[])[], step: number) => readonly number[]

/** The method's part of the state: [K, K] means, [K, K] steps. */
export function createProductWeighting(
  priors: readonly number[],
  settings: WeightingSettings,
  coefficients: Coefficients,
): TaskWeighting {
  const tasks = priors.length
  return createStatefulWeighting(priors, settings, {
    evidence: 'products',
    scope: 'trunk',
    size: 2 * tasks * tasks,
    observe({ gradientProducts, counts }, own) {
      for (let at = 0; at < tasks * tasks; at++) {
        if (counts[Math.floor(at / tasks)] === 0 || counts[at % tasks] === 0) continue
        const steps = (own[tasks * tasks + at] ?? 0) + 1
        const mean = own[at] ?? 0
        own[tasks * tasks + at] = steps
        own[at] = mean + Math.max(LEAST_SHARE, 1 / steps) * ((gradientProducts[at] ?? 0) - mean)
      }
    },
    weigh(own, step) {
      // Tasks without labels so far take no part: they keep their prior's share.
      const seen = priors.flatMap((_, k) => ((own[k * tasks + k] ?? 0) > 0 ? [k] : []))
      if (seen.length < 2) return priors
      const rows = seen.map(i => seen.map(j => (priors[i] ?? 1) * (priors[j] ?? 1) * (own[i * tasks + j] ?? 0)))
      const found = coefficients(rows, step)
      const total = found.reduce((sum, value) => sum + Math.max(value, 0), 0)
      if (!(total > 0)) return found.some(Number.isNaN) ? found : priors
      return priors.map((prior, k) => {
        const at = seen.indexOf(k)
        return at < 0 ? prior : (prior * Math.max(found[at] ?? 0, 0) * seen.length) / total
      })
    },
  })
}

/** Σ_j M_ij c_j */
export function times(products: readonly (readonly number[])[], vector: readonly number[]): number[] {
  return products.map(row => dot(row, vector))
}

export function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0)
}
