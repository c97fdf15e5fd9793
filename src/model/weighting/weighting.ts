/**
 * Contract of a task weighting: how much each task's loss counts in the next step.
 *
 * The joint loss of a step is Σ_k w_k Σ_i mask_ik loss_ik: sums over the batch, each label counted once. A weighting owns
 * w. It lives on the host, in double precision: K ≤ 16 numbers need no graph.
 *
 * Call order, once a step: `weights` is read before the graph runs and holds for the whole step (and is what the step
 * reports); then `update` is called with what the graph measured under these weights. So the weights of a step depend on
 * earlier steps only, and are the same when a step is learned again after a restart. Papers that solve for the weights of
 * the very batch are followed with running means of what they look at.
 *
 * Guarantees every method keeps:
 * - `weights` are finite and within prior × bounds (rho: see there);
 * - for the first `warmup` steps they are the priors;
 * - a task without a label in the batch gets no evidence from it;
 * - `state` is everything that update() changes: a fixed number of doubles that the checkpoint holds as they are. The
 *   array's identity never changes; loading writes into it.
 *
 * Evidence beyond losses costs nodes in the graph, which are there only if a method asks for them.
 */
export type Evidence =
  /** lossSums and counts, which are always there. */
  | 'losses'
  | 'products'
  | 'repeats'
  /** lossSumsAfter: one more forward pass over the batch. */
  | 'second look'

export interface StepEvidence {
  /** Per task: Σ_i mask loss, unweighted. */
  lossSums: Float64Array
  /** Per task: counted labels. */
  counts: Float64Array
  /** [K, K] products of the gradients of the unweighted loss sums at the shared representation. */
  gradientProducts: Float64Array
  /** Per task: |G|² of the gradient G at an imaginary layer behind the representation, and ⟨G, G of the step before⟩. */
  gradientSquares: Float64Array
  gradientRepeats: Float64Array
  /** lossSums of the same batch once the dense weights have moved. */
  lossSumsAfter: Float64Array
}

export interface TaskWeighting {
  readonly evidence: Evidence
  /** loss: a weight multiplies all of a task's loss. trunk: what its head sends into trunk and rows; the rest has the prior. */
  readonly scope: 'loss' | 'trunk'
  /** [K], of the next step. */
  readonly weights: Float64Array
  readonly state: Float64Array
  update(evidence: StepEvidence): void
  /** After `state` was written from a checkpoint. */
  restored(): void
}

export interface WeightingSettings {
  rate: number
  alpha: number
  bounds: readonly [number, number]
  warmup: number
  /** Of methods that draw. */
  seed: number
}

/** The seed of one step's draws: a step learned again draws the same. */
export function stepSeed(seed: number, step: number): number {
  return (seed ^ Math.imul(step, 0x9e3779b1)) >>> 0
}
