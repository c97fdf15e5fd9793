import assert from 'node:assert/strict'
import test from 'node:test'
import { type Graph, GraphBuilder } from '../../../src/graph/graph.js'

const opsOf = (graph: Graph) => graph.nodes.map(({ op }) => op)

test('shapes follow from the inputs, with the batch dimension open', () => {
  const g = new GraphBuilder()
  const x = g.input('x', ['B', 6])
  const w = g.state('w', [2, 3, 4])
  const halves = g.transpose(g.reshape(x, ['B', 2, 3]), [1, 0, 2])
  assert.deepEqual(halves.shape, [2, 'B', 3])
  assert.deepEqual(g.matMul(halves, w).shape, [2, 'B', 4])
  assert.deepEqual(g.matMul(x, x, { transposeA: true }).shape, [6, 6])
  assert.deepEqual(g.sum(halves, [-1]).shape, [2, 'B'])
  assert.deepEqual(g.sum(halves).shape, [])
  assert.deepEqual(g.add(x, g.input('column', ['B', 1])).shape, ['B', 6])
  assert.deepEqual(g.concat([x, g.slice(x, -1, 4, 2)], 1).shape, ['B', 8])
})

test('what does not fit together is refused with both shapes', () => {
  const g = new GraphBuilder()
  const [x, w] = [g.input('x', ['B', 6]), g.state('w', [5, 4])]
  assert.throws(() => g.matMul(x, w), /matMul: \[B, 6\] and \[5, 4\]: inner dimensions differ/)
  assert.throws(() => g.matMul(x, g.input('v', [6])), /both must have rank 2/)
  assert.throws(() => g.add(x, w), /add: \[B, 6\] and \[5, 4\] do not broadcast/)
  assert.throws(() => g.reshape(x, [6]), /reshape: \[B, 6\] to \[6\]/)
  assert.throws(() => g.reshape(x, ['B', 5]), /reshape/)
  assert.throws(() => g.transpose(x, [0, 0]), /no permutation/)
  assert.throws(() => g.slice(x, 0, 0, 1), /slice/)
  assert.throws(() => g.slice(x, 1, 4, 3), /slice: 4 \+ 3 of axis 1 of \[B, 6\]/)
  assert.throws(() => g.concat([x, w], 1), /concat/)
  assert.throws(() => g.sum(x, [2]), /axis 2 is not in rank 2/)
  assert.throws(() => g.softmax(g.constant(1)), /no static last axis/)
  assert.throws(() => g.expand(x, w), /expand/)
  assert.throws(() => g.constant(new Float32Array(3), [2]), /3 values for \[2\]/)
})

test('names of inputs, states and outputs are used once', () => {
  const g = new GraphBuilder()
  const x = g.input('x', [])
  g.state('s', [2])
  assert.throws(() => g.input('x', []), /is there twice/)
  assert.throws(() => g.state('x', []), /is there twice/)
  assert.throws(() => g.state('t', ['B']), /static shape/)
  g.output('y', x)
  assert.throws(() => g.output('y', x), /is there twice/)
  assert.throws(() => g.assign('x', x), /no state x/)
  assert.throws(() => g.assign('s', x), /state s is \[2\], not \[\]/)
  g.assign('s', g.constant(0, [2]))
  assert.throws(() => g.assign('s', g.constant(1, [2])), /assigned twice/)
})

test('what no output and no assignment needs is left out, declared inputs are not', () => {
  const g = new GraphBuilder()
  const [x] = [g.input('x', ['B']), g.input('unused', ['B']), g.state('idle', [1])]
  g.exp(g.neg(x))
  g.output('y', g.abs(x))
  assert.deepEqual(opsOf(g.build()), ['input', 'input', 'state', 'abs'])
})

test('every input of a node stands before it', () => {
  const g = new GraphBuilder()
  const x = g.input('x', ['B'])
  g.output('y', g.mul(g.add(x, 1), g.exp(x)))
  const { nodes } = g.build()
  for (const [at, node] of nodes.entries()) for (const input of node.inputs) assert.ok(nodes.indexOf(input) < at)
})

test('equal expressions are one node', () => {
  const g = new GraphBuilder()
  const [x, y] = [g.input('x', ['B', 2]), g.input('y', ['B', 2])]
  assert.equal(g.exp(g.add(x, 1)), g.exp(g.add(x, 1)))
  assert.equal(g.constant(2, [2]), g.constant(new Float32Array([2, 2]), [2]))
  assert.notEqual(g.sub(x, y), g.sub(y, x))
  assert.notEqual(g.constant(2, [2]), g.constant(2, [1, 2]))
  assert.notEqual(g.constant(0), g.constant(-0))
  assert.notEqual(g.sum(x, [0]), g.sum(x, [0], true))
})

test('ops that change nothing are dropped', () => {
  const g = new GraphBuilder()
  const x = g.input('x', ['B', 2])
  for (const same of [
    g.add(x, 0),
    g.add(0, x),
    g.sub(x, 0),
    g.mul(x, 1),
    g.mul(1, x),
    g.div(x, 1),
    g.neg(g.neg(x)),
    g.reshape(x, ['B', 2]),
    g.reshape(g.reshape(x, ['B', 1, 2]), ['B', 2]),
    g.transpose(g.transpose(x, [1, 0]), [1, 0]),
    g.slice(x, 1, 0, 2),
    g.concat([x], 1),
    g.sum(x, []),
    g.expand(x, x),
  ])
    assert.equal(same, x)
})

test('an op that changes only the shape is kept', () => {
  const g = new GraphBuilder()
  const row = g.input('row', [2])
  assert.deepEqual(g.add(row, g.constant(0, [3, 2])).shape, [3, 2])
  assert.deepEqual(g.mul(g.constant(1, [1, 1]), row).shape, [1, 2])
  assert.deepEqual(g.sub(row, g.constant(0, [1, 2])).shape, [1, 2])
})

test('transposes before a matrix product become part of it', () => {
  const g = new GraphBuilder()
  const [x, w] = [g.input('x', ['B', 3]), g.state('w', [4, 3])]
  const product = g.matMul(x, g.transpose(w, [1, 0]))
  assert.deepEqual(product.inputs, [x, w])
  assert.equal(product.attributes.transposeB, true)
  const both = g.matMul(g.transpose(x, [1, 0]), g.transpose(w, [1, 0]), { transposeA: true })
  assert.equal(both, product)
  const batched = g.input('batched', ['B', 2, 3])
  const moved = g.transpose(batched, [1, 0, 2])
  assert.deepEqual(g.matMul(moved, g.constant(1, [2, 3, 1])).inputs[0], moved, 'the batch axis can not be absorbed')
})

test('moving an axis of length one is a reshape', () => {
  const g = new GraphBuilder()
  assert.equal(g.transpose(g.input('x', ['B', 1, 3]), [1, 0, 2]).op, 'reshape')
  assert.equal(g.transpose(g.input('y', ['B', 2, 3]), [1, 0, 2]).op, 'transpose')
})
