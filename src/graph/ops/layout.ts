/** Ops that move values without changing them. */
import type { Rule } from '../rule.js'
import { broadcast, dimAt, elements, graphError, normalAxis, sameShape, shapeText } from '../shape.js'

export const reshape: Rule = {
  shape: ([a = []], { target }) => {
    const [from, to] = [elements(a), elements(target)]
    if (from.open > 1 || from.open !== to.open || from.known !== to.known)
      throw graphError(`reshape: ${shapeText(a)} to ${shapeText(target)}`)
    return target
  },
  gradient: ({ g, y, dy, x, full }) => {
    if (dy.shape.every(dim => dim === 1))
      return [
        g.reshape(
          dy,
          x(0).shape.map(() => 1),
        ),
      ]
    return [g.reshape(full(dy, y), x(0).shape)]
  },
}

export const transpose: Rule = {
  shape: ([a = []], { permutation }) => {
    if (permutation.length !== a.length || new Set(permutation).size !== a.length)
      throw graphError(`transpose: (${permutation}) is no permutation of ${shapeText(a)}`)
    return permutation.map(axis => dimAt(a, axis))
  },
  gradient: ({ g, y, dy }) => {
    const inverse: number[] = []
    y.attributes.permutation.forEach((from, to) => {
      inverse[from] = to
    })
    return [g.transpose(dy, inverse)]
  },
}

export const concat: Rule = {
  shape: (inputs, { axis }) => {
    const [first = []] = inputs
    let size = 0
    for (const shape of inputs) {
      const dim = dimAt(shape, normalAxis(axis, shape.length))
      const fits = shape.length === first.length && shape.every((d, i) => i === axis || d === first[i])
      if (!fits || dim === 'B') throw graphError(`concat: ${inputs.map(shapeText).join(', ')} along axis ${axis}`)
      size += dim
    }
    return first.map((dim, i) => (i === axis ? size : dim))
  },
  gradient: ({ g, y, dy }) => {
    const { axis } = y.attributes
    if (dy.shape[axis] === 1) return y.inputs.map(() => dy)
    let start = 0
    return y.inputs.map(input => {
      const size = Number(dimAt(input.shape, axis))
      start += size
      return g.slice(dy, axis, start - size, size)
    })
  },
}

export const slice: Rule = {
  shape: ([a = []], { axis, start, size }) => {
    const dim = dimAt(a, axis)
    const valid = Number.isInteger(start) && Number.isInteger(size) && start >= 0 && size >= 1
    if (dim === 'B' || !valid || start + size > dim)
      throw graphError(`slice: ${start} + ${size} of axis ${axis} of ${shapeText(a)}`)
    return a.map((d, i) => (i === axis ? size : d))
  },
  // The adjoint of the slice alone: gradient.ts puts those of all slices of x in their places at once.
  gradient: ({ y, dy, full }) => [full(dy, y)],
}

/** expand(a, like): like lends its shape, not its values. */
export const expand: Rule = {
  shape: ([a = [], like = []]) => {
    if (!sameShape(broadcast('expand', a, like), like))
      throw graphError(`expand: ${shapeText(a)} to ${shapeText(like)}`)
    return like
  },
  gradient: ({ dy, x, unbroadcast }) => [unbroadcast(dy, x(0)), undefined],
}
