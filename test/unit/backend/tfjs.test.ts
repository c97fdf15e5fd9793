import assert from 'node:assert/strict'
import test from 'node:test'
import * as tf from '@tensorflow/tfjs-core'
import { createTensorFlowBackend, createTfjsBackend } from '../../../src/backend/tfjs.js'
import { GraphBuilder } from '../../../src/graph/graph.js'
import { backendContract } from '../../contract/backend.js'
import { liveTensorFlowTensors, withoutTensorFlow } from '../../helpers/tensorflow.js'

const liveTensors = () => tf.memory().numTensors

backendContract('tfjs-cpu', () => createTfjsBackend('tfjs-cpu'), { liveTensors })
backendContract('tfjs-wasm', () => createTfjsBackend('tfjs-wasm'), { liveTensors })
backendContract('tfjs-node-gpu', () => createTensorFlowBackend(1), {
  skip: withoutTensorFlow,
  liveTensors: liveTensorFlowTensors,
})

test('two kinds of tfjs in one thread do not disturb each other', async () => {
  const g = new GraphBuilder()
  const total = g.state('total', [])
  const next = g.add(total, g.sum(g.input('x', ['B', 2])))
  g.assign('total', next)
  g.output('next', next)
  const graph = g.build()
  const backends = [await createTfjsBackend('tfjs-cpu'), await createTfjsBackend('tfjs-wasm')]
  const compiled = await Promise.all(backends.map(backend => backend.compile(graph)))
  const x = { data: new Float32Array([1, 2]), dims: [1, 2] }
  for (let i = 1; i <= 3; i++) {
    const outputs = await Promise.all(compiled.map(one => one.run({ x })))
    assert.deepEqual(
      outputs.map(({ next }) => next?.data[0]),
      [3 * i, 3 * i],
    )
  }
  for (const backend of backends) await backend.close()
})

test('starting tfjs-wasm leaves the error handling of the process alone', async () => {
  const before = process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection')
  await (await createTfjsBackend('tfjs-wasm')).close()
  assert.equal(process.listenerCount('uncaughtException') + process.listenerCount('unhandledRejection'), before)
})
