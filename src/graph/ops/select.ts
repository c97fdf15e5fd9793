/** Comparisons and choices. No gradient flows through a condition. */
import type { Rule } from '../rule.js'
import { broadcast } from '../shape.js'
import { binaryShape } from './arithmetic.js'

const shape: Rule['shape'] = (inputs, _, op) => binaryShape(inputs, op)

/** 1 where a > b, else 0. */
export const greater: Rule = { shape }

/** A condition counts as true where it is not 0. */
export const where: Rule = {
  shape: ([condition = [], a = [], b = []]) => broadcast('where', condition, broadcast('where', a, b)),
  gradient: ({ g, dy, x, unbroadcast }) => [
    undefined,
    unbroadcast(g.where(x(0), dy, 0), x(1)),
    unbroadcast(g.where(x(0), 0, dy), x(2)),
  ],
}

/** Equal elements: the gradient goes to the first input. */
export const maximum: Rule = {
  shape,
  gradient: ({ g, dy, x, unbroadcast }) => {
    const second = g.greater(x(1), x(0))
    return [unbroadcast(g.where(second, 0, dy), x(0)), unbroadcast(g.where(second, dy, 0), x(1))]
  },
}

export const minimum: Rule = {
  shape,
  gradient: ({ g, dy, x, unbroadcast }) => {
    const second = g.greater(x(0), x(1))
    return [unbroadcast(g.where(second, 0, dy), x(0)), unbroadcast(g.where(second, dy, 0), x(1))]
  },
}
