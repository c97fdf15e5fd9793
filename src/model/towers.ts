/**
 * Task towers: one hidden layer and one output unit a task, over what the architecture gives.
 *
 *   z_k = u_k · φ(h_k U_k + c_k)
 *
 * When all tasks read the same [B, H], the K hidden layers are one matrix product; otherwise they are batched. The output
 * bias is not here but with the linear part (step-graph.ts), which has one a task.
 */
import type { GraphBuilder, Node } from '../graph/graph.js'
import { activation } from './architectures/dense-layer.js'
import type { ParameterSpec } from './parameters.js'

export interface TowerShape {
  /** H */
  width: number
  /** T, units of the hidden layer. */
  units: number
  /** K */
  tasks: number
  /** The trunk's output is [B, H]. */
  shared: boolean
}

export interface Towers {
  /** [B, K] */
  logits: Node
  /** Before the hidden layer's activation: [B, K·T] if shared, else [K, B, T]. */
  hidden: Node
}

export function towerParameters({ width, units, tasks, shared }: TowerShape): ParameterSpec[] {
  return [
    {
      name: 'tower.weight',
      shape: shared ? [width, tasks * units] : [tasks, width, units],
      initial: { kind: 'he', fanIn: width },
    },
    {
      name: 'tower.bias',
      shape: shared ? [tasks * units] : [tasks, 1, units],
      initial: { kind: 'constant', value: 0 },
    },
    {
      name: 'tower.output',
      shape: shared ? [tasks * units] : [tasks, 1, units],
      initial: { kind: 'uniform', fanIn: units },
    },
  ]
}

export function towers(
  g: GraphBuilder,
  { units, tasks, shared }: TowerShape,
  input: Node,
  parameter: (name: string) => Node,
): Towers {
  const hidden = g.add(g.matMul(input, parameter('tower.weight')), parameter('tower.bias'))
  const terms = g.mul(activation(g, hidden), parameter('tower.output'))
  const logits = shared ? g.sum(g.reshape(terms, ['B', tasks, units]), [2]) : g.transpose(g.sum(terms, [2]), [1, 0])
  return { logits, hidden }
}

/** What the output unit of one task reads: [B, T]. */
export function towerActivation(
  g: GraphBuilder,
  { units, shared }: TowerShape,
  { hidden }: Towers,
  task: number,
): Node {
  const active = activation(g, hidden)
  if (shared) return g.slice(active, 1, task * units, units)
  return g.reshape(g.slice(active, 0, task, 1), ['B', units])
}

/** From the gradient at `hidden` to that at each task's tower input: [K, B, H]. */
export function towerInputGradients(
  g: GraphBuilder,
  { width, units, tasks, shared }: TowerShape,
  hiddenGradient: Node,
  parameter: (name: string) => Node,
): Node {
  const weight = parameter('tower.weight')
  if (!shared) return g.matMul(hiddenGradient, weight, { transposeB: true })
  const gradients = g.transpose(g.reshape(hiddenGradient, ['B', tasks, units]), [1, 0, 2]) // [K, B, T]
  const weights = g.transpose(g.reshape(weight, [width, tasks, units]), [1, 2, 0]) // [K, T, H]
  return g.matMul(gradients, weights)
}
