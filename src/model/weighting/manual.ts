/**
 * manual: the priors. The default, because no adaptive method beat it on both data sets on which they were compared.
 *
 *   w_k = p_k
 */
import type { TaskWeighting } from './weighting.js'

export function createManualWeighting(priors: readonly number[]): TaskWeighting {
  return {
    evidence: 'losses',
    scope: 'loss',
    weights: Float64Array.from(priors),
    state: new Float64Array(0),
    update() {},
    restored() {},
  }
}
