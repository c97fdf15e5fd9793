/**
 * Step graph ops on the kernels of TensorFlow itself, through the native binding of tfjs-node. The ops of tfjs would do,
 * but each costs 11-17 µs, much of it in JavaScript, and some are slow (its gradient of ReLU builds a tensor of ones on
 * the host). Attributes, axes and shapes are made once a node.
 */
import type { Node, OpName } from '../graph/graph.js'
import type { TensorOps } from './tensor-graph.js'

/** What is used of the binding (TFJSBinding of @tensorflow/tfjs-node). Tensors are numbers. */
export interface TensorFlowBinding {
  createTensor(shape: readonly number[], type: number, data: Float32Array | Int32Array): number
  deleteTensor(tensor: number): void
  tensorDataSync(tensor: number): Float32Array
  executeOp(
    name: string,
    attributes: readonly OpAttribute[],
    inputs: readonly number[],
    outputs: number,
  ): readonly { id: number }[]
  getNumOfTensors(): number
  isUsingGpuDevice(): boolean
  readonly TF_FLOAT: number
  readonly TF_INT32: number
  readonly TF_BOOL: number
  readonly TF_ATTR_TYPE: number
  readonly TF_ATTR_BOOL: number
  readonly TF_ATTR_INT: number
  readonly TF_Version: string
}

interface OpAttribute {
  readonly name: string
  readonly type: number
  readonly value: number | boolean
}

/** Comparisons give bools, which only conditions read. */
export interface TensorFlowTensor {
  readonly id: number
  readonly isBool: boolean
}

/** A TensorFlow op with its attributes, and the inputs that follow the node's own: axes, shapes. */
interface Call {
  readonly op: string
  readonly attributes: readonly OpAttribute[]
  readonly extra: readonly number[]
}

const NAMES: Readonly<Partial<Record<OpName, string>>> = {
  add: 'AddV2',
  sub: 'Sub',
  mul: 'Mul',
  div: 'RealDiv',
  maximum: 'Maximum',
  minimum: 'Minimum',
  greater: 'Greater',
  where: 'SelectV2',
  neg: 'Neg',
  exp: 'Exp',
  log: 'Log',
  sqrt: 'Sqrt',
  square: 'Square',
  relu: 'Relu',
  reluGrad: 'ReluGrad',
  sigmoid: 'Sigmoid',
  softplus: 'Softplus',
  tanh: 'Tanh',
  abs: 'Abs',
  softmax: 'Softmax',
  sum: 'Sum',
  reshape: 'Reshape',
  transpose: 'Transpose',
  concat: 'ConcatV2',
  slice: 'Slice',
  expand: 'BroadcastTo',
}

