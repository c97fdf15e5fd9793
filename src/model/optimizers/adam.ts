/**
 * Adam (Kingma & Ba, ICLR 2015, "Adam: A Method for Stochastic Optimization") on the flat parameter vector, in the graph.
 *
 *   m ← β1 m + (1−β1) g      v ← β2 v + (1−β2) g²      p ← p − η · (m / (1−β1^t)) / (√(v / (1−β2^t)) + ε)
 *
 * The state holds M = m / (1−β1) and V = v / (1−β2), which saves two passes over the vector and changes nothing else:
 *
 *   M ← β1 M + g             V ← β2 V + g²             p ← p − rate · M / (√V + epsilon)
 *
 * with the step's scalars, computed on the host in double precision by `adamScalars`:
 *   epsilon = ε √((1−β2^t)/(1−β2))      rate = η (1−β1)/(1−β1^t) · √((1−β2^t)/(1−β2))
 *
 * The gradient is that of the loss summed over the batch. Adam does not see a constant factor; what it does see is that a
 * batch of ten counts ten times a batch of one, which is as it should be when batches are made by event time.
 */
import type { GraphBuilder, Node } from '../../graph/graph.js'

export interface AdamSettings {
  rate: number
  beta1: number
  beta2: number
  epsilon: number
}

export interface AdamNodes {
  parameters: Node
  mean: Node
  square: Node
}

/** `scalars` is the input [2]: rate, epsilon. */
export function adam(
  g: GraphBuilder,
  settings: AdamSettings,
  old: AdamNodes,
  gradient: Node,
  scalars: { rate: Node; epsilon: Node },
): AdamNodes {
  const mean = g.add(g.mul(old.mean, settings.beta1), gradient)
  const square = g.add(g.mul(old.square, settings.beta2), g.square(gradient))
  const step = g.div(mean, g.add(g.sqrt(square), scalars.epsilon))
  return { parameters: g.sub(old.parameters, g.mul(step, scalars.rate)), mean, square }
}

/** For step t = 1, 2, ... */
export function adamScalars(settings: AdamSettings, t: number): { rate: number; epsilon: number } {
  const root = Math.sqrt((1 - settings.beta2 ** t) / (1 - settings.beta2))
  return {
    rate: (settings.rate * (1 - settings.beta1) * root) / (1 - settings.beta1 ** t),
    epsilon: settings.epsilon * root,
  }
}
