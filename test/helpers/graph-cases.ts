/** One small graph an op and a way of using it, for the finite differences and for the comparison of backends. */
import type { GraphBuilder, Node, Shape } from '../../src/graph/graph.js'

export interface OpCase {
  name: string
  /** Shapes of the inputs that `build` receives. */
  inputs: readonly Shape[]
  build(g: GraphBuilder, inputs: readonly Node[]): Node
  /** Inputs are drawn from ±[0.2, 1.5]; these from [0.2, 1.5]. */
  positive?: boolean
}

type Binary = 'add' | 'sub' | 'mul' | 'div' | 'maximum' | 'minimum' | 'greater'

const BROADCASTS: readonly [Shape, Shape][] = [
  [
    ['B', 3],
    ['B', 3],
  ],
  [['B', 3], [3]],
  [['B', 1], [3]],
  [[], ['B', 2]],
  [
    [2, 1, 3],
    ['B', 1],
  ],
  [
    [2, 1, 4],
    [2, 'B', 4],
  ],
  [[1], []],
]

const unary = (['neg', 'exp', 'square', 'relu', 'sigmoid', 'softplus', 'tanh', 'abs', 'softmax'] as const).flatMap(op =>
  [['B', 3], [2, 'B', 4], [5]].map(
    (shape): OpCase => ({ name: `${op} [${shape}]`, inputs: [shape as Shape], build: (g, [a]) => g[op](a!) }),
  ),
)

const positive = (['log', 'sqrt'] as const).map(
  (op): OpCase => ({ name: op, inputs: [['B', 3]], build: (g, [a]) => g[op](a!), positive: true }),
)

const binary = (['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'greater'] satisfies Binary[]).flatMap(op =>
  BROADCASTS.flatMap(([a, b]): OpCase[] => [
    { name: `${op} [${a}] [${b}]`, inputs: [a, b], build: (g, [x, y]) => g[op](x!, y!) },
    { name: `${op} [${b}] [${a}]`, inputs: [b, a], build: (g, [x, y]) => g[op](x!, y!) },
  ]),
)

const products: OpCase[] = [true, false].flatMap(transposeA =>
  [true, false].flatMap(transposeB =>
    ([[], [3], [1], ['B']] as Shape[]).flatMap(leading =>
      [true, false].map(open => {
        const m = open && leading[0] !== 'B' ? 'B' : 4
        const other = leading[0] === 1 ? [3] : leading
        const a: Shape = [...leading, ...(transposeA ? [5, m] : [m, 5])] as Shape
        const b: Shape = [...other, ...(transposeB ? [2, 5] : [5, 2])]
        return {
          name: `matMul [${a}]${transposeA ? 'ᵀ' : ''} [${b}]${transposeB ? 'ᵀ' : ''}`,
          inputs: [a, b],
          build: (g: GraphBuilder, [x, y]: readonly Node[]) => g.matMul(x!, y!, { transposeA, transposeB }),
        }
      }),
    ),
  ),
)

const sums: OpCase[] = [[0], [1], [2], [0, 1], [1, -1], [0, 1, 2], undefined].flatMap(axes =>
  [true, false].map(keepDims => ({
    name: `sum over (${axes ?? 'all'})${keepDims ? ' kept' : ''}`,
    inputs: [[2, 'B', 3]] as Shape[],
    build: (g: GraphBuilder, [a]: readonly Node[]) => g.sum(a!, axes, keepDims),
  })),
)

const layout: OpCase[] = [
  { name: 'reshape to split', inputs: [['B', 6]], build: (g, [a]) => g.reshape(a!, ['B', 2, 3]) },
  { name: 'reshape to merge', inputs: [[2, 'B', 3]], build: (g, [a]) => g.reshape(a!, ['B', 6]) },
  { name: 'reshape a scalar', inputs: [[]], build: (g, [a]) => g.reshape(a!, [1, 1]) },
  { name: 'transpose two', inputs: [['B', 3]], build: (g, [a]) => g.transpose(a!, [1, 0]) },
  { name: 'transpose three', inputs: [['B', 2, 3]], build: (g, [a]) => g.transpose(a!, [1, 2, 0]) },
  { name: 'transpose four', inputs: [['B', 2, 3, 2]], build: (g, [a]) => g.transpose(a!, [2, 0, 3, 1]) },
  {
    name: 'concat',
    inputs: [
      ['B', 2],
      ['B', 1],
      ['B', 3],
    ],
    build: (g, all) => g.concat(all, 1),
  },
  { name: 'concat in front', inputs: [[2], [3]], build: (g, all) => g.concat(all, 0) },
  { name: 'slice', inputs: [['B', 5]], build: (g, [a]) => g.slice(a!, 1, 1, 3) },
  { name: 'slice in the middle', inputs: [[2, 5, 'B']], build: (g, [a]) => g.slice(a!, -2, 0, 2) },
  {
    name: 'slices that tile, overlap and leave gaps',
    inputs: [['B', 6]],
    build: (g, [a]) =>
      g.concat([g.slice(a!, 1, 0, 2), g.square(g.slice(a!, 1, 2, 2)), g.exp(g.slice(a!, 1, 1, 4)), a!], 1),
  },
  {
    name: 'expand',
    inputs: [
      [3, 1],
      [2, 3, 'B'],
    ],
    build: (g, [a, like]) => g.expand(a!, like!),
  },
  { name: 'expand to a static shape', inputs: [[], [2, 3]], build: (g, [a, like]) => g.expand(a!, like!) },
]

const choices: OpCase[] = [
  {
    name: 'where by comparison',
    inputs: [['B', 3], [3], ['B', 1]],
    build: (g, [a, b, c]) => g.where(g.greater(a!, b!), c!, g.mul(a!, b!)),
  },
  {
    name: 'where by number',
    inputs: [['B', 3], [3], []],
    build: (g, [a, b, c]) => g.where(g.relu(a!), b!, c!),
  },
  { name: 'where of constants', inputs: [['B', 3]], build: (g, [a]) => g.mul(a!, g.where(g.greater(a!, 0.5), 2, -1)) },
  {
    name: 'greater as a number and a condition',
    inputs: [['B', 3]],
    build: (g, [a]) => g.add(g.mul(g.greater(a!, 0), a!), g.where(g.greater(a!, 0), g.square(a!), a!)),
  },
  {
    name: 'reluGrad',
    inputs: [
      ['B', 3],
      ['B', 3],
    ],
    build: (g, [a, b]) => g.reluGrad(a!, b!),
  },
  { name: 'stopGradient', inputs: [['B', 3]], build: (g, [a]) => g.mul(g.exp(a!), g.stopGradient(g.greater(a!, 0))) },
]

export const OP_CASES: readonly OpCase[] = [
  ...unary,
  ...positive,
  ...binary,
  ...products,
  ...sums,
  ...layout,
  ...choices,
]
