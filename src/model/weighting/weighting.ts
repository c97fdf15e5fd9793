/**
 * Contract of a task weighting: how much each task's loss counts in the next step.
 *
 * The joint loss of a step is Σ_k w_k Σ_i mask_ik loss_ik: sums over the batch, each label counted once. A weighting owns
 * w. It lives on the host, in double precision: K ≤ 16 numbers need no graph.
 *
 * Call order, once a step: `weights` is read before the graph runs and holds for the whole step (and is what the step
 * reports); then `update` is called with what the graph measured under these weights. So the weights of a step depend on
 * earlier steps only, and are the same when a step is learned again after a restart.
 *
 * Guarantees every method keeps:
 * - `weights` are finite and within prior × bounds;
 * - for the first `warmup` steps they are the priors;
 * - a task without a label in the batch gets no evidence from it;
 * - `state` is everything that update() changes: a fixed number of doubles that the checkpoint holds as they are. The
 *   array's identity never changes; loading writes into it.
 *
 * Gradient norms cost a product per task in the graph; they are there only if `needsGradientNorms`.
 */
export interface StepEvidence {
  /** Per task: Σ_i mask loss, unweighted. */
  lossSums: Float64Array
  /** Per task: counted labels. */
  counts: Float64Array
  /** Per task: norm of the gradient of the unweighted loss sum at the shared representation. Empty if not asked for. */
  gradientNorms: Float64Array
}

export interface TaskWeighting {
  readonly needsGradientNorms: boolean
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
}
