/**
 * famo: fast adaptive multitask optimisation; the tasks' log losses should fall at the same rate (Liu, Feng, Stone & Liu,
 * NeurIPS 2023, "FAMO").
 *
 *   z = softmax(ξ)        w_k ∝ p_k z_k / L_k
 *   δ_k = log L_k(before) − log L_k(after)        ξ ← Adam(ξ, J_softmax(ξ)ᵀ δ + γ ξ)
 *
 * after: the loss of the same batch once the dense weights have moved, which takes one more forward pass; it was measured
 * without the step of the embedding rows. L_k in the weight is the slow running mean per label. A task that the batch has
 * no label of has δ = 0. `rate` is Adam's step size (the official code: 0.025); γ is as in the official code.
 */
import { LossMeans } from './loss-means.js'
import { createStatefulWeighting } from './stateful-weighting.js'
import type { StepEvidence, TaskWeighting, WeightingSettings } from './weighting.js'

const DECAY = 0.01
const BETA1 = 0.9
const BETA2 = 0.999
const EPSILON = 1e-8
const LEAST_LOSS = 1e-8

/** Its part of the state: the loss means, then [K] each of ξ, mean, square. */
export function createFamoWeighting(priors: readonly number[], settings: WeightingSettings): TaskWeighting {
  const tasks = priors.length
  const means = LossMeans.size(tasks)
  const parts = (own: Float64Array) => [0, 1, 2].map(i => own.subarray(means + i * tasks, means + (i + 1) * tasks))

  function move(own: Float64Array, { lossSums, lossSumsAfter, counts }: StepEvidence, t: number): void {
    const [logits = own, mean = own, square = own] = parts(own)
    const share = softmax(logits)
    const fall = priors.map((_, k) => {
      const count = counts[k] ?? 0
      if (count === 0) return 0
      return logLoss((lossSums[k] ?? 0) / count) - logLoss((lossSumsAfter[k] ?? 0) / count)
    })
    const common = fall.reduce((sum, one, k) => sum + one * (share[k] ?? 0), 0)
    if (!Number.isFinite(common)) return
    for (let k = 0; k < tasks; k++) {
      const logit = logits[k] ?? 0
      const gradient = (share[k] ?? 0) * ((fall[k] ?? 0) - common) + DECAY * logit
      const m = BETA1 * (mean[k] ?? 0) + (1 - BETA1) * gradient
      const v = BETA2 * (square[k] ?? 0) + (1 - BETA2) * gradient ** 2
      mean[k] = m
      square[k] = v
      logits[k] = logit - (settings.rate * m) / (1 - BETA1 ** t) / (Math.sqrt(v / (1 - BETA2 ** t)) + EPSILON)
    }
  }

  return createStatefulWeighting(priors, settings, {
    evidence: 'second look',
    scope: 'loss',
    size: means + 3 * tasks,
    observe(evidence, own, step) {
      new LossMeans(tasks, own).observe(evidence)
      if (step > settings.warmup) move(own, evidence, step - settings.warmup)
    },
    weigh: own => {
      const losses = new LossMeans(tasks, own)
      const share = softmax(parts(own)[0] ?? own)
      return priors.map((prior, k) => {
        const loss = losses.seen(k) ? Math.max(losses.slow(k), LEAST_LOSS) : 1
        return (prior * (share[k] ?? 0)) / loss
      })
    },
  })
}

function logLoss(loss: number): number {
  return Math.log(loss + LEAST_LOSS)
}

function softmax(logits: Float64Array): number[] {
  const largest = Math.max(...logits)
  const terms = Array.from(logits, logit => Math.exp(logit - largest))
  const total = terms.reduce((sum, term) => sum + term, 0)
  return terms.map(term => term / total)
}
