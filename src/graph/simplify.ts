/**
 * Rewrites made while a graph is built, so that every backend profits: ops that change nothing go, arithmetic on scalar
 * constants is done at once, transposes move into matMul. Nothing here changes a value beyond the rounding of constants.
 */
import type { Attributes, ComputedOp, Node, Shape } from './node.js'
import type { Emitter } from './rule.js'
import { sameShape } from './shape.js'

/** A simpler node of the same value and shape, if there is one. */
export function simplify(
  g: Emitter,
  op: ComputedOp,
  inputs: readonly Node[],
  shape: Shape,
  attributes: Attributes,
): Node | undefined {
  const [a, b] = inputs
  if (!a) return undefined
  const folded = foldScalars(g, op, inputs, shape)
  if (folded) return folded
  const unchanged = sameShape(a.shape, shape)
  switch (op) {
    case 'add':
      if (b && isFilled(a, 0) && sameShape(b.shape, shape)) return b
      return b && isFilled(b, 0) && unchanged ? a : undefined
    case 'mul':
      if (b && isFilled(a, 1) && sameShape(b.shape, shape)) return b
      return b && isFilled(b, 1) && unchanged ? a : undefined
    case 'sub':
      return b && isFilled(b, 0) && unchanged ? a : undefined
    case 'div':
      return b && isFilled(b, 1) && unchanged ? a : undefined
    case 'neg':
      return a.op === 'neg' ? a.inputs[0] : undefined
    case 'reshape':
      if (unchanged) return a
      if (a.op === 'constant') return g.constant(a.attributes.value, shape)
      return a.op === 'reshape' && a.inputs[0] ? g.reshape(a.inputs[0], shape) : undefined
    case 'transpose':
      return simplifyTranspose(g, a, attributes.permutation, shape)
    case 'sum':
      if (attributes.axes.length === 0) return a
      return attributes.axes.every(axis => a.shape[axis] === 1) ? g.reshape(a, shape) : undefined
    case 'expand':
    case 'slice':
      return unchanged ? a : undefined
    case 'concat':
      return inputs.length === 1 ? a : undefined
    case 'matMul':
      return b ? absorbTransposes(g, a, b, attributes) : undefined
    default:
      return undefined
  }
}

function isFilled(node: Node, value: number): boolean {
  return node.op === 'constant' && node.attributes.value.every(element => element === value)
}

function foldScalars(g: Emitter, op: ComputedOp, inputs: readonly Node[], shape: Shape): Node | undefined {
  const values = inputs.map(input => (input.op === 'constant' ? input.attributes.value : []))
  if (values.some(value => value.length !== 1)) return undefined
  const [a = Number.NaN, b = Number.NaN] = values.map(value => value[0])
  if (op === 'add') return g.constant(a + b, shape)
  if (op === 'sub') return g.constant(a - b, shape)
  if (op === 'mul') return g.constant(a * b, shape)
  if (op === 'div') return g.constant(a / b, shape)
  if (op === 'neg') return g.constant(-a, shape)
  return undefined
}

function simplifyTranspose(g: Emitter, a: Node, permutation: readonly number[], shape: Shape): Node | undefined {
  if (permutation.every((from, to) => from === to)) return a
  if (a.op === 'transpose' && a.inputs[0]) {
    const inner = a.attributes.permutation
    return g.transpose(
      a.inputs[0],
      permutation.map(axis => inner[axis] ?? axis),
    )
  }
  // Moving only axes of length 1 past others does not move values.
  const order = permutation.filter(axis => a.shape[axis] !== 1)
  return order.every((axis, i) => i === 0 || axis > (order[i - 1] ?? -1)) ? g.reshape(a, shape) : undefined
}

function swapsLastTwo(node: Node): boolean {
  const { permutation } = node.attributes
  const rank = permutation.length
  return node.op === 'transpose' && permutation.every((from, to) => from === (to < rank - 2 ? to : 2 * rank - 3 - to))
}

function absorbTransposes(g: Emitter, a: Node, b: Node, attributes: Attributes): Node | undefined {
  const [fromA] = swapsLastTwo(a) ? a.inputs : []
  const [fromB] = swapsLastTwo(b) ? b.inputs : []
  if (!fromA && !fromB) return undefined
  return g.matMul(fromA ?? a, fromB ?? b, {
    transposeA: attributes.transposeA !== (fromA !== undefined),
    transposeB: attributes.transposeB !== (fromB !== undefined),
  })
}
