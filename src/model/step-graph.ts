/**
 * Assembles the two graphs of the deep part from architecture, towers, interaction, heads and optimiser: `train` (predict,
 * loss, gradients, update) and `predict`, which reads the same weights.
 *
 *   x = [embedded, dense, pooled]        trunk → towers → t        z = t + [dense, pooled] W + b + offset
 *
 * Inputs            shape        what
 *   embedded        [B, S·dim]   absent without slots
 *   dense           [B, D]       absent without numeric features; also goes to the logits by the linear (wide) part W
 *   offset          [B, K]       id biases, wide weights and the heads' shifts
 *   labels          [B, K]       latent units, 0 where masked                                        (train only from here)
 *   binaryWeights   [B, K]       mask × task weight for binary tasks, else 0; absent without such tasks
 *   numericWeights  [B, K]       mask × task weight × precision for regression tasks; absent without such tasks
 *   above.k below.k [B, L−1]     one-hot rows of ordinal task k, times mask × task weight
 *   rate, epsilon   []           Adam's scalars
 * Outputs
 *   latents         [B, K]       z before the update
 *   levels          [B, ordinal tasks]   expected level above the lowest
 *   lossSums        [K]          Σ_B weight × loss, of binary and regression tasks
 *   ordinalLossSums [ordinal tasks]
 *   embeddedGradient [B, S·dim], offsetGradient [B, K]   of Σ_k lossSums
 *   gradientNorms   [K]          squared, of the weighted loss (only for gradnorm)
 * State               parameters, mean, square: flat vectors
 *
 * Task weights and masks enter as one factor per label, made on the host: so a masked label is a zero and nothing else, and
 * a weighting needs no nodes.
 */
import type { Config, TaskConfig } from '../config/schema.js'
import { gradients } from '../graph/gradient.js'
import { type Graph, GraphBuilder, type Node } from '../graph/graph.js'
import type { Architecture, ArchitectureShape, Trunk } from './architectures/architecture.js'
import { mmoe } from './architectures/mmoe.js'
import { sharedBottom } from './architectures/shared-bottom.js'
import { singleTask } from './architectures/single-task.js'
import { binaryLoss } from './heads/binary.js'
import { levelCount, ordinalLoss, ordinalNodes, ordinalParameters } from './heads/ordinal.js'
import { regressionLoss } from './heads/regression.js'
import { FM_GAIN, fmInteraction } from './interactions/fm.js'
import { type AdamSettings, adam } from './optimizers/adam.js'
import { layOut, type ParameterLayout, type ParameterSpec } from './parameters.js'
import { type TowerShape, type Towers, towerInputGradients, towerParameters, towers } from './towers.js'

export interface StepGraphSpec {
  tasks: readonly TaskConfig[]
  slots: number
  dense: number
  model: Config['model']
  optimizer: AdamSettings
  gradientNorms: boolean
}

const ARCHITECTURES: Record<Config['model']['architecture'], Architecture> = {
  'single-task': singleTask,
  'shared-bottom': sharedBottom,
  mmoe,
}

export interface StepPlan {
  spec: StepGraphSpec
  architecture: Architecture
  shape: ArchitectureShape
  tower: TowerShape
  interaction: boolean
  /** Width of what the linear part reads. */
  linear: number
  layout: ParameterLayout
}

interface Forward {
  /** All parameters. */
  flat: Node
  parameter: (name: string) => Node
  embedded: Node | undefined
  offset: Node
  trunk: Trunk
  towers: Towers
  latents: Node
  ordinal: OrdinalTask[]
}

interface OrdinalTask {
  task: number
  levels: number
  latent: Node
  nodes: ReturnType<typeof ordinalNodes>
}

export function planStep(spec: StepGraphSpec): StepPlan {
  const { tasks, slots, dense, model } = spec
  const architecture = ARCHITECTURES[model.architecture]
  const interaction = model.interaction === 'fm' && slots >= 2
  const pooled = interaction ? model.dim : 0
  const shape = {
    width: slots * model.dim + dense + pooled,
    hidden: model.hidden,
    tasks: tasks.length,
    experts: model.experts,
  }
  const tower = {
    width: model.hidden.at(-1) ?? 0,
    units: model.tower,
    tasks: tasks.length,
    shared: model.architecture === 'shared-bottom',
  }
  const linear = dense + pooled
  const parameters = [
    ...architecture.parameters(shape),
    ...towerParameters(tower),
    ...linearParameters(dense, pooled, tasks.length),
    ...tasks.flatMap((task, k) =>
      task.head === 'ordinal' ? [ordinalParameters(`ordinal.${k}`, levelCount(task.range))] : [],
    ),
  ]
  return { spec, architecture, shape, tower, interaction, linear, layout: layOut(parameters) }
}

/** Numeric features start with no say; the interaction starts as the sum of products that a factorisation machine has. */
function linearParameters(dense: number, pooled: number, tasks: number): ParameterSpec[] {
  const values = Array.from({ length: (dense + pooled) * tasks }, (_, i) => (i < dense * tasks ? 0 : 0.3 / FM_GAIN))
  const bias: ParameterSpec = { name: 'linear.bias', shape: [tasks], initial: { kind: 'constant', value: 0 } }
  if (dense + pooled === 0) return [bias]
  return [{ name: 'linear.weight', shape: [dense + pooled, tasks], initial: { kind: 'values', values } }, bias]
}

