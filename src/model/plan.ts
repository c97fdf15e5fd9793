/** What both graphs of a step are built from: architecture, shapes, funnel and the layout of the parameters. */
import type { Config, TaskConfig } from '../config/schema.js'
import { aitm } from './architectures/aitm.js'
import type { Architecture, ArchitectureShape } from './architectures/architecture.js'
import { mmoe } from './architectures/mmoe.js'
import { ple } from './architectures/ple.js'
import { sharedBottom } from './architectures/shared-bottom.js'
import { sharedMiddle } from './architectures/shared-middle.js'
import { singleTask } from './architectures/single-task.js'
import { type FunnelStep, funnelSteps } from './heads/funnel.js'
import { levelCount, ordinalParameters } from './heads/ordinal.js'
import { softmaxLevels, softmaxParameters } from './heads/softmax.js'
import { FM_GAIN } from './interactions/fm.js'
import { sampledLogOdds } from './kept-negatives.js'
import type { AdamSettings } from './optimizers/adam.js'
import { layOut, type ParameterLayout, type ParameterSpec } from './parameters.js'
import { type TowerShape, towerParameters } from './towers.js'
import type { Evidence } from './weighting/weighting.js'

export interface StepGraphSpec {
  tasks: readonly TaskConfig[]
  slots: number
  dense: number
  model: Config['model']
  optimizer: AdamSettings
  /** What the task weighting measures in a step, and what its weights are on. */
  evidence: Evidence
  scope: 'loss' | 'trunk'
}

export interface StepPlan {
  spec: StepGraphSpec
  architecture: Architecture
  shape: ArchitectureShape
  tower: TowerShape
  interaction: boolean
  /** Width of what the linear part reads. */
  linear: number
  /** Tasks that are predicted as products. */
  funnel: readonly FunnelStep[]
  /** By task: its late positives are weighted, not taken back (fake-negatives.ts). */
  fakeNegatives: readonly boolean[]
  /** By task: see kept-negatives.ts. */
  sampledLogOdds: readonly number[]
  /** Tasks that are predicted directly, and may not exceed the one before them. */
  exceeding: readonly FunnelStep[]
  /** By task: its column of the output `derived`, or -1. */
  derived: readonly number[]
  layout: ParameterLayout
  /** So many of the parameters, from the first on, are the architecture's. */
  trunkParameters: number
}

const ARCHITECTURES: Record<Config['model']['architecture'], Architecture> = {
  'single-task': singleTask,
  'shared-bottom': sharedBottom,
  'shared-middle': sharedMiddle,
  mmoe,
  ple,
  aitm,
}

export function planStep(spec: StepGraphSpec): StepPlan {
  const { tasks, slots, dense, model } = spec
  const architecture = ARCHITECTURES[model.architecture]
  const interaction = model.interaction === 'fm' && slots >= 2
  const pooled = interaction ? model.dim : 0
  const given = funnelSteps(tasks)
  const funnel = architecture.transfers === true ? [] : given
  const shape = {
    width: slots * model.dim + dense + pooled,
    hidden: model.hidden,
    tasks: tasks.length,
    experts: model.experts,
    funnel: given,
  }
  const tower = {
    width: model.hidden.at(-1) ?? 0,
    units: model.tower,
    tasks: tasks.length,
    shared: architecture.sharesOutput === true,
  }
  const trunk = architecture.parameters(shape)
  const parameters = [
    ...trunk,
    ...towerParameters(tower),
    ...linearParameters(dense, pooled, tasks.length),
    ...tasks.flatMap((task, k) =>
      task.head === 'ordinal' ? [ordinalParameters(`ordinal.${k}`, levelCount(task.range))] : [],
    ),
    ...tasks.flatMap((task, k) =>
      softmaxLevels(task) === 0 ? [] : softmaxParameters(`softmax.${k}`, task, tower.units),
    ),
  ]
  let column = 0
  const derived = tasks.map((task, k) =>
    task.head === 'ordinal' || softmaxLevels(task) > 0 || funnel.some(step => step.task === k) ? column++ : -1,
  )
  return {
    spec,
    architecture,
    shape,
    tower,
    interaction,
    linear: dense + pooled,
    funnel,
    fakeNegatives: tasks.map(({ label }) => label.late === 'fake-negative-weighted'),
    sampledLogOdds: tasks.map(({ label }) => sampledLogOdds(label)),
    exceeding: architecture.transfers === true ? given : [],
    derived,
    layout: layOut(parameters),
    trunkParameters: trunk.length,
  }
}

/** Numeric features start with no say; the interaction starts as the sum of products that a factorisation machine has. */
function linearParameters(dense: number, pooled: number, tasks: number): ParameterSpec[] {
  const values = Array.from({ length: (dense + pooled) * tasks }, (_, i) => (i < dense * tasks ? 0 : 0.3 / FM_GAIN))
  const bias: ParameterSpec = { name: 'linear.bias', shape: [tasks], initial: { kind: 'constant', value: 0 } }
  if (dense + pooled === 0) return [bias]
  return [{ name: 'linear.weight', shape: [dense + pooled, tasks], initial: { kind: 'values', values } }, bias]
}
