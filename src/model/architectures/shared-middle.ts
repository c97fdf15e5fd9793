/**
 * shared-middle: each task reads the input by a layer of its own; the layers behind it are shared, and work on what each
 * task made of the example. The mirror image of shared-bottom, for tasks that care about different inputs but combine them
 * alike.
 *
 *   e_k = φ(x W_k + b_k)        h_k = MLP(e_k)        k = 1..K, the same MLP
 */
import type { Architecture } from './architecture.js'
import { activation, parallelStackParameters, parallelStacks } from './dense-layer.js'
import { layerGradients, ownProducts } from './representation.js'

export const sharedMiddle: Architecture = {
  parameters: ({ width, hidden, tasks }) => [
    ...parallelStackParameters('entry', width, hidden.slice(0, 1), tasks),
    ...hidden.slice(1).flatMap((to, layer) => {
      const fanIn = hidden[layer] ?? to
      return [
        { name: `middle.${layer}.weight`, shape: [1, fanIn, to], initial: { kind: 'he' as const, fanIn } },
        { name: `middle.${layer}.bias`, shape: [to], initial: { kind: 'constant' as const, value: 0 } },
      ]
    }),
  ],
  build: (g, { hidden, tasks }, input, parameter) => {
    const entry = parallelStacks(g, 'entry', hidden.slice(0, 1), tasks, input, parameter) // [K, B, H]
    const output = hidden
      .slice(1)
      .reduce(
        (x, _, layer) =>
          activation(g, g.add(g.matMul(x, parameter(`middle.${layer}.weight`)), parameter(`middle.${layer}.bias`))),
        entry,
      )
    return {
      output,
      // Each task has its own point of the shared layers, so gradients there have no common coordinates.
      gradientProducts: ownProducts,
      layerGradients: (builder, gradients) => layerGradients(builder, gradients, output),
    }
  },
}
