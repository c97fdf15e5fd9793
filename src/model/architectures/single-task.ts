/**
 * single-task: a trunk of its own for each task. Tasks still meet in the embedding rows and in the interaction term.
 *
 *   h_k = MLP_k(x)        k = 1..K
 *
 * The baseline of every multi-task comparison (Caruana 1997, "Multitask Learning", calls it STL).
 */
import type { Architecture } from './architecture.js'
import { parallelStackParameters, parallelStacks } from './dense-layer.js'
import { layerGradients, ownProducts } from './representation.js'

export const singleTask: Architecture = {
  parameters: ({ width, hidden, tasks }) => parallelStackParameters('trunk', width, hidden, tasks),
  build: (g, { hidden, tasks }, input, parameter) => {
    const output = parallelStacks(g, 'trunk', hidden, tasks, input, parameter) // [K, B, H]
    // Nothing is shared behind the input, so each task's own last layer stands in.
    return {
      output,
      gradientProducts: ownProducts,
      layerGradients: (builder, gradients) => layerGradients(builder, gradients, output),
    }
  },
}
