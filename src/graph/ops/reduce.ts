/** Sums, and what is normalised by a sum. */

import type { Dim } from '../node.js'
import type { Rule } from '../rule.js'
import { graphError, shapeText } from '../shape.js'

export const sum: Rule = {
  shape: ([a = []], { axes, keepDims }) => {
    if (keepDims) return a.map((dim, axis) => (axes.includes(axis) ? 1 : dim))
    return a.filter((_, axis) => !axes.includes(axis))
  },
  gradient: ({ g, y, dy, x }) => {
    const { axes, keepDims } = y.attributes
    if (keepDims) return [dy]
    const rest: Dim[] = [...dy.shape]
    return [
      g.reshape(
        dy,
        x(0).shape.map((_, axis) => (axes.includes(axis) ? 1 : (rest.shift() ?? 1))),
      ),
    ]
  },
}

/** Over the last axis. */
export const softmax: Rule = {
  shape: ([a = []]) => {
    if (a.length === 0 || a.at(-1) === 'B') throw graphError(`softmax: no static last axis in ${shapeText(a)}`)
    return a
  },
  gradient: ({ g, y, dy }) => {
    const last = y.shape.length - 1
    const weighted = g.mul(dy, y)
    return [g.sub(weighted, g.mul(y, g.sum(weighted, [last], true)))]
  },
}
