/** The data of a step graph: immutable nodes. Ranks are static; only the batch dimension is open until a run. */

/** 'B' is the dynamic batch dimension. */
export type Dim = number | 'B'
export type Shape = readonly Dim[]

export type LeafOp = 'input' | 'state' | 'constant'
type UnaryOp =
  | 'neg'
  | 'exp'
  | 'log'
  | 'sqrt'
  | 'square'
  | 'relu'
  | 'sigmoid'
  | 'softplus'
  | 'tanh'
  | 'abs'
  | 'softmax'
  | 'stopGradient'
type BinaryOp = 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum' | 'greater'
/** reluGrad(dy, y) is dy where y > 0, else 0. expand(a, like) broadcasts a to the shape of like. */
type OtherOp = 'matMul' | 'sum' | 'reshape' | 'transpose' | 'concat' | 'slice' | 'where' | 'reluGrad' | 'expand'
export type ComputedOp = UnaryOp | BinaryOp | OtherOp
export type OpName = LeafOp | ComputedOp

/** Every op reads only its own attributes; the others have neutral values, so that no reader needs a fallback. */
export interface Attributes {
  /** input, state */
  readonly name: string
  /** constant: row-major */
  readonly value: Float32Array
  /** matMul: swap the last two axes of a or b */
  readonly transposeA: boolean
  readonly transposeB: boolean
  /** sum: ascending, not negative */
  readonly axes: readonly number[]
  readonly keepDims: boolean
  /** transpose */
  readonly permutation: readonly number[]
  /** concat, slice: not negative */
  readonly axis: number
  /** slice */
  readonly start: number
  readonly size: number
  /** reshape */
  readonly target: Shape
}

export const NO_ATTRIBUTES: Attributes = {
  name: '',
  value: new Float32Array(0),
  transposeA: false,
  transposeB: false,
  axes: [],
  keepDims: false,
  permutation: [],
  axis: 0,
  start: 0,
  size: 0,
  target: [],
}

export interface Node {
  /** Ascending in the order of creation, so inputs always have smaller ids. */
  readonly id: number
  readonly op: OpName
  readonly inputs: readonly Node[]
  readonly shape: Shape
  readonly attributes: Attributes
}
