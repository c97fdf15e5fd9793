/**
 * ple: progressive layered extraction (Tang, Liu, Zhao & Gong, RecSys 2020, "Progressive Layered Extraction (PLE)"). Each
 * task has an expert of its own beside the S shared ones, so that tasks that pull apart need not meet.
 *
 *   level l:   f_s = φ(s W_s + b_s)   s = 1..S shared       o_k = φ(t_k W_k + b_k)   k = 1..K own
 *              t_k ← Σ_s g_ks f_s + g_k,own o_k              g_k = softmax over S + 1 from t_k
 *              s   ← Σ over all S + K experts                gate from s; not at the last level
 *
 * Every hidden layer is a level whose experts are one layer each; at the first one t_k = s = x. With one hidden layer it is
 * the paper's customised gate control.
 */
import type { GraphBuilder, Node } from '../../graph/graph.js'
import type { ParameterSpec } from '../parameters.js'
import type { Architecture } from './architecture.js'
import { activation } from './dense-layer.js'
import { expertLayerGradients, expertProducts } from './representation.js'

function linear(
  name: string,
  weight: number[],
  bias: number[],
  initial: 'he' | 'uniform',
  fanIn: number,
): ParameterSpec[] {
  return [
    { name: `${name}.weight`, shape: weight, initial: { kind: initial, fanIn } },
    { name: `${name}.bias`, shape: bias, initial: { kind: 'constant', value: 0 } },
  ]
}

export const ple: Architecture = {
  parameters: ({ width, hidden, experts, tasks }) => {
    let from = width
    return hidden.flatMap((to, level) => {
      const fanIn = from
      from = to
      const first = level === 0
      const gates = experts + 1
      return [
        ...linear(
          `own.${level}`,
          first ? [fanIn, tasks * to] : [tasks, fanIn, to],
          first ? [tasks * to] : [tasks, 1, to],
          'he',
          fanIn,
        ),
        ...linear(`shared.${level}`, [fanIn, experts * to], [experts * to], 'he', fanIn),
        ...linear(
          `gate.${level}`,
          first ? [fanIn, tasks * gates] : [tasks, fanIn, gates],
          first ? [tasks * gates] : [tasks, 1, gates],
          'uniform',
          fanIn,
        ),
        ...(level === hidden.length - 1
          ? []
          : linear(`onward.${level}`, [fanIn, experts + tasks], [experts + tasks], 'uniform', fanIn)),
      ]
    })
  },
  build: (g, { hidden, experts, tasks }, input, parameter) => {
    const apply = (name: string, x: Node) => g.add(g.matMul(x, parameter(`${name}.weight`)), parameter(`${name}.bias`))
    /** [K, B, n], from one wide product at the first level. */
    const perTask = (name: string, x: Node, n: number) =>
      x.shape.length === 2 ? g.transpose(g.reshape(apply(name, x), ['B', tasks, n]), [1, 0, 2]) : apply(name, x)
    let own = input
    let shared = input
    let mixture: { all: Node; gates: Node; experts: Node } | undefined
    for (const [level, width] of hidden.entries()) {
      const owned = activation(g, perTask(`own.${level}`, own, width)) // [K, B, H]
      const common = g.reshape(activation(g, apply(`shared.${level}`, shared)), ['B', experts, width])
      const gates = g.softmax(g.transpose(perTask(`gate.${level}`, own, experts + 1), [1, 0, 2])) // [B, K, S + 1]
      const toShared = g.slice(gates, 2, 0, experts)
      if (level < hidden.length - 1) shared = onward(g, common, owned, apply(`onward.${level}`, shared))
      const toOwn = g.transpose(g.slice(gates, 2, experts, 1), [1, 0, 2]) // [K, B, 1]
      own = g.add(g.transpose(g.matMul(toShared, common), [1, 0, 2]), g.mul(owned, toOwn))
      mixture = { all: gates, gates: toShared, experts: common }
    }
    return {
      output: own,
      // Of the last level: the shared experts, then the task's own.
      ...(mixture === undefined ? {} : { gates: mixture.all }),
      // What tasks share last is the shared experts: dL_k/df_s = g_ks dL_k/dt_k.
      gradientProducts: (builder, gradients) =>
        mixture === undefined ? gradients : expertProducts(builder, gradients, mixture.gates),
      layerGradients: (builder, gradients) =>
        mixture === undefined
          ? gradients
          : expertLayerGradients(builder, gradients, builder.transpose(mixture.experts, [1, 0, 2]), mixture.gates),
    }
  },
}

/** The shared input of the next level: all experts [B, S, H] and [K, B, H], mixed by scores [B, S + K]. */
function onward(g: GraphBuilder, common: Node, owned: Node, scores: Node): Node {
  const all = g.concat([common, g.transpose(owned, [1, 0, 2])], 1)
  const gates = g.reshape(g.softmax(scores), ['B', 1, Number(all.shape[1])])
  return g.reshape(g.matMul(gates, all), ['B', Number(all.shape[2])])
}
