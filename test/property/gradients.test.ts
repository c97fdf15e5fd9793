/** Gradients against central differences, both in float64, where the error of the difference is far below the bound. */
import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import { gradients } from '../../src/graph/gradient.js'
import { GraphBuilder, type Node, type Shape } from '../../src/graph/graph.js'
import { Random } from '../../src/std/random.js'
import { drawTensor } from '../helpers/draw-tensor.js'
import { OP_CASES } from '../helpers/graph-cases.js'
import { evaluateGraph, type Value } from '../helpers/reference-backend.js'

const H = 1e-5

interface Problem {
  inputs: readonly Shape[]
  build(g: GraphBuilder, inputs: readonly Node[]): Node
  positive?: boolean
}

/**
 * Checks dL/dx. 'weighted': L weighs the elements of the problem's result by random numbers. 'summed': L is their sum, so
 * that adjoints stay thin. 'twice': L is the squared norm of the weighted gradients.
 */
function checkGradients(
  { inputs, build, positive }: Problem,
  seed: number,
  batch: number,
  mode: 'weighted' | 'summed' | 'twice',
): void {
  const random = new Random(seed)
  const g = new GraphBuilder()
  const xs = inputs.map((shape, i) => g.input(`x${i}`, shape))
  const y = build(g, xs)
  let loss = mode === 'summed' ? g.sum(y) : g.sum(g.mul(y, g.input('weights', y.shape)))
  if (mode === 'twice')
    loss = gradients(g, loss, xs).reduce<Node>((sum, d) => g.add(sum, g.sum(g.square(d))), g.constant(0))
  g.output('loss', loss)
  gradients(g, loss, xs).forEach((gradient, i) => {
    g.output(`d${i}`, gradient)
  })
  const graph = g.build()

  const leaves: Record<string, Value> = {}
  for (const { attributes, shape } of graph.inputs) {
    const { data, dims } = drawTensor(random, shape, batch, positive === true && attributes.name !== 'weights')
    leaves[attributes.name] = { data: Float64Array.from(data), dims }
  }
  const output = (name: string) => graph.outputs.find(output => output.name === name)!.node
  const lossAt = () => evaluateGraph(graph, leaves).get(output('loss'))!.data[0]!
  const values = evaluateGraph(graph, leaves)
  inputs.forEach((_, i) => {
    const { data, dims } = values.get(output(`d${i}`))!
    assert.deepEqual(dims, leaves[`x${i}`]!.dims)
    const x = leaves[`x${i}`]!.data
    for (let k = 0; k < x.length; k++) {
      const at = x[k]!
      x[k] = at + H
      const above = lossAt()
      x[k] = at - H
      const below = lossAt()
      x[k] = at
      const expected = (above - below) / (2 * H)
      assert.ok(
        Math.abs(data[k]! - expected) <= 1e-6 * Math.max(1, Math.abs(expected)) * (mode === 'twice' ? 100 : 1),
        `d loss / d x${i}[${k}] is ${data[k]}, by differences ${expected}`,
      )
    }
  })
}

for (const opCase of OP_CASES) {
  test(`the gradient of ${opCase.name} is that of finite differences`, () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 3 }), (seed, batch) => {
        checkGradients(opCase, seed, batch, 'weighted')
        checkGradients(opCase, seed, batch, 'summed')
      }),
      { numRuns: 3, seed: 1 },
    )
  })
}

test('gradients of gradients are those of finite differences', () => {
  const build = (g: GraphBuilder, [x, w, v]: readonly Node[]) => {
    const hidden = g.softplus(g.matMul(x!, w!))
    return g.softmax(g.concat([g.mul(g.tanh(hidden), v!), g.slice(g.relu(g.matMul(x!, w!)), 1, 1, 2)], 1))
  }
  checkGradients({ inputs: [['B', 3], [3, 4], [4]], build }, 7, 3, 'twice')
})

/** Grows a random expression over x [B, 4] and w [4] from a list of choices. */
function randomExpression(g: GraphBuilder, [x, w]: readonly Node[], choices: readonly number[]): Node {
  const pool = [x!, g.mul(x!, w!)]
  const pick = (n: number) => pool[n % pool.length]!
  for (const n of choices) {
    const [a, b] = [pick(n >> 4), pick(n >> 9)]
    const made = [
      () => g.add(a, b),
      () => g.mul(a, g.sigmoid(b)),
      () => g.sub(g.tanh(a), w!),
      () => g.div(a, g.add(g.square(b), 1)),
      () => g.softmax(a),
      () => g.concat([g.slice(a, 1, 2, 2), g.slice(b, 1, 0, 2)], 1),
      () => g.reshape(g.transpose(g.reshape(a, ['B', 2, 2]), [0, 2, 1]), ['B', 4]),
      () => g.add(g.sum(a, [1], true), b),
      () => g.mul(g.sum(g.tanh(a), [0]), g.softplus(b)),
      () => g.matMul(a, g.matMul(g.tanh(b), a, { transposeA: true })),
      () => g.reshape(g.matMul(g.reshape(a, [1, 'B', 4]), g.reshape(g.tanh(w!), [1, 4, 1])), ['B', 1]),
      () => g.expand(g.sum(g.tanh(a)), a),
    ][n % 12]!()
    // Keep the pool at [B, 4].
    pool.push(g.expand(made, x!))
  }
  return g.tanh(pool.at(-1)!)
}

test('gradients of random expressions are those of finite differences', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 1, max: 3 }),
      fc.array(fc.nat({ max: 1 << 14 }), { minLength: 1, maxLength: 7 }),
      (seed, batch, choices) => {
        const problem: Problem = { inputs: [['B', 4], [4]], build: (g, xs) => randomExpression(g, xs, choices) }
        checkGradients(problem, seed, batch, 'weighted')
        checkGradients(problem, seed, batch, 'summed')
      },
    ),
    { numRuns: 60, seed: 1 },
  )
})
