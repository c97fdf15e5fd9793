/** Element-wise functions of one tensor. Their gradients use the output where that saves computing it again. */
import type { Rule } from '../rule.js'

const shape: Rule['shape'] = ([a = []]) => a

export const neg: Rule = { shape, gradient: ({ g, dy }) => [g.neg(dy)] }
export const exp: Rule = { shape, gradient: ({ g, y, dy }) => [g.mul(dy, y)] }
export const log: Rule = { shape, gradient: ({ g, dy, x }) => [g.div(dy, x(0))] }
export const sqrt: Rule = { shape, gradient: ({ g, y, dy }) => [g.div(g.mul(dy, 0.5), y)] }
export const square: Rule = { shape, gradient: ({ g, dy, x }) => [g.mul(g.mul(dy, 2), x(0))] }
export const sigmoid: Rule = { shape, gradient: ({ g, y, dy }) => [g.mul(dy, g.mul(y, g.sub(1, y)))] }
export const tanh: Rule = { shape, gradient: ({ g, y, dy }) => [g.mul(dy, g.sub(1, g.mul(y, y)))] }
export const softplus: Rule = { shape, gradient: ({ g, dy, x }) => [g.mul(dy, g.sigmoid(x(0)))] }

/** At 0 the gradient is 0, as in PyTorch. */
export const relu: Rule = { shape, gradient: ({ g, y, dy, full }) => [g.reluGrad(full(dy, y), y)] }
export const abs: Rule = {
  shape,
  gradient: ({ g, dy, x }) => [g.mul(dy, g.sub(g.greater(x(0), 0), g.greater(0, x(0))))],
}

/** reluGrad(dy, y): linear in dy; y is only looked at for its sign. */
export const reluGrad: Rule = {
  shape,
  gradient: ({ g, y, dy, x, full }) => [g.reluGrad(full(dy, y), x(1)), undefined],
}

export const stopGradient: Rule = { shape }
