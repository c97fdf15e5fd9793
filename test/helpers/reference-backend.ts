/**
 * Step graphs in float64, one element at a time: slow, short, and the measure of the real backends. Inputs are float32;
 * what lies between is float64, which is what finite differences need.
 */
import type { Backend, CompiledGraph, HostTensor } from '../../src/backend/backend.js'
import type { Graph, Node, Shape } from '../../src/graph/graph.js'

export interface Value {
  data: Float64Array
  dims: readonly number[]
}

const size = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1)

/** Calls back with each index of the shape and its position in row-major order. */
function forEachIndex(dims: readonly number[], visit: (index: number[], at: number) => void): void {
  const index = dims.map(() => 0)
  for (let at = 0; at < size(dims); at++) {
    visit(index, at)
    for (let axis = dims.length - 1; axis >= 0 && ++index[axis]! === dims[axis]; axis--) index[axis] = 0
  }
}

/** The element at an index of a shape that `dims` broadcasts to. */
function read({ data, dims }: Value, index: readonly number[]): number {
  const skip = index.length - dims.length
  let at = 0
  dims.forEach((dim, axis) => {
    at = at * dim + (dim === 1 ? 0 : index[axis + skip]!)
  })
  return data[at]!
}

function fill(dims: readonly number[], element: (index: number[]) => number): Value {
  const data = new Float64Array(size(dims))
  forEachIndex(dims, (index, at) => {
    data[at] = element(index)
  })
  return { data, dims }
}

function transposed(value: Value, swap: boolean): Value {
  if (!swap) return value
  const dims = value.dims.toSpliced(-2, 2, value.dims.at(-1)!, value.dims.at(-2)!)
  return fill(dims, index => read(value, index.toSpliced(-2, 2, index.at(-1)!, index.at(-2)!)))
}

const UNARY: Record<string, (x: number) => number> = {
  neg: x => -x,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  square: x => x * x,
  relu: x => Math.max(x, 0),
  sigmoid: x => 1 / (1 + Math.exp(-x)),
  softplus: x => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  tanh: Math.tanh,
  abs: Math.abs,
  stopGradient: x => x,
}

const BINARY: Record<string, (x: number, y: number) => number> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  maximum: Math.max,
  minimum: Math.min,
  greater: (x, y) => Number(x > y),
  reluGrad: (dy, y) => (y > 0 ? dy : 0),
  expand: x => x,
}

function evaluate(node: Node, inputs: readonly Value[], dims: readonly number[]): Value {
  const { attributes: a, op } = node
  const [x, y, z] = inputs as [Value, Value, Value]
  const unary = UNARY[op]
  if (unary) return { data: x.data.map(unary), dims }
  const binary = BINARY[op]
  if (binary) return fill(dims, index => binary(read(x, index), read(y, index)))
  switch (op) {
    case 'where':
      return fill(dims, index => (read(x, index) !== 0 ? read(y, index) : read(z, index)))
    case 'reshape':
      return { data: x.data, dims }
    case 'transpose':
      return fill(dims, index => {
        const from: number[] = []
        a.permutation.forEach((axis, i) => {
          from[axis] = index[i]!
        })
        return read(x, from)
      })
    case 'slice':
      return fill(dims, index => read(x, index.with(a.axis, index[a.axis]! + a.start)))
    case 'concat':
      return fill(dims, index => {
        let at = index[a.axis]!
        const piece = inputs.find(({ dims }) => {
          if (at < dims[a.axis]!) return true
          at -= dims[a.axis]!
          return false
        })
        return read(piece!, index.with(a.axis, at))
      })
    case 'sum': {
      const kept = x.dims.map((dim, axis) => (a.axes.includes(axis) ? 1 : dim))
      const total = fill(kept, () => 0)
      forEachIndex(x.dims, (index, at) => {
        let to = 0
        kept.forEach((dim, axis) => {
          to = to * dim + (dim === 1 ? 0 : index[axis]!)
        })
        total.data[to]! += x.data[at]!
      })
      return { data: total.data, dims }
    }
    case 'softmax': {
      const width = dims.at(-1)!
      const data = new Float64Array(x.data.length)
      for (let row = 0; row < data.length; row += width) {
        const exps = x.data.subarray(row, row + width)
        const top = Math.max(...exps)
        const total = exps.reduce((sum, e) => sum + Math.exp(e - top), 0)
        exps.forEach((e, i) => {
          data[row + i] = Math.exp(e - top) / total
        })
      }
      return { data, dims }
    }
    case 'matMul': {
      const left = transposed(x, a.transposeA)
      const right = transposed(y, a.transposeB)
      const inner = left.dims.at(-1)!
      return fill(dims, index => {
        let total = 0
        for (let k = 0; k < inner; k++) total += read(left, index.with(-1, k)) * read(right, index.with(-2, k))
        return total
      })
    }
    default:
      throw new Error(`reference: no op ${op}`)
  }
}

/** Every node's value. `leaves` gives inputs and states by name. */
export function evaluateGraph(graph: Graph, leaves: Record<string, Value>): Map<Node, Value> {
  const open = [...graph.inputs].find(({ shape }) => shape.includes('B'))
  const batch = open ? leaves[open.attributes.name]!.dims[open.shape.indexOf('B')]! : 0
  const at = (shape: Shape) => shape.map(dim => (dim === 'B' ? batch : dim))
  const values = new Map<Node, Value>()
  for (const node of graph.nodes) {
    if (node.op === 'input' || node.op === 'state') values.set(node, leaves[node.attributes.name]!)
    else if (node.op === 'constant')
      values.set(node, { data: Float64Array.from(node.attributes.value), dims: at(node.shape) })
    else {
      const inputs = node.inputs.map(input => values.get(input)!)
      values.set(node, evaluate(node, inputs, at(node.shape)))
    }
  }
  return values
}

class ReferenceGraph implements CompiledGraph {
  readonly #graph: Graph
  readonly #state: Map<string, Value>

  constructor(graph: Graph, sharing?: ReferenceGraph) {
    this.#graph = graph
    this.#state =
      (sharing === undefined ? undefined : sharing.#state) ??
      new Map(graph.state.map(({ name, shape }) => [name, { data: new Float64Array(size(shape)), dims: shape }]))
  }

  async run(feeds: Record<string, HostTensor>): Promise<Record<string, HostTensor>> {
    const leaves: Record<string, Value> = Object.fromEntries(this.#state)
    for (const [name, { data, dims }] of Object.entries(feeds)) leaves[name] = { data: Float64Array.from(data), dims }
    const values = evaluateGraph(this.#graph, leaves)
    for (const { name, output } of this.#graph.state) if (output) this.#state.set(name, values.get(output)!)
    return Object.fromEntries(
      this.#graph.outputs.map(({ name, node }) => {
        const { data, dims } = values.get(node)!
        return [name, { data: Float32Array.from(data), dims }]
      }),
    )
  }

  async readState(): Promise<Record<string, Float32Array>> {
    return Object.fromEntries(
      this.#graph.state.map(({ name }) => [name, Float32Array.from(this.#state.get(name)!.data)]),
    )
  }

  async writeState(state: Record<string, Float32Array>): Promise<void> {
    for (const [name, data] of Object.entries(state))
      this.#state.set(name, { data: Float64Array.from(data), dims: this.#state.get(name)!.dims })
  }

  async close(): Promise<void> {}
}

export function createReferenceBackend(): Backend {
  return {
    kind: 'reference',
    description: 'float64, one element at a time',
    compile: async (graph, sharing) => new ReferenceGraph(graph, sharing as ReferenceGraph | undefined),
    close: async () => {},
  }
}
