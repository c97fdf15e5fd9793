/**
 * gradnorm: tasks whose gradient at the shared representation is small, or whose loss falls slowly, count more (Chen,
 * Badrinarayanan, Lee & Rabinovich, ICML 2018, "GradNorm").
 *
 *   G_k = w_k |∂L_k/∂h|       r_k = (fast_k / slow_k) / mean_j(fast_j / slow_j)       target_k = p_k · mean_j(G_j / p_j) · r_k^α
 *   log w_k ← log w_k + rate · sign(target_k − G_k),   then w is scaled to Σ w = Σ p within prior × bounds
 *
 * Two departures from the paper, both because a stream has no first step worth comparing with: the training rate is the
 * ratio of a fast to a slow mean of the loss per label instead of loss / initial loss, and the step is the sign of the
 * gradient of Σ|G_k − target_k| in log w, so that the loss's unit does not set the speed. |∂L_k/∂h| is smoothed as well.
 */
import { boundedScale } from './bounded-scale.js'
import type { StepEvidence, TaskWeighting, WeightingSettings } from './weighting.js'

const FAST = 0.95
const SLOW = 0.995
const NORM = 0.9

/** State: step, then [K] each of: weights, norm, fast sum, fast count, slow sum, slow count. */
export function createGradNormWeighting(priors: readonly number[], settings: WeightingSettings): TaskWeighting {
  const tasks = priors.length
  const state = new Float64Array(1 + 6 * tasks)
  const part = (i: number) => state.subarray(1 + i * tasks, 1 + (i + 1) * tasks)
  const [weights, norm, fastSum, fastCount, slowSum, slowCount] = [part(0), part(1), part(2), part(3), part(4), part(5)]
  weights.set(priors)

  const observe = ({ lossSums, counts, gradientProducts }: StepEvidence) => {
    for (let k = 0; k < tasks; k++) {
      const count = counts[k] ?? 0
      if (count === 0) continue
      const loss = lossSums[k] ?? 0
      const gradient = Math.sqrt(gradientProducts[k * tasks + k] ?? 0)
      const first = slowCount[k] === 0
      norm[k] = first ? gradient : NORM * (norm[k] ?? 0) + (1 - NORM) * gradient
      fastSum[k] = FAST * (fastSum[k] ?? 0) + loss
      fastCount[k] = FAST * (fastCount[k] ?? 0) + count
      slowSum[k] = SLOW * (slowSum[k] ?? 0) + loss
      slowCount[k] = SLOW * (slowCount[k] ?? 0) + count
    }
  }

  const adapt = (counts: Float64Array) => {
    const seen = priors.map((_, k) => (slowCount[k] ?? 0) > 0)
    const ratios = priors.map((_, k) => {
      const slow = (slowSum[k] ?? 0) / (slowCount[k] ?? 1)
      return slow > 0 ? (fastSum[k] ?? 0) / (fastCount[k] ?? 1) / slow : 1
    })
    const meanOf = (values: readonly number[]) => {
      const counted = values.filter((_, k) => seen[k])
      return counted.reduce((sum, value) => sum + value, 0) / counted.length
    }
    const meanRatio = meanOf(ratios)
    const meanNorm = meanOf(priors.map((prior, k) => ((weights[k] ?? 0) * (norm[k] ?? 0)) / prior))
    const moved = priors.map((prior, k) => {
      const weight = weights[k] ?? prior
      if (counts[k] === 0) return weight
      const target = prior * meanNorm * ((ratios[k] ?? 1) / meanRatio) ** settings.alpha
      return weight * Math.exp(settings.rate * Math.sign(target - weight * (norm[k] ?? 0)))
    })
    // A loss that is not a number is the learner's to report; the weights stay what they were.
    if (moved.every(Number.isFinite)) weights.set(boundedScale(moved, priors, settings.bounds))
  }

  return {
    evidence: 'products',
    scope: 'loss',
    weights,
    state,
    update(evidence) {
      state[0] = (state[0] ?? 0) + 1
      observe(evidence)
      if (state[0] > settings.warmup && evidence.counts.some(count => count > 0)) adapt(evidence.counts)
    },
    restored() {},
  }
}
