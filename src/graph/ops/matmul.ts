/** Matrix product of rank 2, or of rank 3 with equal leading dimensions (1 broadcasts). */
import type { Attributes, Dim, Shape } from '../node.js'
import type { Rule } from '../rule.js'
import { broadcast, dimAt, graphError, shapeText } from '../shape.js'

function matMulShape(a: Shape, b: Shape, { transposeA, transposeB }: Attributes): Shape {
  const rank = a.length
  const text = `matMul: ${shapeText(a)}${transposeA ? 'ᵀ' : ''} and ${shapeText(b)}${transposeB ? 'ᵀ' : ''}`
  if (rank !== b.length || (rank !== 2 && rank !== 3))
    throw graphError(`${text}: both must have rank 2, or both rank 3`)
  const inner = dimAt(a, transposeA ? rank - 2 : rank - 1)
  if (inner !== dimAt(b, transposeB ? rank - 1 : rank - 2)) throw graphError(`${text}: inner dimensions differ`)
  const matrix: Dim[] = [dimAt(a, transposeA ? rank - 1 : rank - 2), dimAt(b, transposeB ? rank - 2 : rank - 1)]
  return rank === 2 ? matrix : [...broadcast('matMul', a.slice(0, 1), b.slice(0, 1)), ...matrix]
}

export const matMul: Rule = {
  shape: ([a = [], b = []], attributes) => matMulShape(a, b, attributes),
  gradient: ({ g, y, dy, x, full, unbroadcast }) => {
    const { transposeA, transposeB } = y.attributes
    const [a, b, d] = [x(0), x(1), full(dy, y)]
    // With A and B as they enter the product, dA = d·Bᵀ and dB = Aᵀ·d; a transposed input gets the transposed gradient.
    const da = transposeA
      ? g.matMul(b, d, { transposeA: transposeB, transposeB: true })
      : g.matMul(d, b, { transposeB: !transposeB })
    const db = transposeB
      ? g.matMul(d, a, { transposeA: true, transposeB: transposeA })
      : g.matMul(a, d, { transposeA: !transposeA })
    return [unbroadcast(da, a), unbroadcast(db, b)]
  },
}
