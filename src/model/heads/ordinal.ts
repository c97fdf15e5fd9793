/**
 * ordinal: cumulative logits with ordered thresholds over the integer levels of the range (McCullagh 1980, "Regression
 * Models for Ordinal Data").
 *
 *   P(y > j) = σ(z − θ_j)      θ_0 < θ_1 < ... < θ_{L−2}       value = lowest + Σ_j P(y > j)
 *   loss     = −log P(y) = softplus(θ_{y−1} − z) + softplus(z − θ_y) − log(1 − e^{θ_{y−1} − θ_y})
 *
 * (a term whose threshold does not exist is left out). The last form of the loss never subtracts two sigmoids. Thresholds
 * stay ordered because the graph learns the gaps through a softplus: θ_j = θ_{j−1} + softplus(δ_j) + LEAST_GAP. They start
 * such that all levels are equally likely at z = 0.
 *
 * The graph gets a label as two one-hot rows, already multiplied by the label's weight: `above` marks the threshold below
 * the label (which z should exceed), `below` the one over it.
 */
import { MillraceError } from '../../domain/errors.js'
import type { GraphBuilder, Node } from '../../graph/graph.js'
import type { ParameterSpec } from '../parameters.js'
import type { Head } from './head.js'

const LEAST_GAP = 1e-3

export function levelCount(range: readonly [number, number] | undefined): number {
  const levels = range === undefined ? 0 : Math.round(range[1]) - Math.round(range[0]) + 1
  if (levels < 2) throw new MillraceError('CONFIG_INVALID', 'a task with levels needs a range of at least two')
  return levels
}

/** [1, L−1]: θ_0, then the gaps before the softplus. */
export function ordinalParameters(name: string, levels: number): ParameterSpec {
  const theta = Array.from({ length: levels - 1 }, (_, j) => Math.log((j + 1) / (levels - j - 1)))
  const values = theta.map((value, j) => (j === 0 ? value : inverseSoftplus(value - (theta[j - 1] ?? 0) - LEAST_GAP)))
  return { name, shape: [1, levels - 1], initial: { kind: 'values', values } }
}

function inverseSoftplus(y: number): number {
  return Math.log(Math.expm1(y))
}

/** latent [B, 1] of this task, raw [1, L−1] → levels above the lowest [B, 1] and what the loss needs. */
export function ordinalNodes(g: GraphBuilder, latent: Node, raw: Node, levels: number) {
  const first = g.slice(raw, 1, 0, 1)
  const gaps = levels > 2 ? g.add(g.softplus(g.slice(raw, 1, 1, levels - 2)), LEAST_GAP) : undefined
  const thetas =
    gaps === undefined ? first : g.concat([first, g.add(first, g.matMul(gaps, upperTriangle(g, levels - 2)))], 1)
  return { gaps, thetas, level: g.sum(g.sigmoid(g.sub(latent, thetas)), [1], true) }
}

/** Cumulative sums as a product: [1, n] × this. */
function upperTriangle(g: GraphBuilder, n: number): Node {
  const ones = Float32Array.from({ length: n * n }, (_, i) => (Math.floor(i / n) <= i % n ? 1 : 0))
  return g.constant(ones, [n, n])
}

/** above and below [B, L−1] → summed loss, shape [1]. */
export function ordinalLoss(
  g: GraphBuilder,
  latent: Node,
  { gaps, thetas }: { gaps: Node | undefined; thetas: Node },
  { above, below }: { above: Node; below: Node },
): Node {
  const distance = g.sub(latent, thetas)
  const sides = g.add(g.mul(above, g.softplus(g.neg(distance))), g.mul(below, g.softplus(distance)))
  if (gaps === undefined) return g.reshape(g.sum(sides), [1])
  // Levels with a threshold on both sides have the third term: those that mark a `below` other than the first.
  const levels = Number(thetas.shape[1])
  const between = g.slice(g.sum(below, [0], true), 1, 1, levels - 1)
  const third = g.mul(between, g.log(g.sub(1, g.exp(g.neg(gaps)))))
  return g.reshape(g.sub(g.sum(sides), g.sum(third)), [1])
}

/** encode gives the level's index, for the one-hot rows; decode takes the level that the graph computed. No state. */
export function createOrdinalHead(range: readonly [number, number] | undefined): Head {
  const levels = levelCount(range)
  const lowest = Math.round(range?.[0] ?? 0)
  return {
    kind: 'ordinal',
    shift: 0,
    precision: 1,
    state: new Float64Array(0),
    prepare() {},
    encode: label => Math.min(Math.max(Math.round(label) - lowest, 0), levels - 1),
    decode: level => lowest + level,
    observe() {},
  }
}
