/**
 * mmoe: multi-gate mixture of experts (Ma, Zhao, Yi, Chen, Hong & Chi, KDD 2018, "Modeling Task Relationships in
 * Multi-task Learning with Multi-gate Mixture-of-Experts").
 *
 *   f_e = MLP_e(x)                      e = 1..E
 *   g_k = softmax(x W_k + b_k)          k = 1..K, over the experts
 *   h_k = Σ_e g_ke f_e
 */
import type { Architecture } from './architecture.js'
import { parallelStackParameters, parallelStacks } from './dense-layer.js'
import { expertLayerGradients, expertProducts } from './representation.js'

export const mmoe: Architecture = {
  parameters: ({ width, hidden, experts, tasks }) => [
    ...parallelStackParameters('expert', width, hidden, experts),
    {
      name: 'gate.weight',
      shape: [width, tasks * experts],
      initial: { kind: 'uniform', fanIn: width },
    },
    { name: 'gate.bias', shape: [tasks * experts], initial: { kind: 'constant', value: 0 } },
  ],
  build: (g, { hidden, experts, tasks }, input, parameter) => {
    const outputs = parallelStacks(g, 'expert', hidden, experts, input, parameter) // [E, B, H]
    const scores = g.add(g.matMul(input, parameter('gate.weight')), parameter('gate.bias'))
    const gates = g.softmax(g.reshape(scores, ['B', tasks, experts])) // [B, K, E]
    // One small product an example: the [K, E, B, H] of all terms would be written and read several times.
    const mixed = g.matMul(gates, g.transpose(outputs, [1, 0, 2])) // [B, K, H]
    return {
      output: g.transpose(mixed, [1, 0, 2]), // [K, B, H]
      gates,
      // The experts are shared: dL_k/df_e = g_ke dL_k/dh_k.
      gradientProducts: (builder, gradients) => expertProducts(builder, gradients, gates),
      layerGradients: (builder, gradients) => expertLayerGradients(builder, gradients, outputs, gates),
    }
  },
}
