/**
 * Step graphs in onnxruntime-node: a graph becomes one ONNX model, and one session.run() is one step.
 *
 * An assigned state has two tensors: a run reads one and writes the other, then they change places. So weights and
 * moments are never copied nor allocated while learning. A graph that shares state reads its owner's current tensors.
 * close() of a graph frees its session; a graph must not be closed while another shares its state.
 */
import type { InferenceSession, Tensor } from 'onnxruntime-node'
import { MillraceError } from '../domain/errors.js'
import type { Graph } from '../graph/graph.js'
import type { Backend, CompiledGraph, HostTensor } from './backend.js'
import { checkFeeds, checkSharing, checkState, stateSize, statesByName } from './feeds.js'
import { encodeOnnx, inputName, nextName, outputName, stateName } from './onnx-encode.js'

type Ort = typeof import('onnxruntime-node')

export async function createOnnxBackend({ threads }: { threads: number }): Promise<Backend> {
  let ort: Ort
  try {
    ort = await import('onnxruntime-node')
  } catch (cause) {
    throw new MillraceError('BACKEND_UNAVAILABLE', `onnxruntime-node does not load: ${String(cause)}`, { cause })
  }
  const options: InferenceSession.SessionOptions = {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Warnings are about the optimiser's own choices.
    logSeverityLevel: 3,
  }
  const version = ort.env.versions.node ?? 'unknown'
  const open = new Set<OnnxGraph>()
  return {
    kind: 'onnx',
    description: `onnxruntime-node ${version} on the CPU, ${threads} ${threads === 1 ? 'thread' : 'threads'}`,
    async compile(graph: Graph, sharing?: CompiledGraph) {
      if (sharing !== undefined && !(sharing instanceof OnnxGraph))
        throw new MillraceError('INTERNAL', 'backend: state can only be shared within one backend')
      if (sharing) checkSharing(graph, sharing.graph)
      const session = await ort.InferenceSession.create(encodeOnnx(graph), options)
      const compiled = new OnnxGraph(ort, session, graph, sharing, () => open.delete(compiled))
      open.add(compiled)
      return compiled
    },
    async close() {
      for (const compiled of open) await compiled.close()
    },
  }
}

class OnnxGraph implements CompiledGraph {
  readonly graph: Graph
  readonly #ort: Ort
  readonly #session: InferenceSession
  readonly #owner: OnnxGraph
  readonly #onClose: () => void
  /** By state name: what the next run reads, and for assigned states what it writes. */
  readonly #current = new Map<string, Tensor>()
  readonly #next = new Map<string, Tensor>()

  constructor(ort: Ort, session: InferenceSession, graph: Graph, owner: OnnxGraph | undefined, onClose: () => void) {
    this.#ort = ort
    this.#session = session
    this.graph = graph
    this.#owner = owner ?? this
    this.#onClose = onClose
    if (owner) return
    for (const state of graph.state) {
      const zeros = () => new ort.Tensor('float32', new Float32Array(stateSize(state)), state.shape)
      this.#current.set(state.name, zeros())
      if (state.output) this.#next.set(state.name, zeros())
    }
  }

  async run(feeds: Record<string, HostTensor>): Promise<Record<string, HostTensor>> {
    checkFeeds(this.graph, feeds)
    const given: Record<string, Tensor> = {}
    for (const [name, { data, dims }] of Object.entries(feeds))
      given[inputName(name)] = new this.#ort.Tensor('float32', data, dims)
    for (const { name } of this.graph.state) given[stateName(name)] = this.#owner.#tensor(name)
    const wanted: Record<string, Tensor | null> = {}
    for (const { name } of this.graph.outputs) wanted[outputName(name)] = null
    for (const [name, tensor] of this.#next) wanted[nextName(name)] = tensor
    const results = await this.#session.run(given, wanted)
    for (const [name, written] of this.#next) {
      this.#next.set(name, this.#tensor(name))
      this.#current.set(name, written)
    }
    const outputs: Record<string, HostTensor> = {}
    for (const { name } of this.graph.outputs) {
      const tensor = results[outputName(name)]
      if (tensor) outputs[name] = { data: floats(tensor), dims: tensor.dims }
    }
    return outputs
  }

  async readState(): Promise<Record<string, Float32Array>> {
    return Object.fromEntries(this.graph.state.map(({ name }) => [name, floats(this.#owner.#tensor(name)).slice()]))
  }

  async writeState(values: Record<string, Float32Array>): Promise<void> {
    if (this.#owner !== this) throw new MillraceError('INTERNAL', 'backend: shared state is written through its owner')
    for (const state of statesByName(this.graph, Object.keys(values))) {
      const data = values[state.name] ?? new Float32Array(0)
      checkState(state, data)
      floats(this.#tensor(state.name)).set(data)
    }
  }

  async close(): Promise<void> {
    this.#onClose()
    await this.#session.release()
  }

  #tensor(name: string): Tensor {
    const tensor = this.#current.get(name)
    if (!tensor) throw new MillraceError('INTERNAL', `backend: there is no state ${name}`)
    return tensor
  }
}

function floats(tensor: Tensor): Float32Array {
  if (tensor.data instanceof Float32Array) return tensor.data
  throw new MillraceError('INTERNAL', `backend: a ${tensor.type} tensor where float32 is expected`)
}
