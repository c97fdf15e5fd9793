/**
 * Which backend computes. `auto` takes the first that works of: a GPU that TensorFlow really uses, onnx, TensorFlow on the
 * CPU, tfjs in WebAssembly, tfjs in JavaScript. A kind named in the configuration is used or refused, never replaced.
 */
import { existsSync } from 'node:fs'
import { MillraceError } from '../domain/errors.js'
import { GraphBuilder } from '../graph/graph.js'
import type { Backend } from './backend.js'
import { createOnnxBackend } from './onnx.js'
import { createTensorFlowBackend, createTfjsBackend } from './tfjs.js'

export type BackendKind = 'onnx' | 'tfjs-node-gpu' | 'tfjs-wasm' | 'tfjs-cpu'

export interface BackendOptions {
  kind: BackendKind | 'auto'
  threads: number
}

export interface BackendProbe {
  kind: BackendKind
  available: boolean
  /** `auto` would take this one. */
  chosen: boolean
  /** What it is, or why it can not be used. */
  detail: string
}

export async function createBackend({ kind, threads }: BackendOptions): Promise<Backend> {
  if (kind !== 'auto') return create(kind, threads)
  if (hasNvidiaDevice()) {
    const gpu = await createTensorFlowBackend(threads).catch(ignoreUnavailable)
    if (gpu?.usesGpu) return gpu
    await gpu?.close()
  }
  const reasons: string[] = []
  for (const candidate of ['onnx', 'tfjs-node-gpu', 'tfjs-wasm', 'tfjs-cpu'] as const) {
    try {
      return await create(candidate, threads)
    } catch (error) {
      ignoreUnavailable(error)
      reasons.push((error as Error).message)
    }
  }
  throw new MillraceError('BACKEND_UNAVAILABLE', `no backend works here: ${reasons.join('; ')}`)
}

/** Tries every backend on a small graph. */
export async function probeBackends({ threads }: { threads: number }): Promise<BackendProbe[]> {
  const probes: BackendProbe[] = []
  let gpu = false
  for (const kind of ['tfjs-node-gpu', 'onnx', 'tfjs-wasm', 'tfjs-cpu'] as const) {
    try {
      const backend = await create(kind, threads)
      await tryOut(backend)
      gpu ||= 'usesGpu' in backend && backend.usesGpu === true
      await backend.close()
      probes.push({ kind, available: true, chosen: false, detail: backend.description })
    } catch (error) {
      probes.push({ kind, available: false, chosen: false, detail: (error as Error).message })
    }
  }
  const order = gpu ? probes : probes.toSorted((a, b) => Number(b.kind === 'onnx') - Number(a.kind === 'onnx'))
  const chosen = order.find(probe => probe.available)
  if (chosen) chosen.chosen = true
  return probes
}

function create(kind: BackendKind, threads: number): Promise<Backend> {
  switch (kind) {
    case 'onnx':
      return createOnnxBackend({ threads })
    case 'tfjs-node-gpu':
      return createTensorFlowBackend(threads)
    case 'tfjs-wasm':
    case 'tfjs-cpu':
      return createTfjsBackend(kind)
  }
}

/** Loading TensorFlow takes a second and 300 MB: not worth it only to hear that there is no GPU. */
function hasNvidiaDevice(): boolean {
  return ['/dev/nvidiactl', '/proc/driver/nvidia/version', '/dev/dxg'].some(path => existsSync(path))
}

function ignoreUnavailable(error: unknown): undefined {
  if (error instanceof MillraceError && error.code === 'BACKEND_UNAVAILABLE') return undefined
  throw error
}

async function tryOut(backend: Backend): Promise<void> {
  const g = new GraphBuilder()
  const x = g.input('x', ['B', 2])
  g.output('y', g.sum(g.softplus(g.matMul(x, g.constant(1, [2, 3])))))
  const graph = await backend.compile(g.build())
  const { y } = await graph.run({ x: { data: new Float32Array([1, 2, -1, 1]), dims: [2, 2] } })
  await graph.close()
  const expected = 3 * (Math.log1p(Math.exp(3)) + Math.log(2))
  const value = y?.data[0] ?? Number.NaN
  if (!(Math.abs(value - expected) < 1e-4))
    throw new MillraceError('BACKEND_UNAVAILABLE', `${backend.kind}: computes ${value} where ${expected} is right`)
}
