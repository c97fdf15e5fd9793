/**
 * Fake negatives that are weighted instead of taken back (Ktena et al., RecSys 2019, "Addressing delayed feedback for
 * continuous training with neural networks in CTR prediction"): every example is learned as a negative first and once more
 * when its positive comes. With p the model's own prediction, not differentiated, the loss
 *
 *   −(1 + p) y log f − (1 − p)(1 + p)(1 − y) log(1 − f)
 *
 * has in expectation the gradient of the true labels, if every positive was learned as a negative before. Where most are known
 * when the example is first learned, as is usual here, it predicts too much.
 *
 * Its gradient in the logit is that of p + p²/2 for a negative, and of −log p − p for a positive: what the network minimises.
 */
import type { GraphBuilder, Node } from '../graph/graph.js'

/** What the label counts. */
export function fakeNegativeWeight(probability: number, label: number): number {
  return label > 0 ? 1 + probability : (1 - probability) * (1 + probability)
}

/** As binaryLoss (heads/binary.ts): all of one shape, targets: weight × label. */
export function fakeNegativeLoss(g: GraphBuilder, latents: Node, targets: Node, weights: Node): Node {
  const p = g.sigmoid(latents)
  const negative = g.add(p, g.mul(g.square(p), 0.5))
  const positive = g.sub(g.softplus(g.neg(latents)), p)
  return g.add(g.mul(g.sub(weights, targets), negative), g.mul(targets, positive))
}
