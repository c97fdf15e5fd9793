/**
 * pcgrad: of two gradients that point against each other, each loses its part along the other (Yu, Kumar, Gupta, Levine,
 * Hausman & Finn, NeurIPS 2020, "Gradient Surgery for Multi-Task Learning").
 *
 *   v_i ← g_i;  for j ≠ i in random order: if ⟨v_i, g_j⟩ < 0, v_i ← v_i − ⟨v_i, g_j⟩ / |g_j|² g_j;  the step is Σ v_i
 *
 * Here on gradients at the shared representation, with their running products: v_i = Σ_j c_ij g_j, and the weight of task
 * j is Σ_i c_ij. The order is drawn from a generator seeded by the step.
 */
import { Random } from '../../std/random.js'
import { type Coefficients, createProductWeighting, dot } from './product-weighting.js'
import { stepSeed, type TaskWeighting, type WeightingSettings } from './weighting.js'

export function createPcgradWeighting(priors: readonly number[], settings: WeightingSettings): TaskWeighting {
  return createProductWeighting(priors, settings, (products, step) =>
    pcgradCoefficients(products, stepSeed(settings.seed, step)),
  )
}

const pcgradCoefficients: Coefficients = (products, seed) => {
  const random = new Random(seed)
  const sums = products.map(() => 0)
  for (const i of products.keys()) {
    const combined: number[] = products.map((_, j) => (j === i ? 1 : 0))
    for (const j of random.shuffle([...products.keys()])) {
      const row = products[j] ?? []
      const against = dot(row, combined)
      if (j !== i && against < 0) combined[j] = (combined[j] ?? 0) - against / (row[j] ?? 1)
    }
    for (const [j, value] of combined.entries()) sums[j] = (sums[j] ?? 0) + value
  }
  return sums
}
