/**
 * What an op is to the graph: its shape from its inputs' shapes, and its gradient. One rule an op, families share a file
 * under ops/.
 *
 * Adjoints are thin: `dy` has the rank of the output, but may have 1 where the output has more, meaning the same value
 * along that axis. Element-wise rules need not care, since ops broadcast; rules that do call `full(dy, y)` first. This
 * keeps the gradient of a mean from ever being written out over the batch.
 */
import type { Attributes, Node, Shape } from './node.js'

/** Where a Node is expected, a number stands for a scalar constant. */
export type Operand = Node | number

/** The ops that gradient rules are made of. */
export interface Emitter {
  constant(value: number | Float32Array, shape?: Shape): Node
  matMul(a: Node, b: Node, options?: { transposeA?: boolean; transposeB?: boolean }): Node
  add(a: Operand, b: Operand): Node
  sub(a: Operand, b: Operand): Node
  mul(a: Operand, b: Operand): Node
  div(a: Operand, b: Operand): Node
  neg(a: Node): Node
  exp(a: Node): Node
  sigmoid(a: Node): Node
  sum(a: Node, axes?: readonly number[], keepDims?: boolean): Node
  reshape(a: Node, shape: Shape): Node
  transpose(a: Node, permutation: readonly number[]): Node
  concat(nodes: readonly Node[], axis: number): Node
  slice(a: Node, axis: number, start: number, size: number): Node
  greater(a: Operand, b: Operand): Node
  where(condition: Node, a: Operand, b: Operand): Node
  reluGrad(dy: Node, y: Node): Node
  expand(a: Node, like: Node): Node
}

interface GradientContext {
  readonly g: Emitter
  /** The node whose inputs' gradients are asked for. */
  readonly y: Node
  /** Thin adjoint of y. */
  readonly dy: Node
  /** The i-th input of y. */
  x(i: number): Node
  /** A thin adjoint of `of`, written out. */
  full(adjoint: Node, of: Node): Node
  /** Sums what broadcasting repeated: an adjoint of y, as one of x. */
  unbroadcast(adjoint: Node, x: Node): Node
}

export interface Rule {
  shape(inputs: readonly Shape[], attributes: Attributes, op: string): Shape
  /** One adjoint an input, thin; undefined where none flows. Absent: nothing flows at all. */
  gradient?(context: GradientContext): readonly (Node | undefined)[]
}
