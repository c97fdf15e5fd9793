/** The forward pass: what all graphs of a step have in common; see step-graph.ts. */
import type { GraphBuilder, Node } from '../graph/graph.js'
import type { Trunk } from './architectures/architecture.js'
import { funnelLogits } from './heads/funnel.js'
import { levelCount, ordinalNodes } from './heads/ordinal.js'
import { levelValues, softmaxLevels, softmaxNodes } from './heads/softmax.js'
import { fmInteraction } from './interactions/fm.js'
import type { OrdinalTask, Predicted, SoftmaxTask } from './losses.js'
import type { StepPlan } from './plan.js'
import { type Towers, towerActivation, towers } from './towers.js'

export interface Forward extends Predicted {
  /** All parameters. */
  flat: Node
  parameter: (name: string) => Node
  embedded: Node | undefined
  offset: Node
  trunk: Trunk
  towers: Towers
  /** The linear part before offset and bias, [B, K]. */
  straight: Node | undefined
}

export function forward(g: GraphBuilder, plan: StepPlan): Forward {
  const { spec, architecture, shape, tower, interaction, linear, funnel, layout } = plan
  const { slots, dense, model, tasks } = spec
  const flat = g.state('parameters', [layout.size])
  const nodes = new Map(
    layout.parameters.map(({ name, start, size, shape: own }) => [name, g.reshape(g.slice(flat, 0, start, size), own)]),
  )
  const parameter = (name: string): Node => nodes.get(name) ?? flat

  const embedded = slots > 0 ? g.input('embedded', ['B', slots * model.dim]) : undefined
  const numeric = dense > 0 ? [g.input('dense', ['B', dense])] : []
  const offset = g.input('offset', ['B', tasks.length])
  const pooled = interaction && embedded ? [fmInteraction(g, embedded, slots, model.dim)] : []
  const wide = [...numeric, ...pooled]
  const input = g.concat([...(embedded ? [embedded] : []), ...wide], 1)
  const trunk = architecture.build(g, shape, input, parameter)
  const top = towers(g, tower, trunk.output, parameter)
  const biased = g.add(offset, parameter('linear.bias'))
  const straight = linear > 0 ? g.matMul(g.concat(wide, 1), parameter('linear.weight')) : undefined
  const latents = g.add(top.logits, straight ? g.add(straight, biased) : biased)
  const ordinal = tasks.flatMap((task, k): OrdinalTask[] => {
    if (task.head !== 'ordinal') return []
    const levels = levelCount(task.range)
    const latent = g.slice(latents, 1, k, 1)
    return [{ task: k, levels, latent, nodes: ordinalNodes(g, latent, parameter(`ordinal.${k}`), levels) }]
  })
  const softmax = tasks.flatMap((task, k): SoftmaxTask[] => {
    const levels = softmaxLevels(task)
    if (levels === 0) return []
    const latent = g.slice(latents, 1, k, 1)
    const hidden = towerActivation(g, tower, top, k)
    const shares = g.input(`shares.${k}`, [1, levels])
    const own = (name: string) => parameter(`softmax.${k}.${name}`)
    return [{ task: k, levels, nodes: softmaxNodes(g, { latent, hidden, shares }, own, levelValues(task)) }]
  })
  const joint = funnelLogits(g, latents, funnel)
  return { flat, parameter, embedded, offset, trunk, towers: top, straight, latents, ordinal, softmax, joint }
}
