/**
 * A step graph as an ONNX model (opset 17, and FusedMatMul of com.microsoft, which saves the backward pass its
 * transposes). One graph value is one ONNX value, except that comparisons are bool in ONNX and 0/1 here: a cast follows
 * only where a number is wanted.
 */
import { MillraceError } from '../domain/errors.js'
import type { Graph, Node, OpName, Shape } from '../graph/graph.js'
import { encodeModel, type OnnxAttribute, type OnnxInitializer, type OnnxNode, type OnnxValue } from './onnx-proto.js'

export const inputName = (name: string): string => `input/${name}`
export const stateName = (name: string): string => `state/${name}`
export const nextName = (name: string): string => `next/${name}`
export const outputName = (name: string): string => `output/${name}`

/** Protobuf messages end at 2 GB. */
const MAX_BYTES = 2 ** 31 - 1

export function encodeOnnx(graph: Graph): Uint8Array {
  const bytes = graph.nodes.reduce((total, node) => total + node.attributes.value.byteLength, 0)
  if (bytes > MAX_BYTES) throw new MillraceError('INTERNAL', `step graph: ${bytes} bytes of constants, ONNX holds 2 GB`)
  return encodeModel(new Encoder(graph).encode())
}

class Encoder {
  readonly #graph: Graph
  readonly #nodes: OnnxNode[] = []
  readonly #initializers: OnnxInitializer[] = []
  readonly #values = new Map<Node, string>()
  readonly #conditions = new Map<Node, string>()
  readonly #shapes = new Map<string, string>()
  #nextValue = 0

  constructor(graph: Graph) {
    this.#graph = graph
  }

