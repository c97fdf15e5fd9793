/**
 * aitm: adaptive information transfer along a funnel (Xi, Chen, Yan, Zhang, Zhu, Zhuang & Chen, KDD 2021, "Modeling the
 * Sequential Dependence among Audience Multi-step Conversions with Multi-task Learning in Targeted Display Advertising").
 *
 *   q_k = MLP_k(x)        p = φ(z_before(k) W_k + b_k)
 *   z_k = Σ_{u ∈ {p, q_k}} α_u V u        α = softmax ⟨K u, Q u⟩ / √H        z_k = q_k for a task that is given none
 *
 * A task that is `given` another predicts its probability over all examples directly, not as a product; that it does not
 * exceed the probability before it is a part of the loss (losses.ts).
 */
import type { GraphBuilder, Node } from '../../graph/graph.js'
import type { Architecture } from './architecture.js'
import { activation, parallelStackParameters, parallelStacks } from './dense-layer.js'
import { layerGradients, ownProducts } from './representation.js'

export const aitm: Architecture = {
  transfers: true,
  parameters: ({ width, hidden, tasks, funnel }) => {
    const fanIn = hidden.at(-1) ?? 0
    return [
      ...parallelStackParameters('trunk', width, hidden, tasks),
      ...funnel.flatMap(({ task }) => [
        { name: `transfer.${task}.weight`, shape: [fanIn, fanIn], initial: { kind: 'he' as const, fanIn } },
        { name: `transfer.${task}.bias`, shape: [fanIn], initial: { kind: 'constant' as const, value: 0 } },
        { name: `attention.${task}`, shape: [fanIn, 3 * fanIn], initial: { kind: 'uniform' as const, fanIn } },
      ]),
    ]
  },
  build: (g, { hidden, tasks, funnel }, input, parameter) => {
    const width = hidden.at(-1) ?? 0
    const bottoms = parallelStacks(g, 'trunk', hidden, tasks, input, parameter) // [K, B, H]
    const tops: Node[] = []
    for (let task = 0; task < tasks; task++) {
      const own = g.reshape(g.slice(bottoms, 0, task, 1), ['B', width])
      const before = tops[funnel.find(step => step.task === task)?.before ?? -1]
      if (before === undefined) tops.push(own)
      else {
        const sent = g.add(g.matMul(before, parameter(`transfer.${task}.weight`)), parameter(`transfer.${task}.bias`))
        tops.push(attend(g, activation(g, sent), own, parameter(`attention.${task}`), width))
      }
    }
    const output = g.concat(
      tops.map(top => g.reshape(top, [1, 'B', width])),
      0,
    )
    return {
      output,
      gradientProducts: ownProducts,
      layerGradients: (builder, gradients) => layerGradients(builder, gradients, output),
    }
  },
}

/** Both [B, H]; weight [H, 3H] holds V, K and Q. The softmax of two is a sigmoid of their difference. */
function attend(g: GraphBuilder, sent: Node, own: Node, weight: Node, width: number): Node {
  const read = (x: Node) => {
    const all = g.matMul(x, weight)
    const score = g.sum(g.mul(g.slice(all, 1, width, width), g.slice(all, 1, 2 * width, width)), [1], true)
    return { value: g.slice(all, 1, 0, width), score }
  }
  const [p, q] = [read(sent), read(own)]
  const share = g.sigmoid(g.div(g.sub(p.score, q.score), Math.sqrt(width)))
  return g.add(q.value, g.mul(share, g.sub(p.value, q.value)))
}
