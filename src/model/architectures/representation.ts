/** What architectures answer about the gradients at their shared representation; see architecture.ts. */
import type { GraphBuilder, Node } from '../../graph/graph.js'

/** [K, B, H] → [K, K] */
export function products(g: GraphBuilder, gradients: Node): Node {
  const rows = g.transpose(gradients, [1, 0, 2]) // [B, K, H]
  return g.sum(g.matMul(rows, rows, { transposeB: true }), [0])
}

/** [K, B, H] → [K, K] of tasks that share nothing: zeros beside the diagonal. */
export function ownProducts(g: GraphBuilder, gradients: Node): Node {
  const tasks = Number(gradients.shape[0])
  const identity = Float32Array.from({ length: tasks * tasks }, (_, i) => (i % (tasks + 1) === 0 ? 1 : 0))
  return g.mul(g.sum(g.square(gradients), [1, 2]), g.constant(identity, [tasks, tasks]))
}

/** Gradients [K, B, H] at a representation [n, B, H], n = K or 1 → those of a linear layer with a bias: [K, H, H + 1]. */
export function layerGradients(g: GraphBuilder, gradients: Node, representation: Node): Node {
  const one = g.slice(representation, 2, 0, 1)
  const extended = g.concat([representation, g.expand(g.constant(1, [1, 1, 1]), one)], 2)
  return g.matMul(gradients, extended, { transposeA: true })
}

/** The same for experts [E, B, H] that task k mixes with gates [B, K, E]: [K, E·H, H + 1]. */
export function expertLayerGradients(g: GraphBuilder, gradients: Node, experts: Node, gates: Node): Node {
  const byTask = g.transpose(gates, [1, 0, 2]) // [K, B, E]
  const each = Array.from({ length: Number(experts.shape[0]) }, (_, e) =>
    layerGradients(g, g.mul(gradients, g.slice(byTask, 2, e, 1)), g.slice(experts, 0, e, 1)),
  )
  return g.concat(each, 1)
}

/** Σ_B Σ_e gate_ke gate_je ⟨g_k, g_j⟩, from gates [B, K, E] and gradients [K, B, H] behind the mixture. */
export function expertProducts(g: GraphBuilder, gradients: Node, gates: Node): Node {
  const rows = g.transpose(gradients, [1, 0, 2])
  const mixed = g.matMul(rows, rows, { transposeB: true }) // [B, K, K]
  return g.sum(g.mul(mixed, g.matMul(gates, gates, { transposeB: true })), [0])
}
