/**
 * imtl-g: the step makes the same progress along every task's gradient (Liu, Li, Kuang, Xue, Chen, Yang, Liao & Zhang,
 * ICLR 2021, "Towards Impartial Multi-Task Learning").
 *
 *   g = Σ α_k g_k with ⟨g, u_1⟩ = ⟨g, u_k⟩ for all k, u_k = g_k / |g_k|, Σ α_k = 1
 *
 * With products M of the gradients: Σ_j α_j (M_j1 / |g_1| − M_jk / |g_k|) = 0, K − 1 equations beside Σ α = 1. On the
 * running products at the shared representation. A negative α is cut to the least weight that the bounds allow.
 */
import { type Coefficients, createProductWeighting } from './product-weighting.js'
import type { TaskWeighting, WeightingSettings } from './weighting.js'

export function createImtlGWeighting(priors: readonly number[], settings: WeightingSettings): TaskWeighting {
  return createProductWeighting(priors, settings, imtlCoefficients)
}

const imtlCoefficients: Coefficients = products => {
  const norms = products.map((row, k) => Math.sqrt(row[k] ?? 0))
  const along = (j: number, k: number) => (products[j]?.[k] ?? 0) / (norms[k] ?? 1)
  const equations = products.map((_, k) =>
    k === 0 ? [...products.map(() => 1), 1] : [...products.map((_, j) => along(j, 0) - along(j, k)), 0],
  )
  return solve(equations) ?? norms.map(norm => 1 / norm)
}

/** Gaussian elimination with pivots on [n, n + 1]; undefined if the matrix is singular. */
function solve(equations: number[][]): number[] | undefined {
  const rows = equations.map(row => [...row])
  const n = rows.length
  for (let column = 0; column < n; column++) {
    const size = (row: readonly number[]) => Math.abs(row[column] ?? 0)
    const rest = rows.slice(column).sort((a, b) => size(b) - size(a))
    rows.splice(column, n - column, ...rest)
    const pivot = rows[column] ?? []
    const lead = pivot[column] ?? 0
    if (Math.abs(lead) < 1e-300) return undefined
    for (const [i, row] of rows.entries()) {
      if (i === column) continue
      const factor = (row[column] ?? 0) / lead
      for (let at = column; at <= n; at++) row[at] = (row[at] ?? 0) - factor * (pivot[at] ?? 0)
    }
  }
  return rows.map((row, i) => (row[n] ?? 0) / (row[i] ?? 1))
}