export function createTensorFlowOps(binding: TensorFlowBinding): TensorOps<TensorFlowTensor> & { close(): void } {
  const { TF_FLOAT, TF_INT32, TF_BOOL, TF_ATTR_TYPE, TF_ATTR_BOOL, TF_ATTR_INT } = binding
  const type = (name: string, value: number): OpAttribute => ({ name, type: TF_ATTR_TYPE, value })
  const flag = (name: string, value: boolean): OpAttribute => ({ name, type: TF_ATTR_BOOL, value })
  const float = type('T', TF_FLOAT)
  const shapeOf = [float, type('out_type', TF_INT32)]
  const toFloat = [type('SrcT', TF_BOOL), type('DstT', TF_FLOAT), flag('Truncate', false)]
  const toBool = [type('SrcT', TF_FLOAT), type('DstT', TF_BOOL), flag('Truncate', false)]

  const calls = new Map<Node, Call>()
  const integers = new Map<string, number>()
  const one = binding.createTensor([], TF_FLOAT, new Float32Array([1]))

  /** int32 tensors are kept for the life of the backend: there are few, and all graphs share them. */
  function integerTensor(values: readonly number[], shape: readonly number[] = [values.length]): number {
    const key = `${shape} ${values}`
    let tensor = integers.get(key)
    if (tensor === undefined) {
      tensor = binding.createTensor(shape, TF_INT32, Int32Array.from(values))
      integers.set(key, tensor)
    }
    return tensor
  }

  function callOf(node: Node): Call {
    const { op, attributes, shape, inputs } = node
    const name = NAMES[op] ?? op
    // -1 is inferred, for reshape; "all that is left", for slice.
    const open = shape.map(dim => (dim === 'B' ? -1 : dim))
    switch (op) {
      case 'matMul': {
        const { transposeA, transposeB } = attributes
        return shape.length === 2
          ? {
              op: 'MatMul',
              attributes: [float, flag('transpose_a', transposeA), flag('transpose_b', transposeB)],
              extra: [],
            }
          : {
              op: 'BatchMatMulV2',
              attributes: [float, flag('adj_x', transposeA), flag('adj_y', transposeB)],
              extra: [],
            }
      }
      case 'sum':
        return {
          op: name,
          attributes: [float, type('Tidx', TF_INT32), flag('keep_dims', attributes.keepDims)],
          extra: [integerTensor(attributes.axes)],
        }
      case 'reshape':
        return { op: name, attributes: [float, type('Tshape', TF_INT32)], extra: [integerTensor(open)] }
      case 'transpose':
        return {
          op: name,
          attributes: [float, type('Tperm', TF_INT32)],
          extra: [integerTensor(attributes.permutation)],
        }
      case 'concat':
        return {
          op: name,
          attributes: [float, type('Tidx', TF_INT32), { name: 'N', type: TF_ATTR_INT, value: inputs.length }],
          extra: [integerTensor([attributes.axis], [])],
        }
      case 'slice': {
        const begin = shape.map((_, axis) => (axis === attributes.axis ? attributes.start : 0))
        return {
          op: name,
          attributes: [float, type('Index', TF_INT32)],
          extra: [integerTensor(begin), integerTensor(open)],
        }
      }
      case 'expand':
        return { op: name, attributes: [float, type('Tidx', TF_INT32)], extra: [] }
      default:
        return { op: name, attributes: [float], extra: [] }
    }
  }

  const execute = (op: string, attributes: readonly OpAttribute[], inputs: readonly number[]): number =>
    binding.executeOp(op, attributes, inputs, 1)[0]?.id ?? -1

  function compute(node: Node, inputs: readonly TensorFlowTensor[]): TensorFlowTensor {
    let call = calls.get(node)
    if (!call) {
      call = callOf(node)
      calls.set(node, call)
    }
    const temporary: number[] = []
    const ids = inputs.map((input, i) => {
      const wantsBool = node.op === 'where' && i === 0
      if (node.op === 'expand' && i === 1) temporary.push(execute('Shape', shapeOf, [input.id]))
      else if (input.isBool === wantsBool) return input.id
      else temporary.push(execute('Cast', wantsBool ? toBool : toFloat, [input.id]))
      return temporary.at(-1) ?? -1
    })
    const id = execute(call.op, call.attributes, call.extra.length > 0 ? [...ids, ...call.extra] : ids)
    for (const tensor of temporary) binding.deleteTensor(tensor)
    return { id, isBool: node.op === 'greater' }
  }

  return {
    enter: () => {},
    // The binding keeps a reference to the array that it is given.
    upload: (data, dims) => ({ id: binding.createTensor(dims, TF_FLOAT, data.slice()), isBool: false }),
    compute,
    copy: ({ id }) => ({ id: execute('Mul', [float], [id, one]), isBool: false }),
    read({ id, isBool }) {
      if (!isBool) return binding.tensorDataSync(id)
      const floats = execute('Cast', toFloat, [id])
      const data = binding.tensorDataSync(floats)
      binding.deleteTensor(floats)
      return data
    },
    free: ({ id }) => binding.deleteTensor(id),
    close() {
      for (const tensor of integers.values()) binding.deleteTensor(tensor)
      integers.clear()
      binding.deleteTensor(one)
    },
  }
}
