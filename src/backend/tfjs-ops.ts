/** Step graph ops in plain tfjs: the wasm and cpu backends. */
import type { Tensor } from '@tensorflow/tfjs-core'
import { MillraceError } from '../domain/errors.js'
import type { Node } from '../graph/graph.js'
import type { TensorOps } from './tensor-graph.js'

type Tfjs = typeof import('@tensorflow/tfjs-core')

export function createTfjsOps(tf: Tfjs, backendName: 'wasm' | 'cpu'): TensorOps<Tensor> {
  const matMul = backendName === 'wasm' ? plainMatMul(tf) : tf.matMul
  return {
    enter: () => {
      // The current backend is global to tfjs. Once a backend has started, choosing it again takes effect at once.
      if (tf.getBackend() !== backendName) void tf.setBackend(backendName)
    },
    // tfjs keeps a reference to the array that it is given.
    upload: (data, dims) => tf.tensor(data.slice(), [...dims], 'float32'),
    compute: (node, inputs, dims) => tf.tidy(() => compute(tf, matMul, node, inputs, dims)),
    copy: tensor => tf.mul(tensor, 1),
    read: tensor => {
      if (tensor.dtype === 'float32') return tensor.dataSync<'float32'>().slice()
      const floats = tf.cast(tensor, 'float32')
      const data = floats.dataSync<'float32'>().slice()
      floats.dispose()
      return data
    },
    free: tensor => tensor.dispose(),
  }
}

type MatMul = (a: Tensor, b: Tensor, transposeA: boolean, transposeB: boolean) => Tensor

/** More products than this in one matMul are products of small matrices, with one an example of the batch. */
const MAX_UNROLLED = 16

/** In wasm, only the plain product of two matrices is fast; transposed or batched ones take about 15 times as long. */
function plainMatMul(tf: Tfjs): MatMul {
  const product: MatMul = (a, b, transposeA, transposeB) =>
    tf.matMul(transposeA ? tf.transpose(a) : a, transposeB ? tf.transpose(b) : b)
  return (a, b, transposeA, transposeB) => {
    if (a.rank === 2) return product(a, b, transposeA, transposeB)
    if (Math.max(a.shape[0] ?? 1, b.shape[0] ?? 1) > MAX_UNROLLED) return tf.matMul(a, b, transposeA, transposeB)
    const [left, right] = [tf.unstack(a), tf.unstack(b)]
    const pieces: Tensor[] = []
    for (let i = 0; i < Math.max(left.length, right.length); i++) {
      const [x, y] = [left[left.length === 1 ? 0 : i], right[right.length === 1 ? 0 : i]]
      if (x && y) pieces.push(product(x, y, transposeA, transposeB))
    }
    return tf.stack(pieces)
  }
}

function compute(tf: Tfjs, matMul: MatMul, node: Node, inputs: readonly Tensor[], dims: readonly number[]): Tensor {
  const { op, attributes } = node
  const floats =
    op === 'where' ? inputs : inputs.map(input => (input.dtype === 'bool' ? tf.cast(input, 'float32') : input))
  const [a, b, c] = floats
  if (!a) throw new MillraceError('INTERNAL', `backend: ${op} without inputs`)
  switch (op) {
    case 'neg':
    case 'exp':
    case 'log':
    case 'sqrt':
    case 'square':
    case 'relu':
    case 'sigmoid':
    case 'softplus':
    case 'tanh':
    case 'abs':
    case 'softmax':
      return tf[op](a)
    case 'reshape':
      return tf.reshape(a, [...dims])
    case 'transpose':
      return tf.transpose(a, [...attributes.permutation])
    case 'sum':
      return tf.sum(a, [...attributes.axes], attributes.keepDims)
    case 'concat':
      return tf.concat([...floats], attributes.axis)
    case 'slice': {
      const begin = dims.map((_, axis) => (axis === attributes.axis ? attributes.start : 0))
      return tf.slice(a, begin, [...dims])
    }
    case 'expand':
      return tf.broadcastTo(a, [...dims])
    default:
      break
  }
  if (!b) throw new MillraceError('INTERNAL', `backend: ${op} with one input`)
  switch (op) {
    case 'add':
    case 'sub':
    case 'mul':
    case 'div':
    case 'maximum':
    case 'minimum':
    case 'greater':
      return tf[op](a, b)
    case 'matMul':
      return matMul(a, b, attributes.transposeA, attributes.transposeB)
    case 'reluGrad':
      return tf.where(tf.greater(b, 0), a, tf.zerosLike(a))
    case 'where': {
      const condition = a.dtype === 'bool' ? a : tf.notEqual(a, 0)
      // where() broadcasts the condition's shape only in some backends.
      if (c)
        return tf.where(
          tf.broadcastTo(condition, [...dims]),
          tf.broadcastTo(b, [...dims]),
          tf.broadcastTo(c, [...dims]),
        )
    }
  }
  throw new MillraceError('INTERNAL', `backend: no op ${op}`)
}
