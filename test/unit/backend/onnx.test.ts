import assert from 'node:assert/strict'
import test from 'node:test'
import { createOnnxBackend } from '../../../src/backend/onnx.js'
import { backendContract } from '../../contract/backend.js'

backendContract('onnx', () => createOnnxBackend({ threads: 1 }))
backendContract('onnx with 2 threads', () => createOnnxBackend({ threads: 2 }))

test('says what it is', async () => {
  const backend = await createOnnxBackend({ threads: 2 })
  assert.equal(backend.kind, 'onnx')
  assert.match(backend.description, /^onnxruntime-node \d+\.\d+\.\d+ on the CPU, 2 threads$/)
  await backend.close()
})
