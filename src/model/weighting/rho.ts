/**
 * rho: a head deserves trunk as far as its gradient repeats itself in the next batch. Each head's gradient is brought to
 * unit norm and multiplied by its signal-to-noise ratio, batch to batch.
 *
 *   G_k = g_kᵀ [h, 1]                  gradient of an imaginary layer behind the shared output h, Σ over the batch
 *   V_k ← mean |G_k|²                  C_k ← mean ⟨G_k(t), G_k(t−1)⟩          running means, share max(.02, 1/t)
 *   ρ_k = max(.01, C_k / V_k)          w_k = p_k ρ_k / √V_k
 *
 * then w/p is divided by its geometric mean and clipped to `bounds`, and at last all w are scaled by one factor so that
 * Σ w² V = Σ p² V: the gradients' energy stays, and with it the meaning of the rows' step size. That factor can carry a
 * weight beyond the bounds; the ratio of two tasks' weights over their priors never exceeds bounds[1] / bounds[0].
 *
 * Why: with a normalising optimiser the trunk's step is about Σ w_k m_k / √(Σ w_k² V_k), m_k the means of G_k. For signals
 * that are nearly orthogonal the weights that maximise Σ_j q_j ⟨m_j, step⟩ are w_k ∝ q_k |m_k|² / V_k, and q_k = 1/√V_k
 * gives the above. Weights act on what heads send into trunk, gates and rows; everything a head owns keeps its prior.
 */
import type { TaskWeighting, WeightingSettings } from './weighting.js'

const LEAST_SHARE = 0.02
const LEAST_RHO = 0.01
const TINY = 1e-12

/** State: step, [K] weights, then [K] each of: labelled steps, V, C. */
export function createRhoWeighting(priors: readonly number[], { bounds, warmup }: WeightingSettings): TaskWeighting {
  const tasks = priors.length
  const state = new Float64Array(1 + 4 * tasks)
  const part = (i: number) => state.subarray(1 + i * tasks, 1 + (i + 1) * tasks)
  const [weights, steps, squares, repeats] = [part(0), part(1), part(2), part(3)]
  weights.set(priors)

  function observe(k: number, square: number, repeat: number): void {
    const t = (steps[k] ?? 0) + 1
    const move = (mean: number, value: number, since: number) =>
      t === since ? value : mean + Math.max(LEAST_SHARE, 1 / t) * (value - mean)
    steps[k] = t
    squares[k] = move(squares[k] ?? 0, square, 1)
    if (t > 1) repeats[k] = move(repeats[k] ?? 0, repeat, 2)
  }

  function weigh(): number[] {
    const raw = priors.map((_, k) => {
      const square = squares[k] ?? 0
      const rho = Math.max((repeats[k] ?? 0) / (square + TINY), LEAST_RHO)
      return rho / (Math.sqrt(square) + TINY)
    })
    const mean = Math.exp(raw.reduce((sum, value) => sum + Math.log(value), 0) / tasks)
    const clipped = priors.map((prior, k) => prior * Math.min(Math.max((raw[k] ?? 0) / mean, bounds[0]), bounds[1]))
    const energy = (of: readonly number[]) => of.reduce((sum, weight, k) => sum + weight ** 2 * (squares[k] ?? 0), 0)
    const scale = Math.sqrt(energy(priors) / (energy(clipped) + TINY))
    return clipped.map(weight => weight * scale)
  }

  return {
    evidence: 'repeats',
    scope: 'trunk',
    weights,
    state,
    update({ counts, gradientSquares, gradientRepeats }) {
      state[0] = (state[0] ?? 0) + 1
      for (let k = 0; k < tasks; k++) {
        if ((counts[k] ?? 0) > 0) observe(k, gradientSquares[k] ?? 0, gradientRepeats[k] ?? 0)
      }
      if (state[0] <= warmup || !steps.every(count => count > 1)) return
      const next = weigh()
      if (next.every(weight => weight > 0 && weight < Number.POSITIVE_INFINITY)) weights.set(next)
    },
    restored() {},
  }
}
