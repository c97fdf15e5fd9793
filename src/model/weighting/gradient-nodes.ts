/**
 * What a task weighting needs of the step graph beyond losses: the tasks' gradients at the shared representation, and
 * weights that act on what the heads send into the trunk.
 *
 * g_k is the gradient of the loss at what head k's tower reads. All methods that compare the tasks' gradients compare
 * them there: that costs one product a task, where the gradients at the shared parameters would cost a backward pass a
 * task; the norm at the representation bounds the one at the parameters (Sener & Koltun 2018, section 3.3).
 *
 * Trunk weights scale g_k on its way down. Towers, id biases and the linear part keep their own gradient: they belong to
 * one task, and the weight between tasks is not their business.
 */
import type { GraphBuilder, Node } from '../../graph/graph.js'
import type { Forward } from '../forward.js'
import type { StepPlan } from '../plan.js'
import { towerInputGradients } from '../towers.js'

/** A scalar whose gradient below the towers is that of Σ_k w_k loss_k. */
export function weighTrunk(g: GraphBuilder, plan: StepPlan, f: Forward, gradientOf: (node: Node) => Node): Node {
  const { tower } = plan
  const weights = g.input('trunkWeights', [tower.tasks])
  const { hidden } = f.towers
  const byTask = tower.shared
    ? g.reshape(g.expand(g.reshape(weights, [tower.tasks, 1]), g.constant(0, [tower.tasks, tower.units])), [
        tower.tasks * tower.units,
      ])
    : g.reshape(weights, [tower.tasks, 1, 1])
  const sent = g.sum(g.mul(hidden, g.stopGradient(g.mul(gradientOf(hidden), byTask))))
  if (!f.straight || !plan.interaction) return sent
  return g.add(sent, g.sum(g.mul(f.straight, g.stopGradient(g.mul(gradientOf(f.straight), weights)))))
}

export function measureGradients(g: GraphBuilder, plan: StepPlan, f: Forward, gradientOf: (node: Node) => Node): void {
  const { spec, tower, shape } = plan
  if (spec.evidence !== 'products' && spec.evidence !== 'repeats') return
  const atTowers = towerInputGradients(g, tower, gradientOf(f.towers.hidden), f.parameter) // [K, B, H]
  if (spec.evidence === 'products') {
    g.output('gradientProducts', f.trunk.gradientProducts(g, atTowers))
    return
  }
  const now = f.trunk.layerGradients(g, atTowers) // [K, ...]
  const size = now.shape.slice(1).reduce<number>((product, dim) => product * Number(dim), 1)
  const flat = g.reshape(now, [shape.tasks, size])
  const previous = g.state('previous', [shape.tasks, size])
  g.output('gradientSquares', g.sum(g.square(flat), [1]))
  g.output('gradientRepeats', g.sum(g.mul(flat, previous), [1]))
  const kept = g.sub(1, g.reshape(g.input('seen', [shape.tasks]), [shape.tasks, 1]))
  g.assign('previous', g.add(flat, g.mul(previous, kept)))
}
