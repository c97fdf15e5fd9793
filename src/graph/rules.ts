/** Every computed op and its rule: the list to read, and to extend. */
import type { ComputedOp } from './node.js'
import {
  abs,
  exp,
  log,
  neg,
  relu,
  reluGrad,
  sigmoid,
  softplus,
  sqrt,
  square,
  stopGradient,
  tanh,
} from './ops/activation.js'
import { add, div, mul, sub } from './ops/arithmetic.js'
import { concat, expand, reshape, slice, transpose } from './ops/layout.js'
import { matMul } from './ops/matmul.js'
import { softmax, sum } from './ops/reduce.js'
import { greater, maximum, minimum, where } from './ops/select.js'
import type { Rule } from './rule.js'

export const RULES: Readonly<Record<ComputedOp, Rule>> = {
  add,
  sub,
  mul,
  div,
  maximum,
  minimum,
  greater,
  where,
  neg,
  exp,
  log,
  sqrt,
  square,
  relu,
  reluGrad,
  sigmoid,
  softplus,
  tanh,
  abs,
  softmax,
  stopGradient,
  matMul,
  sum,
  reshape,
  transpose,
  concat,
  slice,
  expand,
}
