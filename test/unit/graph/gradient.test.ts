import assert from 'node:assert/strict'
import test from 'node:test'
import { gradients } from '../../../src/graph/gradient.js'
import { GraphBuilder, type Node } from '../../../src/graph/graph.js'
import { evaluateGraph } from '../../helpers/reference-backend.js'

function valuesOf(g: GraphBuilder, node: Node, leaves: Record<string, number[]>): number[] {
  g.output('out', node)
  const graph = g.build()
  const given = Object.fromEntries(
    graph.inputs.map(({ attributes: { name }, shape }) => {
      const data = Float64Array.from(leaves[name]!)
      const known = shape.reduce<number>((product, dim) => product * (dim === 'B' ? 1 : dim), 1)
      return [name, { data, dims: shape.map(dim => (dim === 'B' ? data.length / known : dim)) }]
    }),
  )
  return [...evaluateGraph(graph, given).get(node)!.data]
}

test('the gradient is asked of scalars only', () => {
  const g = new GraphBuilder()
  const x = g.input('x', ['B'])
  assert.throws(() => gradients(g, x, [x]), /gradients of \[B\]: y must be a scalar/)
})

test('it is zeros in the shape of an x that y does not depend on', () => {
  const g = new GraphBuilder()
  const [x, y] = [g.input('x', ['B', 2]), g.input('y', [])]
  const [dx] = gradients(g, g.exp(y), [x])
  assert.deepEqual(dx!.shape, ['B', 2])
  assert.deepEqual(valuesOf(g, dx!, { x: [1, 2, 3, 4], y: [0] }), [0, 0, 0, 0])
})

test('it is one for y itself', () => {
  const g = new GraphBuilder()
  const y = g.exp(g.input('x', []))
  assert.deepEqual(valuesOf(g, gradients(g, y, [y])[0]!, { x: [3] }), [1])
})

test('it stops at stopGradient and at comparisons', () => {
  const g = new GraphBuilder()
  const x = g.input('x', ['B'])
  const y = g.sum(g.mul(g.stopGradient(g.square(x)), g.add(x, g.greater(x, 1))))
  assert.deepEqual(valuesOf(g, gradients(g, y, [x])[0]!, { x: [2, 3] }), [4, 9])
})

test('an intermediate node can be differentiated by, apart from what feeds it', () => {
  const g = new GraphBuilder()
  const x = g.input('x', ['B'])
  const hidden = g.square(x)
  const y = g.sum(g.mul(hidden, hidden))
  const [dHidden, dx] = gradients(g, y, [hidden, x])
  assert.deepEqual(
    valuesOf(g, g.concat([g.reshape(dHidden!, ['B', 1]), g.reshape(dx!, ['B', 1])], 1), { x: [1, 2] }),
    [2, 4, 8, 32],
  )
})

test('relu, abs and equal maxima have the gradients of PyTorch, or one side at their kinks', () => {
  const g = new GraphBuilder()
  const x = g.input('x', ['B'])
  const [relu] = gradients(g, g.sum(g.relu(x)), [x])
  const [abs] = gradients(g, g.sum(g.abs(x)), [x])
  const [first] = gradients(g, g.sum(g.maximum(x, 0)), [x])
  const [second] = gradients(g, g.sum(g.maximum(0, x)), [x])
  const all = [relu!, abs!, first!, second!].map(node => g.reshape(node, ['B', 1]))
  assert.deepEqual(valuesOf(g, g.concat(all, 1), { x: [0] }), [0, 0, 1, 0])
})

test('the gradient of a mean is never written out over the batch before it is needed', () => {
  const g = new GraphBuilder()
  const [x, n] = [g.input('x', ['B', 3]), g.input('n', [])]
  const w = g.state('w', [3, 1])
  const loss = g.div(g.sum(g.softplus(g.matMul(x, w))), n)
  g.output('dw', gradients(g, loss, [w])[0]!)
  assert.ok(!g.build().nodes.some(({ op }) => op === 'expand'))
})

test('the gradients of slices that tile a vector are joined by one concat', () => {
  const g = new GraphBuilder()
  const p = g.state('p', [6])
  const [a, b, c] = [g.slice(p, 0, 0, 1), g.slice(p, 0, 1, 2), g.slice(p, 0, 3, 3)]
  const loss = g.add(g.sum(g.exp(c)), g.add(g.sum(g.square(b)), g.sum(g.exp(a))))
  const [dp] = gradients(g, loss, [p])
  assert.equal(dp!.op, 'concat')
  assert.equal(dp!.inputs.length, 3)
})
