/** The joint loss in the step graph: one block of columns a kind of head, and the sums per task that the host reads. */
import { MASK_COUNTED, MASK_REACHED, MASK_STEP_TAKEN_BACK, MASK_TAKEN_BACK } from '../domain/example.js'
import type { GraphBuilder, Node } from '../graph/graph.js'
import { fakeNegativeLoss } from './fake-negatives.js'
import { binaryLoss } from './heads/binary.js'
import { ordinalLoss, type ordinalNodes } from './heads/ordinal.js'
import { regressionLoss } from './heads/regression.js'
import { type SoftmaxNodes, softmaxLoss } from './heads/softmax.js'
import type { StepPlan } from './plan.js'

/** aitm: how much a probability that exceeds the one before it costs, per label (the paper's α). */
const EXCESS = 0.6

export interface OrdinalTask {
  task: number
  levels: number
  latent: Node
  nodes: ReturnType<typeof ordinalNodes>
}

export interface SoftmaxTask {
  task: number
  levels: number
  nodes: SoftmaxNodes
}

export interface Predicted {
  /** [B, K] */
  latents: Node
  ordinal: readonly OrdinalTask[]
  softmax: readonly SoftmaxTask[]
  /** Per step of the funnel: [B, 1]. */
  joint: readonly Node[]
}

/** Bits of the mask that count for a task's own loss; 0: it has none. */
export interface OwnBits {
  learned: number
  takenBack: number
}

export function ownBits(plan: StepPlan, task: number): OwnBits {
  if (!plan.funnel.some(step => step.task === task)) return { learned: MASK_COUNTED, takenBack: MASK_TAKEN_BACK }
  if (plan.spec.model.funnel === 'esmm') return { learned: 0, takenBack: 0 }
  return { learned: MASK_REACHED, takenBack: MASK_STEP_TAKEN_BACK }
}

/** A scalar; names the sums as outputs. */
export function jointLoss(g: GraphBuilder, plan: StepPlan, { latents, ordinal, softmax, joint }: Predicted): Node {
  const { tasks } = plan.spec
  const columns: Node[] = []
  const labels = tasks.some(task => task.head === 'regression') ? g.input('labels', ['B', tasks.length]) : latents
  const binaryWeights = tasks.some(task => task.head === 'binary')
    ? g.input('binaryWeights', ['B', tasks.length])
    : latents
  const isStep = (task: number) => plan.funnel.some(step => step.task === task)
  if (tasks.some(task => task.head === 'binary')) {
    const shifts = plan.sampledLogOdds.map((shift, task) => (isStep(task) ? 0 : shift))
    const targets = g.input('binaryTargets', ['B', tasks.length])
    columns.push(binaryLosses(g, plan.fakeNegatives, shifted(g, latents, shifts), targets, binaryWeights))
  }
  if (tasks.some(task => task.head === 'regression'))
    columns.push(regressionLoss(g, latents, labels, g.input('numericWeights', ['B', tasks.length])))
  const sums: Node[] = []
  const output = (name: string, perTask: Node) => {
    g.output(name, perTask)
    sums.push(g.sum(perTask))
  }
  const { exceeding } = plan
  if (columns.length > 0) {
    const all = columns.reduce((a, b) => g.add(a, b))
    output('lossSums', g.sum(all, [0]))
  }
  if (ordinal.length > 0) {
    const each = ordinal.map(({ task, levels, latent, nodes }) =>
      ordinalLoss(g, latent, nodes, {
        above: g.input(`above.${task}`, ['B', levels - 1]),
        below: g.input(`below.${task}`, ['B', levels - 1]),
      }),
    )
    output('ordinalLossSums', g.concat(each, 0))
  }
  if (softmax.length > 0) {
    const each = softmax.map(({ task, levels, nodes }) =>
      softmaxLoss(g, nodes, g.input(`chosen.${task}`, ['B', levels])),
    )
    output('softmaxLossSums', g.concat(each, 0))
  }
  if (joint.length > 0) {
    const weights = g.input('jointWeights', ['B', joint.length])
    const targets = g.input('jointTargets', ['B', joint.length])
    const fake = plan.funnel.map(({ task }) => plan.fakeNegatives[task] === true)
    const shifts = plan.funnel.map(({ task }) => plan.sampledLogOdds[task] ?? 0)
    const logits = shifted(g, g.concat(joint, 1), shifts)
    output('jointLossSums', g.sum(binaryLosses(g, fake, logits, targets, weights), [0]))
  }
  if (exceeding.length > 0) {
    const probabilities = g.sigmoid(latents)
    const column = (of: Node, task: number) => g.slice(of, 1, task, 1)
    const each = exceeding.map(({ task, before }) => {
      const excess = g.relu(g.sub(column(probabilities, task), column(probabilities, before)))
      return g.mul(g.mul(column(binaryWeights, task), excess), EXCESS)
    })
    output('excessLossSums', g.sum(g.concat(each, 1), [0]))
  }
  return sums.reduce((a, b) => g.add(a, b))
}

/** [B, columns] each; fake: which columns are of tasks whose fake negatives are weighted. */
function binaryLosses(g: GraphBuilder, fake: readonly boolean[], latents: Node, targets: Node, weights: Node): Node {
  if (!fake.includes(true)) return binaryLoss(g, latents, targets, weights)
  const columns = fake.map((isFake, at) => {
    const [z, t, w] = [latents, targets, weights].map(node => g.slice(node, 1, at, 1)) as [Node, Node, Node]
    return isFake ? fakeNegativeLoss(g, z, t, w) : binaryLoss(g, z, t, w)
  })
  return g.concat(columns, 1)
}

/** Logits [B, columns] as they are where only some negatives are learned. */
function shifted(g: GraphBuilder, latents: Node, shifts: readonly number[]): Node {
  if (shifts.every(shift => shift === 0)) return latents
  return g.add(latents, g.constant(Float32Array.from(shifts), [shifts.length]))
}
