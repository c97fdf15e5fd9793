/**
 * The tfjs family of backends. tfjs-node-gpu is TensorFlow itself (its kernels on a GPU if there is one, else on the
 * CPU); tfjs-wasm and tfjs-cpu come with millrace and need nothing, which is why they are the last resort.
 */
import { createRequire } from 'node:module'
import { MillraceError } from '../domain/errors.js'
import type { Graph } from '../graph/graph.js'
import type { Backend, CompiledGraph } from './backend.js'
import { checkSharing } from './feeds.js'
import { TensorGraph, type TensorOps } from './tensor-graph.js'
import { createTensorFlowOps, type TensorFlowBinding } from './tensorflow-ops.js'
import { createTfjsOps } from './tfjs-ops.js'

/** What is used of @tensorflow/tfjs-node-gpu. */
interface TfjsNode {
  findBackend(name: 'tensorflow'): { binding: TensorFlowBinding }
  version: { 'tfjs-node': string }
}

/** tfjs-wasm runs one thread and tfjs-cpu is JavaScript, whatever the configuration says. */
export async function createTfjsBackend(kind: 'tfjs-wasm' | 'tfjs-cpu'): Promise<Backend> {
  try {
    const tf = await import('@tensorflow/tfjs-core')
    // Without this, tfjs prints advice to install tfjs-node, and checks every tensor it makes.
    tf.env().set('PROD', true)
    const name = kind === 'tfjs-wasm' ? 'wasm' : 'cpu'
    const ops = createTfjsOps(tf, name)
    const start = async () => {
      if (name === 'wasm') await import('@tensorflow/tfjs-backend-wasm')
      else await import('@tensorflow/tfjs-backend-cpu')
      if (!(await tf.setBackend(name))) throw new Error(`tfjs can not start its ${name} backend`)
    }
    await withoutNewListeners(start)
    const description = name === 'wasm' ? 'in WebAssembly with SIMD, 1 thread' : 'in JavaScript, 1 thread'
    return backendOf(kind, `tfjs ${tf.version_core} ${description}`, ops)
  } catch (cause) {
    throw unavailable(kind, cause)
  }
}

/** `threads` is for the description: TensorFlow takes the number from the environment, see tensorflow-environment.ts. */
export async function createTensorFlowBackend(threads: number): Promise<Backend & { usesGpu: boolean }> {
  try {
    // An optional package: CommonJS, and its types may be missing.
    const tf = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu') as TfjsNode
    // The current backend of tfjs is global, and may be another by now.
    const { binding } = tf.findBackend('tensorflow')
    const usesGpu = binding.isUsingGpuDevice()
    const device = usesGpu ? 'the GPU' : `the CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`
    const ops = createTensorFlowOps(binding)
    const description = `TensorFlow ${binding.TF_Version} by tfjs-node-gpu ${tf.version['tfjs-node']} on ${device}`
    return { ...backendOf('tfjs-node-gpu', description, ops, ops.close), usesGpu }
  } catch (cause) {
    throw unavailable('tfjs-node-gpu', cause)
  }
}

/** tfjs's wasm module listens for the uncaught errors of the whole process, to throw them again. */
async function withoutNewListeners(start: () => Promise<void>): Promise<void> {
  const before = { errors: process.listeners('uncaughtException'), rejections: process.listeners('unhandledRejection') }
  await start()
  for (const listener of process.listeners('uncaughtException'))
    if (!before.errors.includes(listener)) process.off('uncaughtException', listener)
  for (const listener of process.listeners('unhandledRejection'))
    if (!before.rejections.includes(listener)) process.off('unhandledRejection', listener)
}

function unavailable(kind: string, cause: unknown): MillraceError {
  const [message = ''] = String(cause instanceof Error ? cause.message : cause).split('\n')
  return new MillraceError('BACKEND_UNAVAILABLE', `${kind}: ${message.trim()}`, { cause })
}

function backendOf<T>(kind: string, description: string, ops: TensorOps<T>, onClose = () => {}): Backend {
  const open = new Set<CompiledGraph>()
  const owners = new WeakMap<CompiledGraph, TensorGraph<T>>()
  return {
    kind,
    description,
    async compile(graph: Graph, sharing?: CompiledGraph) {
      const owner = sharing && owners.get(sharing)
      if (sharing && !owner) throw new MillraceError('INTERNAL', 'backend: state can only be shared within one backend')
      if (owner) checkSharing(graph, owner.graph)
      ops.enter()
      const compiled = new TensorGraph<T>(ops, graph, owner, () => open.delete(compiled))
      open.add(compiled)
      owners.set(compiled, compiled)
      return compiled
    },
    async close() {
      for (const compiled of open) await compiled.close()
      onClose()
    },
  }
}
