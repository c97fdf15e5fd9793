/**
 * Runs a step graph op by op on a library of tensor ops (tfjs, or TensorFlow's kernels). Tensors are freed as soon as
 * their last reader has run; between runs only constants and state exist on the device.
 *
 * State never leaves the device between runs: a run's result becomes the next run's input. A graph that shares state
 * reads its owner's tensors, so it must not be closed before its sharers are done.
 */
import { MillraceError } from '../domain/errors.js'
import type { Graph, Node } from '../graph/graph.js'
import type { CompiledGraph, HostTensor } from './backend.js'
import { atBatch, checkFeeds, checkState, stateSize, statesByName } from './feeds.js'

/** One device's tensors. Every T that a method returns is owned by the caller, who frees it once. */
export interface TensorOps<T> {
  /** Called before other methods; no other code runs between it and them. */
  enter(): void
  /** The data may change after the call. */
  upload(data: Float32Array, dims: readonly number[]): T
  /** `dims` is the shape of the result. Inputs stay the caller's. */
  compute(node: Node, inputs: readonly T[], dims: readonly number[]): T
  /** A tensor that shares no memory with `tensor`. */
  copy(tensor: T): T
  /** Waits for the device. The array is the caller's. */
  read(tensor: T): Float32Array
  free(tensor: T): void
}

/** Ops whose result may share memory with their input. */
const ALIASING = new Set(['stopGradient', 'reshape', 'expand', 'slice'])

interface Step {
  readonly node: Node
  readonly inputs: readonly number[]
  /** Values that nothing reads after this step. */
  readonly done: readonly number[]
}

export class TensorGraph<T> implements CompiledGraph {
  readonly graph: Graph
  readonly #ops: TensorOps<T>
  readonly #owner: TensorGraph<T>
  readonly #onClose: () => void
  readonly #steps: readonly Step[]
  readonly #constants: readonly { index: number; tensor: T }[]
  readonly #state = new Map<string, T>()
  readonly #index: ReadonlyMap<Node, number>
  /** Indices whose tensors a run makes and therefore frees. */
  readonly #transient: readonly boolean[]

  constructor(ops: TensorOps<T>, graph: Graph, owner: TensorGraph<T> | undefined, onClose: () => void) {
    this.#ops = ops
    this.graph = graph
    this.#owner = owner ?? this
    this.#onClose = onClose
    this.#index = indexNodes(graph)
    this.#steps = planSteps(graph, this.#index)
    this.#transient = graph.nodes.map(({ op }) => op !== 'state' && op !== 'constant')
    this.#constants = graph.nodes.flatMap((node, index) =>
      node.op === 'constant' ? [{ index, tensor: ops.upload(node.attributes.value, node.shape.map(Number)) }] : [],
    )
    if (owner) return
    for (const state of graph.state)
      this.#state.set(state.name, ops.upload(new Float32Array(stateSize(state)), state.shape))
  }

  async run(feeds: Record<string, HostTensor>): Promise<Record<string, HostTensor>> {
    const batch = checkFeeds(this.graph, feeds)
    this.#ops.enter()
    const ops = this.#ops
    const values: (T | undefined)[] = new Array(this.graph.nodes.length).fill(undefined)
    const free = (index: number) => {
      const value = values[index]
      if (value !== undefined && this.#transient[index]) ops.free(value)
      values[index] = undefined
    }
    try {
      this.#place(values, feeds)
      for (const { node, inputs, done } of this.#steps) {
        values[this.#at(node)] = ops.compute(
          node,
          inputs.map(index => present(values[index])),
          atBatch(node.shape, batch),
        )
        for (const index of done) free(index)
      }
      const outputs = Object.fromEntries(
        this.graph.outputs.map(({ name, node }) => {
          const data = ops.read(present(values[this.#at(node)]))
          return [name, { data, dims: atBatch(node.shape, batch) }]
        }),
      )
      this.#moveState(values)
      return outputs
    } finally {
      for (let index = 0; index < values.length; index++) free(index)
    }
  }

  async readState(): Promise<Record<string, Float32Array>> {
    this.#ops.enter()
    return Object.fromEntries(
      this.graph.state.map(({ name }) => [name, this.#ops.read(present(this.#owner.#state.get(name)))]),
    )
  }

  async writeState(state: Record<string, Float32Array>): Promise<void> {
    if (this.#owner !== this) throw new MillraceError('INTERNAL', 'backend: shared state is written through its owner')
    this.#ops.enter()
    for (const { name, shape, ...rest } of statesByName(this.graph, Object.keys(state))) {
      const data = state[name] ?? new Float32Array(0)
      checkState({ name, shape, ...rest }, data)
      this.#replace(name, this.#ops.upload(data, shape))
    }
  }

  async close(): Promise<void> {
    this.#onClose()
    this.#ops.enter()
    for (const { tensor } of this.#constants) this.#ops.free(tensor)
    for (const tensor of this.#state.values()) this.#ops.free(tensor)
    this.#state.clear()
  }

  #place(values: (T | undefined)[], feeds: Record<string, HostTensor>): void {
    for (const node of this.graph.inputs) {
      const feed = feeds[node.attributes.name]
      if (feed) values[this.#at(node)] = this.#ops.upload(feed.data, feed.dims)
    }
    for (const { name, input } of this.graph.state) values[this.#at(input)] = this.#owner.#state.get(name)
    for (const { index, tensor } of this.#constants) values[index] = tensor
  }

  #moveState(values: (T | undefined)[]): void {
    const taken = new Set<number>()
    const next = this.graph.state.flatMap(({ name, output }) => {
      if (!output) return []
      const index = this.#at(output)
      const value = present(values[index])
      if (mayAlias(output) || taken.has(index)) return [{ name, tensor: this.#ops.copy(value) }]
      taken.add(index)
      return [{ name, tensor: value }]
    })
    for (const { name, tensor } of next) this.#replace(name, tensor)
    for (const index of taken) values[index] = undefined
  }

  #replace(name: string, tensor: T): void {
    const old = this.#state.get(name)
    if (old !== undefined) this.#ops.free(old)
    this.#state.set(name, tensor)
  }

  #at(node: Node): number {
    return present(this.#index.get(node))
  }
}

function present<V>(value: V | undefined): V {
  if (value === undefined) throw new MillraceError('INTERNAL', 'backend: a value is used before it is there')
  return value
}

/** Whether a node's tensor may share memory with an input, a state or a constant. */
function mayAlias(node: Node): boolean {
  const [source] = node.inputs
  return source === undefined || (ALIASING.has(node.op) && mayAlias(source))
}

/** Where each node's value is kept. */
function indexNodes(graph: Graph): Map<Node, number> {
  const index = new Map<Node, number>()
  graph.nodes.forEach((node, i) => {
    // stopGradient has the value of its input.
    const source = node.op === 'stopGradient' ? node.inputs[0] : undefined
    index.set(node, source ? (index.get(source) ?? i) : i)
  })
  return index
}

function planSteps(graph: Graph, index: ReadonlyMap<Node, number>): Step[] {
  const at = (node: Node) => present(index.get(node))
  const seen = new Set<number>()
  for (const { node } of graph.outputs) seen.add(at(node))
  for (const { output } of graph.state) if (output) seen.add(at(output))
  const steps: Step[] = []
  for (const node of graph.nodes.toReversed()) {
    if (node.inputs.length === 0 || node.op === 'stopGradient') continue
    const inputs = node.inputs.map(at)
    const done = [...new Set(inputs)].filter(input => !seen.has(input))
    for (const input of inputs) seen.add(input)
    steps.push({ node, inputs, done })
  }
  return steps.reverse()
}
