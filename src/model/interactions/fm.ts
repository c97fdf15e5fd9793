/**
 * fm: what each pair of slots says together (Rendle, ICDM 2010, "Factorization Machines"; fed to the network as in He &
 * Chua, SIGIR 2017, "Neural Factorization Machines").
 *
 *   pooled = Σ_{i<j} v_i ∘ v_j = ½ ((Σ_i v_i)² − Σ_i v_i²)        [B, dim]
 *
 * `pooled` goes to the trunk and, by weights per task, straight to the logits. It is scaled by FM_GAIN: rows start small,
 * so their products start smaller still, and Adam's steps do not know it.
 */
import type { GraphBuilder, Node } from '../../graph/graph.js'

export const FM_GAIN = 3

/** embedded [B, slots·dim] → [B, dim] */
export function fmInteraction(g: GraphBuilder, embedded: Node, slots: number, dim: number): Node {
  const vectors = g.reshape(embedded, ['B', slots, dim])
  const squareOfSum = g.square(g.sum(vectors, [1]))
  const sumOfSquares = g.sum(g.square(vectors), [1])
  return g.mul(g.sub(squareOfSum, sumOfSquares), FM_GAIN / 2)
}