export function predictGraph(plan: StepPlan): Graph {
  const g = new GraphBuilder()
  outputForward(g, forward(g, plan))
  return g.build()
}

export function trainGraph(plan: StepPlan): Graph {
  const g = new GraphBuilder()
  const { spec, layout } = plan
  const f = forward(g, plan)
  outputForward(g, f)
  const loss = losses(g, plan, f)
  const weights = layout.parameters.map(({ name }) => f.parameter(name))
  const wanted = [f.offset, ...(f.embedded ? [f.embedded] : []), ...(spec.gradientNorms ? [f.towers.hidden] : [])]
  const all = gradients(g, loss, [...weights, ...wanted])
  const gradientOf = (node: Node) => all[weights.length + wanted.indexOf(node)] ?? node
  g.output('offsetGradient', gradientOf(f.offset))
  if (f.embedded) g.output('embeddedGradient', gradientOf(f.embedded))
  if (spec.gradientNorms) {
    const atInputs = towerInputGradients(g, plan.tower, gradientOf(f.towers.hidden), f.parameter)
    g.output('gradientNorms', f.trunk.sharedGradientNorms(g, atInputs))
  }
  update(g, plan, f.flat, all.slice(0, weights.length))
  return g.build()
}

function forward(g: GraphBuilder, plan: StepPlan): Forward {
  const { spec, architecture, shape, tower, interaction, linear, layout } = plan
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
  const straight = linear > 0 ? g.add(g.matMul(g.concat(wide, 1), parameter('linear.weight')), biased) : biased
  const latents = g.add(top.logits, straight)
  const ordinal = tasks.flatMap((task, k): OrdinalTask[] => {
    if (task.head !== 'ordinal') return []
    const levels = levelCount(task.range)
    const latent = g.slice(latents, 1, k, 1)
    return [{ task: k, levels, latent, nodes: ordinalNodes(g, latent, parameter(`ordinal.${k}`), levels) }]
  })
  return { flat, parameter, embedded, offset, trunk, towers: top, latents, ordinal }
}

function outputForward(g: GraphBuilder, { latents, ordinal }: Forward): void {
  g.output('latents', latents)
  if (ordinal.length > 0)
    g.output(
      'levels',
      g.concat(
        ordinal.map(({ nodes }) => nodes.level),
        1,
      ),
    )
}

/** The joint loss. */
function losses(g: GraphBuilder, { spec: { tasks } }: StepPlan, { latents, ordinal }: Forward): Node {
  const columns: Node[] = []
  const labelled = tasks.some(task => task.head !== 'ordinal')
  if (labelled) {
    const labels = g.input('labels', ['B', tasks.length])
    if (tasks.some(task => task.head === 'binary'))
      columns.push(binaryLoss(g, latents, labels, g.input('binaryWeights', ['B', tasks.length])))
    if (tasks.some(task => task.head === 'regression'))
      columns.push(regressionLoss(g, latents, labels, g.input('numericWeights', ['B', tasks.length])))
  }
  const sums: Node[] = []
  if (columns.length > 0) {
    const perTask = g.sum(
      columns.reduce((a, b) => g.add(a, b)),
      [0],
    )
    g.output('lossSums', perTask)
    sums.push(g.sum(perTask))
  }
  if (ordinal.length > 0) {
    const each = ordinal.map(({ task, levels, latent, nodes }) =>
      ordinalLoss(g, latent, nodes, {
        above: g.input(`above.${task}`, ['B', levels - 1]),
        below: g.input(`below.${task}`, ['B', levels - 1]),
      }),
    )
    const perTask = g.concat(each, 0)
    g.output('ordinalLossSums', perTask)
    sums.push(g.sum(perTask))
  }
  return sums.reduce((a, b) => g.add(a, b))
}

/** As torch: clip the norm, then add the decay, then Adam. */
function update(
  g: GraphBuilder,
  { spec, layout }: StepPlan,
  parameters: Node,
  parameterGradients: readonly Node[],
): void {
  const { model, optimizer } = spec
  const old = {
    parameters,
    mean: g.state('mean', [layout.size]),
    square: g.state('square', [layout.size]),
  }
  let gradient = g.concat(
    parameterGradients.map((one, i) => g.reshape(one, [layout.parameters[i]?.size ?? 0])),
    0,
  )
  if (model.clipGradient > 0) {
    const norm = g.sqrt(g.sum(g.square(gradient)))
    gradient = g.mul(gradient, g.minimum(g.div(model.clipGradient, g.add(norm, 1e-6)), 1))
  }
  if (model.l2 > 0) gradient = g.add(gradient, g.mul(old.parameters, model.l2))
  const scalars = { rate: g.input('rate', []), epsilon: g.input('epsilon', []) }
  const next = adam(g, optimizer, old, gradient, scalars)
  g.assign('parameters', next.parameters)
  g.assign('mean', next.mean)
  g.assign('square', next.square)
}
