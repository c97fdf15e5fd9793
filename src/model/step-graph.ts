/**
 * Assembles the graphs of the deep part from architecture, towers, interaction, heads and optimiser: `train` (predict,
 * loss, gradients, update), `predict`, and `loss` (a second look at the same batch), which read the same weights.
 *
 *   x = [embedded, dense, pooled]        trunk → towers → t        z = t + [dense, pooled] W + b + offset
 *
 * Inputs            shape        what
 *   embedded        [B, S·dim]   absent without slots
 *   dense           [B, D]       absent without numeric features; also goes to the logits by the linear (wide) part W
 *   offset          [B, K]       id biases, wide weights and the heads' shifts
 *   labels          [B, K]       of regression tasks, latent units, 0 where masked                   (train only from here)
 *   binaryWeights   [B, K]       mask × task weight for binary tasks, else 0; absent without such tasks
 *   binaryTargets   [B, K]       the same × label; of a label that is taken back: task weight, without its binaryWeight
 *   numericWeights  [B, K]       mask × task weight × precision for regression tasks; absent without such tasks
 *   jointWeights    [B, F]       mask × task weight for the product of each task of a funnel; jointTargets: as above
 *   above.k below.k [B, L−1]     one-hot rows of ordinal task k, times mask × task weight
 *   shares.k        [1, L]       log of the running shares of the levels of softmax task k; read by all graphs
 *   chosen.k        [B, L]       one-hot rows of softmax task k, times mask × task weight
 *   rate, epsilon   []           Adam's scalars
 *   trunkWeights    [K]          only with the scope `trunk`: what head k sends into trunk and rows counts so much
 *   seen            [K]          only with `repeats`: 1 if the task has a label in the batch
 * Outputs
 *   latents         [B, K]       z before the update
 *   derived         [B, those]   expected level above the lowest (ordinal, softmax), logit of the product (funnel)
 *   classLogs       [B, classes] log P of the classes of the categorical tasks, side by side; absent without such tasks
 *   lossSums        [K]          Σ_B weight × loss, of binary and regression tasks
 *   ordinalLossSums [ordinal tasks]      softmaxLossSums [softmax tasks]      jointLossSums [F]      excessLossSums [F]: aitm
 *   embeddedGradient [B, S·dim], offsetGradient [B, K]   of the sum of all of these
 *   gradientProducts [K, K]      of the tasks' gradients at the shared representation (see weighting/weighting.ts)
 *   gradientSquares, gradientRepeats [K]
 * State               parameters, mean, square: flat vectors; previous: the last step's gradients, for `repeats`
 *
 * Masks and, with the scope `loss`, task weights enter as one factor per label, made on the host: so a masked label is a
 * zero and nothing else, and the default weighting needs no nodes.
 */
import { gradients } from '../graph/gradient.js'
import { type Graph, GraphBuilder, type Node } from '../graph/graph.js'
import { type Forward, forward } from './forward.js'
import { jointLoss } from './losses.js'
import { adam } from './optimizers/adam.js'
import type { StepPlan } from './plan.js'
import { measureGradients, weighTrunk } from './weighting/gradient-nodes.js'

export function predictGraph(plan: StepPlan): Graph {
  const g = new GraphBuilder()
  outputForward(g, plan, forward(g, plan))
  return g.build()
}

/** How much each task takes of each expert: output `gates` [B, K, E]; undefined: there are no experts. */
export function gateGraph(plan: StepPlan): Graph | undefined {
  const g = new GraphBuilder()
  const { gates } = forward(g, plan).trunk
  if (gates === undefined) return undefined
  g.output('gates', gates)
  return g.build()
}

export function lossGraph(plan: StepPlan): Graph {
  const g = new GraphBuilder()
  jointLoss(g, plan, forward(g, plan))
  return g.build()
}

export function trainGraph(plan: StepPlan): Graph {
  const g = new GraphBuilder()
  const { spec, layout, trunkParameters } = plan
  const f = forward(g, plan)
  outputForward(g, plan, f)
  const loss = jointLoss(g, plan, f)
  const weights = layout.parameters.map(({ name }) => f.parameter(name))
  const embedded = f.embedded ? [f.embedded] : []
  const byTrunk = spec.scope === 'trunk'
  const direct = byTrunk ? weights.slice(trunkParameters) : [...weights, ...embedded]
  const between = byTrunk && f.straight ? [f.towers.hidden, f.straight] : [f.towers.hidden]
  const wanted = [...direct, f.offset, ...(byTrunk || spec.evidence !== 'losses' ? between : [])]
  const found = gradients(g, loss, wanted)
  const all = new Map(wanted.map((node, i) => [node, found[i] ?? node]))
  const gradientOf = (node: Node) => all.get(node) ?? node
  if (byTrunk) {
    const trunk = [...weights.slice(0, trunkParameters), ...embedded]
    const weighed = gradients(g, weighTrunk(g, plan, f, gradientOf), trunk)
    for (const [i, node] of trunk.entries()) all.set(node, weighed[i] ?? node)
  }
  g.output('offsetGradient', gradientOf(f.offset))
  if (f.embedded) g.output('embeddedGradient', gradientOf(f.embedded))
  measureGradients(g, plan, f, gradientOf)
  update(g, plan, f.flat, weights.map(gradientOf))
  return g.build()
}

function outputForward(
  g: GraphBuilder,
  { spec, funnel, derived }: StepPlan,
  { latents, ordinal, softmax, joint }: Forward,
): void {
  g.output('latents', latents)
  const columns = derived.flatMap((column, k) => {
    if (column < 0) return []
    return (
      [...ordinal, ...softmax].find(({ task }) => task === k)?.nodes.level ??
      joint[funnel.findIndex(({ task }) => task === k)] ??
      []
    )
  })
  if (columns.length > 0) g.output('derived', g.concat(columns, 1))
  const classes = softmax.filter(({ task }) => spec.tasks[task]?.head === 'categorical').map(({ nodes }) => nodes.logs)
  if (classes.length > 0) g.output('classLogs', g.concat(classes, 1))
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
