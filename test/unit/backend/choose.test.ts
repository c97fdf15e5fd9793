import assert from 'node:assert/strict'
import test from 'node:test'
import { type BackendKind, createBackend, probeBackends } from '../../../src/backend/choose.js'
import { MillraceError } from '../../../src/domain/errors.js'
import { withoutTensorFlow } from '../../helpers/tensorflow.js'

test('auto is TensorFlow where that uses a GPU, else onnx', async () => {
  const tensorflow = (await probeBackends({ threads: 1 })).find(({ kind }) => kind === 'tfjs-node-gpu')
  const backend = await createBackend({ kind: 'auto', threads: 1 })
  assert.equal(backend.kind, tensorflow?.detail.endsWith('on the GPU') ? 'tfjs-node-gpu' : 'onnx')
  await backend.close()
})

test('a kind that is named is the one that runs', async () => {
  const kinds: BackendKind[] = ['onnx', 'tfjs-wasm', 'tfjs-cpu']
  for (const kind of kinds) {
    const backend = await createBackend({ kind, threads: 1 })
    assert.equal(backend.kind, kind)
    await backend.close()
  }
})

test('every backend is probed, and the one that auto takes is marked', async () => {
  const probes = await probeBackends({ threads: 1 })
  assert.deepEqual(probes.map(({ kind }) => kind).sort(), ['onnx', 'tfjs-cpu', 'tfjs-node-gpu', 'tfjs-wasm'])
  for (const { kind, available, detail } of probes) {
    assert.notEqual(detail, '')
    if (kind !== 'tfjs-node-gpu') assert.ok(available, `${kind}: ${detail}`)
  }
  const auto = await createBackend({ kind: 'auto', threads: 1 })
  assert.deepEqual(
    probes.filter(({ chosen }) => chosen).map(({ kind }) => kind),
    [auto.kind],
  )
  await auto.close()
})

test('TensorFlow runs where it is provisioned, and is refused by name where it is not', async () => {
  const create = () => createBackend({ kind: 'tfjs-node-gpu', threads: 1 })
  if (withoutTensorFlow === undefined) {
    const backend = await create()
    assert.match(backend.description, /^TensorFlow 2\.\d+\.\d+ by tfjs-node-gpu \S+ on the (GPU|CPU, 1 thread)$/)
    await backend.close()
  } else {
    await assert.rejects(create(), error => {
      assert.ok(error instanceof MillraceError)
      assert.equal(error.code, 'BACKEND_UNAVAILABLE')
      return true
    })
  }
})
