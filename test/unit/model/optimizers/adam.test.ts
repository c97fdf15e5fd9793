import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createOnnxBackend } from '../../../../src/backend/onnx.js'
import { GraphBuilder } from '../../../../src/graph/graph.js'
import { adam, adamScalars } from '../../../../src/model/optimizers/adam.js'

const SETTINGS = { rate: 0.01, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }

test('the scaled state takes the steps of the paper, also after thousands of them', async () => {
  const g = new GraphBuilder()
  const old = { parameters: g.state('parameters', [2]), mean: g.state('mean', [2]), square: g.state('square', [2]) }
  const gradient = g.input('gradient', [2])
  const next = adam(g, SETTINGS, old, gradient, { rate: g.input('rate', []), epsilon: g.input('epsilon', []) })
  for (const name of ['parameters', 'mean', 'square'] as const) g.assign(name, next[name])
  const backend = await createOnnxBackend({ threads: 1 })
  const graph = await backend.compile(g.build())
  await graph.writeState({ parameters: Float32Array.of(1, -1) })
  const expected = [1, -1]
  const [m, v] = [
    [0, 0],
    [0, 0],
  ]
  for (let t = 1; t <= 3000; t++) {
    const own = [Math.sin(t), t % 7 === 0 ? 3 : 0]
    const { rate, epsilon } = adamScalars(SETTINGS, t)
    await graph.run({
      gradient: { data: Float32Array.from(own), dims: [2] },
      rate: { data: Float32Array.of(rate), dims: [] },
      epsilon: { data: Float32Array.of(epsilon), dims: [] },
    })
    for (const [i, value] of own.entries()) {
      m[i] = 0.9 * m[i]! + 0.1 * value
      v[i] = 0.999 * v[i]! + 0.001 * value * value
      expected[i]! -= (0.01 * (m[i]! / (1 - 0.9 ** t))) / (Math.sqrt(v[i]! / (1 - 0.999 ** t)) + 1e-8)
    }
  }
  const { parameters } = await graph.readState()
  for (const [i, value] of expected.entries()) assert.ok(Math.abs(parameters![i]! - value) < 2e-4, `${parameters}`)
  await backend.close()
})
