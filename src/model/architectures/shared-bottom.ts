/**
 * shared-bottom: one trunk that every task's tower reads (hard parameter sharing; Caruana 1997, "Multitask Learning").
 *
 *   h = MLP(x)
 */
import type { Architecture } from './architecture.js'
import { stack, stackParameters } from './dense-layer.js'

export const sharedBottom: Architecture = {
  parameters: ({ width, hidden }) => stackParameters('trunk', width, hidden),
  build: (g, { hidden }, input, parameter) => ({
    output: stack(g, 'trunk', hidden, input, parameter), // [B, H]
    sharedGradientNorms: (builder, gradients) => builder.sum(builder.square(gradients), [1, 2]),
  }),
}