  encode() {
    const { inputs, state, outputs } = this.#graph
    const given: OnnxValue[] = []
    for (const node of inputs)
      given.push({ name: this.#name(node, inputName(node.attributes.name)), shape: node.shape })
    for (const { name, input } of state) given.push({ name: this.#name(input, stateName(name)), shape: input.shape })
    const results = [
      ...outputs.map(({ name, node }) => ({ name: outputName(name), node })),
      ...state.flatMap(({ name, output }) => (output ? [{ name: nextName(name), node: output }] : [])),
    ]
    // A value can carry the name of one result; further results of the same node are copies.
    const renamed = new Map<Node, string>()
    for (const { name, node } of results) {
      if (node.inputs.length > 0 && node.op !== 'greater' && !renamed.has(node)) renamed.set(node, name)
    }
    for (const node of this.#graph.nodes) this.#encodeNode(node, renamed.get(node))
    for (const { name, node } of results) {
      if (renamed.get(node) !== name) this.emit('Identity', [this.value(node)], {}, name)
    }
    return {
      nodes: this.#nodes,
      initializers: this.#initializers,
      inputs: given,
      outputs: results.map(({ name, node }) => ({ name, shape: node.shape })),
    }
  }

  /** The name of a node's value as float32. */
  value(node: Node): string {
    const known = this.#values.get(node)
    if (known !== undefined) return known
    return this.#name(node, this.emit('Cast', [this.condition(node)], { to: 1 }))
  }

  /** The name of a node's value as bool. */
  condition(node: Node): string {
    const known = this.#conditions.get(node)
    if (known !== undefined) return known
    const name = this.emit('Cast', [this.value(node)], { to: 9 })
    this.#conditions.set(node, name)
    return name
  }

  compare(node: Node, inputs: readonly string[]): void {
    this.#conditions.set(node, this.emit('Greater', inputs))
  }

  emit(type: string, inputs: readonly string[], attributes: Record<string, OnnxAttribute> = {}, name = ''): string {
    const output = name === '' ? `v${this.#nextValue++}` : name
    const domain = type === 'FusedMatMul' ? 'com.microsoft' : ''
    this.#nodes.push({ type, inputs, outputs: [output], domain, attributes })
    return output
  }

  scalar(value: number): string {
    return this.#initializer(`scalar ${value}`, [], new Float32Array([value]))
  }

  integers(values: readonly number[]): string {
    return this.#initializer(`integers ${values}`, [values.length], BigInt64Array.from(values, BigInt))
  }

  #initializer(key: string, dims: readonly number[], data: Float32Array | BigInt64Array): string {
    let name = this.#shapes.get(key)
    if (name === undefined) {
      name = `c${this.#initializers.length}`
      this.#initializers.push({ name, dims, data })
      this.#shapes.set(key, name)
    }
    return name
  }

  #name(node: Node, name: string): string {
    this.#values.set(node, name)
    return name
  }

  #encodeNode(node: Node, name: string | undefined): void {
    if (node.op === 'input' || node.op === 'state') return
    if (node.op === 'constant') {
      this.#name(node, this.#initializer(`node ${node.id}`, node.shape.map(Number), node.attributes.value))
      return
    }
    LOWERINGS[node.op](this, node, name)
    const last = this.#nodes.at(-1)?.outputs[0]
    if (node.op !== 'greater' && last !== undefined) this.#name(node, last)
  }
}

/** Emits a node's ONNX nodes; the last one's output is its value. */
type Lowering = (e: Encoder, node: Node, name: string | undefined) => void

const direct =
  (type: string): Lowering =>
  (e, node, name) => {
    e.emit(
      type,
      node.inputs.map(input => e.value(input)),
      {},
      name,
    )
  }

function onnxShape(shape: Shape): number[] {
  return shape.map(dim => (dim === 'B' ? -1 : dim))
}

/**
 * HardSigmoid is min(1, max(0, alpha y + beta)): with this alpha exactly the step function for every y that is not a
 * denormal number. With it, the gradient of ReLU takes half the time of Greater and Where.
 */
const STEP: Record<string, OnnxAttribute> = { alpha: { float: 3e38 }, beta: { float: 0 } }

const LOWERINGS: Readonly<Record<Exclude<OpName, 'input' | 'state' | 'constant'>, Lowering>> = {
  add: direct('Add'),
  sub: direct('Sub'),
  mul: direct('Mul'),
  div: direct('Div'),
  maximum: direct('Max'),
  minimum: direct('Min'),
  neg: direct('Neg'),
  exp: direct('Exp'),
  log: direct('Log'),
  sqrt: direct('Sqrt'),
  relu: direct('Relu'),
  sigmoid: direct('Sigmoid'),
  softplus: direct('Softplus'),
  tanh: direct('Tanh'),
  abs: direct('Abs'),
  stopGradient: direct('Identity'),
  square: (e, { inputs: [a] }, name) => {
    if (a) e.emit('Mul', [e.value(a), e.value(a)], {}, name)
  },
  softmax: (e, { inputs: [a] }, name) => {
    if (a) e.emit('Softmax', [e.value(a)], { axis: -1 }, name)
  },
  greater: (e, node) =>
    e.compare(
      node,
      node.inputs.map(input => e.value(input)),
    ),
  where: (e, { inputs: [condition, a, b] }, name) => {
    if (condition && a && b) e.emit('Where', [e.condition(condition), e.value(a), e.value(b)], {}, name)
  },
  reluGrad: (e, { inputs: [dy, y] }, name) => {
    if (!dy || !y) return
    const positive = e.emit('HardSigmoid', [e.value(y)], STEP)
    e.emit('Mul', [e.value(dy), positive], {}, name)
  },
  matMul: (e, { inputs: [a, b], attributes: { transposeA, transposeB } }, name) => {
    if (!a || !b) return
    const factors = [e.value(a), e.value(b)]
    if (!transposeA && !transposeB) e.emit('MatMul', factors, {}, name)
    else e.emit('FusedMatMul', factors, { transA: Number(transposeA), transB: Number(transposeB) }, name)
  },
  sum: (e, { inputs: [a], attributes: { axes, keepDims } }, name) => {
    if (a) e.emit('ReduceSum', [e.value(a), e.integers(axes)], { keepdims: Number(keepDims) }, name)
  },
  reshape: (e, { inputs: [a], attributes: { target } }, name) => {
    if (a) e.emit('Reshape', [e.value(a), e.integers(onnxShape(target))], {}, name)
  },
  transpose: (e, { inputs: [a], attributes: { permutation } }, name) => {
    if (a) e.emit('Transpose', [e.value(a)], { perm: permutation }, name)
  },
  concat: (e, node, name) => {
    e.emit(
      'Concat',
      node.inputs.map(input => e.value(input)),
      { axis: node.attributes.axis },
      name,
    )
  },
  slice: (e, { inputs: [a], attributes: { axis, start, size } }, name) => {
    if (a) e.emit('Slice', [e.value(a), e.integers([start]), e.integers([start + size]), e.integers([axis])], {}, name)
  },
  expand: (e, { inputs: [a, like], shape }, name) => {
    if (!a || !like) return
    const target = shape.includes('B') ? e.emit('Shape', [e.value(like)]) : e.integers(onnxShape(shape))
    e.emit('Expand', [e.value(a), target], {}, name)
  },
}
