/**
 * Contract of an architecture: how the input [B, width] becomes what each task's tower reads.
 *
 * An architecture is stateless. It first lists its parameters (name, shape, initial values), so that step-graph.ts can lay
 * them all out in one flat vector; then it builds its nodes from them. It is called once a graph (train and predict), and
 * must give the same nodes each time.
 *
 * Shapes: B batch, K tasks, E experts, H width of the last hidden layer.
 */
import type { GraphBuilder, Node } from '../../graph/graph.js'
import type { FunnelStep } from '../heads/funnel.js'
import type { ParameterSpec } from '../parameters.js'

export interface ArchitectureShape {
  /** Width of the input. */
  width: number
  hidden: readonly number[]
  tasks: number
  /** Only mmoe and ple read it. */
  experts: number
  /** Only aitm reads it. */
  funnel: readonly FunnelStep[]
}

export interface Trunk {
  /** What the towers read: [B, H] if every task reads the same, else [K, B, H]. */
  output: Node
  /** How much each task takes of each expert, [B, K, E]; absent: there are no experts. */
  gates?: Node
  /**
   * Given the gradients of the joint loss at each task's tower input, [K, B, H]: the products of each two tasks' gradients
   * at the representation that tasks share, [K, K].
   */
  gradientProducts(g: GraphBuilder, towerInputGradients: Node): Node
  /** Given the same: the gradients of an imaginary linear layer right behind that representation, [K, ...]. */
  layerGradients(g: GraphBuilder, towerInputGradients: Node): Node
}

export interface Architecture {
  /** The towers of all tasks read the same [B, H]. */
  sharesOutput?: boolean
  /** It hands on along the funnel what it knows, so that no product of probabilities is needed. */
  transfers?: boolean
  parameters(shape: ArchitectureShape): ParameterSpec[]
  build(g: GraphBuilder, shape: ArchitectureShape, input: Node, parameter: (name: string) => Node): Trunk
}
