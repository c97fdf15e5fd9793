/** Element-wise arithmetic of two tensors, broadcasting as numpy does. */

import type { Shape } from '../node.js'
import type { Rule } from '../rule.js'
import { broadcast } from '../shape.js'

export function binaryShape(inputs: readonly Shape[], op: string): Shape {
  const [a = [], b = []] = inputs
  return broadcast(op, a, b)
}

const shape: Rule['shape'] = (inputs, _, op) => binaryShape(inputs, op)

export const add: Rule = {
  shape,
  gradient: ({ dy, x, unbroadcast }) => [unbroadcast(dy, x(0)), unbroadcast(dy, x(1))],
}

export const sub: Rule = {
  shape,
  gradient: ({ g, dy, x, unbroadcast }) => [unbroadcast(dy, x(0)), g.neg(unbroadcast(dy, x(1)))],
}

export const mul: Rule = {
  shape,
  gradient: ({ g, dy, x, unbroadcast }) => [unbroadcast(g.mul(dy, x(1)), x(0)), unbroadcast(g.mul(dy, x(0)), x(1))],
}

export const div: Rule = {
  shape,
  gradient: ({ g, y, dy, x, unbroadcast }) => {
    const scaled = g.div(dy, x(1))
    return [unbroadcast(scaled, x(0)), unbroadcast(g.neg(g.mul(scaled, y)), x(1))]
  },
}
