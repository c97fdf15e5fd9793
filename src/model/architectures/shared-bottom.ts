/**
 * shared-bottom: one trunk that every task's tower reads (hard parameter sharing; Caruana 1997, "Multitask Learning").
 *
 *   h = MLP(x)
 */
import type { Architecture } from './architecture.js'
import { stack, stackParameters } from './dense-layer.js'
import { layerGradients, products } from './representation.js'

export const sharedBottom: Architecture = {
  sharesOutput: true,
  parameters: ({ width, hidden }) => stackParameters('trunk', width, hidden),
  build: (g, { hidden }, input, parameter) => {
    const output = stack(g, 'trunk', hidden, input, parameter) // [B, H]
    return {
      output,
      gradientProducts: products,
      layerGradients: (builder, gradients) =>
        layerGradients(builder, gradients, builder.reshape(output, [1, ...output.shape])),
    }
  },
}
