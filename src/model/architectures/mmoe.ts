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
    const width = hidden.at(-1) ?? 0
    const outputs = parallelStacks(g, 'expert', hidden, experts, input, parameter) // [E, B, H]
    const scores = g.add(g.matMul(input, parameter('gate.weight')), parameter('gate.bias'))
    const gates = g.transpose(g.softmax(g.reshape(scores, ['B', tasks, experts])), [1, 2, 0]) // [K, E, B]
    const mixed = g.mul(g.reshape(gates, [tasks, experts, 'B', 1]), g.reshape(outputs, [1, experts, 'B', width]))
    return {
      output: g.sum(mixed, [1]), // [K, B, H]
      // dL_k/df_e = g_ke dL_k/dh_k, so Σ_e |dL_k/df_e|² = Σ_B (Σ_e g_ke²) |dL_k/dh_k|².
      sharedGradientNorms: (builder, gradients) =>
        builder.sum(
          builder.mul(builder.sum(builder.square(gates), [1]), builder.sum(builder.square(gradients), [2])),
          [1],
        ),
    }
  },
}
