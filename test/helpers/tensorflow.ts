import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { tensorflowEnvironment } from '../../src/backend/tensorflow-environment.js'

const require = createRequire(import.meta.url)
Object.assign(process.env, tensorflowEnvironment(1))

function binding(): string | undefined {
  try {
    const folder = dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'))
    return join(folder, 'lib/napi-v8/tfjs_binding.node')
  } catch {
    return undefined
  }
}

const file = binding()

/** Why tests of tfjs-node-gpu can not run; undefined: they can. */
export const withoutTensorFlow =
  file !== undefined && existsSync(file) ? undefined : 'tfjs-node-gpu is not provisioned (scripts/provision-tfjs)'

/** Tensors that TensorFlow holds. */
export function liveTensorFlowTensors(): number {
  const tf = require('@tensorflow/tfjs-node-gpu') as {
    findBackend(name: string): { binding: { getNumOfTensors(): number } }
  }
  return tf.findBackend('tensorflow').binding.getNumOfTensors()
}
