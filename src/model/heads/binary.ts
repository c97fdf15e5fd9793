/**
 * binary: sigmoid and cross-entropy on the logit.
 *
 *   loss = log(1 + e^z) − y z         value = 1 / (1 + e^−z)
 *
 * z = 0 stands at the log-odds of the running base rate, so that the first predictions of a rare label are already rare
 * and the network only learns differences. It starts as if 2 of 20 labels had been positive.
 */
import type { GraphBuilder, Node } from '../../graph/graph.js'
import { columnTotals, type Head } from './head.js'

/** Labels after which an old label counts 1/e in the base rate. */
const MEMORY_LABELS = 50_000
const START_LABELS = 20
const START_POSITIVES = 2

/**
 * All [B, K]. targets: weight × label. A weight and a target of 0 leave the label out; a target without a weight is what a
 * label of 1 adds to one of 0 that was learned before.
 */
export function binaryLoss(g: GraphBuilder, latents: Node, targets: Node, weights: Node): Node {
  return g.sub(g.mul(weights, g.softplus(latents)), g.mul(latents, targets))
}

export function sigmoid(z: number): number {
  return 1 / (1 + Math.exp(-z))
}

/** State: [labels, positives], both decayed. logOdds: by which those of the labels are higher than the truth. */
export function createBinaryHead(logOdds = 0): Head {
  const state = Float64Array.of(START_LABELS, START_POSITIVES)
  return {
    kind: 'binary',
    state,
    precision: 1,
    get shift() {
      const [labels = 0, positives = 0] = state
      const rate = Math.min(Math.max(positives / labels, 1e-6), 1 - 1e-6)
      return Math.log(rate / (1 - rate)) - logOdds
    },
    prepare() {},
    encode: label => label,
    decode: sigmoid,
    observe(column) {
      const { count, sum } = columnTotals(column)
      if (count === 0 && sum === 0) return
      const keep = Math.exp(-count / MEMORY_LABELS)
      const [labels = 0, positives = 0] = state
      state[0] = labels * keep + count
      state[1] = positives * keep + sum
    },
  }
}
