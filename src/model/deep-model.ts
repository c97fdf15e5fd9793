/**
 * The deep part: network, heads, task weights and dense optimiser behind predict() and learn(). It owns the compiled
 * graphs (and with them the dense weights), the heads' running statistics and the task weighting; embedding rows, id biases
 * and wide weights belong to the caller, who passes what they give and takes their gradients.
 *
 * One learn() is one step: the prediction it reports was made before the update. The joint loss is
 * Σ_k weight_k Σ_i mask_ik loss_ik, sums over the batch; all gradients are of it. A masked label contributes nothing, also
 * when it holds NaN; anything else that is not a number shows in `loss`. An empty batch changes nothing.
 *
 * Calls must not overlap. After close() nothing may be called.
 */
import type { Backend, CompiledGraph, HostTensor } from '../backend/backend.js'
import type { Config, TaskConfig } from '../config/schema.js'
import { classColumns, type TaskClasses, taskClasses } from '../config/task-classes.js'
import { MillraceError } from '../domain/errors.js'
import { MASK_COUNTED, MASK_REACHED, MASK_STEP_TAKEN_BACK, MASK_TAKEN_BACK } from '../domain/example.js'
import type { LoadedState, PartState, PublishedState, StateArray } from '../domain/state.js'
import { sharesOfSides } from './class-shares.kernel.js'
import { createBinaryHead } from './heads/binary.js'
import { columnTotals, type Head } from './heads/head.js'
import { createOrdinalHead, levelCount } from './heads/ordinal.js'
import { RegressionHead } from './heads/regression.js'
import { SoftmaxHead, softmaxLevels } from './heads/softmax.js'
import { sampledLogOdds } from './kept-negatives.js'
import { decodeLatents, LabelPacker, shiftOffsets } from './label-rows.kernel.js'
import { labelScale } from './label-scale.js'
import { type OwnBits, ownBits } from './losses.js'
import { adamScalars } from './optimizers/adam.js'
import { initialValues } from './parameters.js'
import { planStep, type StepPlan } from './plan.js'
import { gateGraph, lossGraph, predictGraph, trainGraph } from './step-graph.js'
import { createWeighting } from './weighting/create.js'
import type { TaskWeighting } from './weighting/weighting.js'

export interface DeepModelSpec {
  tasks: readonly TaskConfig[]
  /** Embedded slots; each gives one vector of model.dim. */
  slots: number
  /** Numeric inputs. */
  dense: number
  model: Config['model']
  optimizer: Config['optimizer']['dense']
  weights: Config['weights']
}

/** Arrays may be longer than n needs. */
export interface DeepInput {
  n: number
  /** [n, slots·dim] */
  embedded: Float32Array
  /** [n, dense] */
  dense: Float32Array
  /** [n, tasks]: sum of id biases and wide weights, in logit or latent units. */
  offset: Float32Array
}

export interface DeepStep {
  /** [n, tasks] natural units, before the update. */
  values: Float32Array
  /** [n, classes] shares of sides (class-shares.kernel.ts) of the categorical tasks; empty without such tasks. */
  shares: Float32Array
  /** Joint loss, summed over the batch. */
  loss: number
  /** [tasks] mean per counted label, unweighted; 0 without labels. */
  taskLosses: Float32Array
  /** [tasks] as used in this step. */
  taskWeights: Float32Array
  /** [n, slots·dim] of the joint loss. */
  embeddedGradient: Float32Array
  /** [n, tasks] */
  offsetGradient: Float32Array
}

const NONE = new Float32Array(0)
const COUNTED: OwnBits = { learned: MASK_COUNTED, takenBack: 0 }

/** isStep: of a funnel, where all negatives are learned. */
function createHead(task: TaskConfig, isStep: boolean): Head {
  if (task.head === 'binary') return createBinaryHead(isStep ? 0 : sampledLogOdds(task.label))
  if (task.head === 'ordinal') return createOrdinalHead(task.range)
  return softmaxLevels(task) > 0 ? new SoftmaxHead(task) : new RegressionHead(task.range, labelScale(task))
}

export class DeepModel {
  readonly #spec: DeepModelSpec
  readonly #plan: StepPlan
  readonly #train: CompiledGraph
  readonly #predict: CompiledGraph
  /** A second look at the batch, for weightings that need one. */
  readonly #look: CompiledGraph | undefined
  readonly #backend: Backend
  /** Compiled when somebody asks: learning and scoring need no gates. */
  #gates: Promise<CompiledGraph> | undefined
  readonly #weighting: TaskWeighting
  readonly #heads: readonly Head[]
  readonly #packer: LabelPacker
  readonly #classes: readonly TaskClasses[]
  /** Of the loss of each label; the priors where the weighting's own weights are on the trunk. */
  readonly #lossWeights: Float64Array
  /** Bits of the mask that a head's statistics count. */
  readonly #headBits: readonly OwnBits[]
  #offset = new Float32Array(0)
  #steps = 0
  /** Multiplies the step size of the next steps. */
  rateFactor = 1

  private constructor(
    spec: DeepModelSpec,
    plan: StepPlan,
    weighting: TaskWeighting,
    train: CompiledGraph,
    predict: CompiledGraph,
    look: CompiledGraph | undefined,
    backend: Backend,
  ) {
    this.#spec = spec
    this.#backend = backend
    this.#plan = plan
    this.#weighting = weighting
    this.#train = train
    this.#predict = predict
    this.#look = look
    this.#lossWeights =
      weighting.scope === 'loss' ? weighting.weights : Float64Array.from(spec.tasks, task => task.prior)
    const jointOf = (task: number) => plan.funnel.findIndex(step => step.task === task)
    this.#heads = spec.tasks.map((task, k) => createHead(task, jointOf(k) >= 0))
    this.#classes = taskClasses(spec.tasks)
    this.#headBits = spec.tasks.map((_, task) =>
      jointOf(task) < 0
        ? { learned: MASK_COUNTED, takenBack: MASK_TAKEN_BACK }
        : { learned: MASK_REACHED, takenBack: MASK_STEP_TAKEN_BACK },
    )
    this.#packer = new LabelPacker(
      spec.tasks.map((task, k) => ({
        head: this.#heads[k] ?? createHead(task, jointOf(k) >= 0),
        thresholds: task.head === 'ordinal' ? levelCount(task.range) - 1 : 0,
        levels: softmaxLevels(task),
        bits: ownBits(plan, k),
        joint: jointOf(k),
      })),
    )
  }

  static async create(spec: DeepModelSpec, backend: Backend): Promise<DeepModel> {
    const weighting = createWeighting(
      spec.tasks.map(task => task.prior),
      spec.weights,
      spec.model.seed,
    )
    const plan = planStep({ ...spec, evidence: weighting.evidence, scope: weighting.scope })
    const train = await backend.compile(trainGraph(plan))
    const predict = await backend.compile(predictGraph(plan), train)
    const look = weighting.evidence === 'second look' ? await backend.compile(lossGraph(plan), train) : undefined
    await train.writeState({ parameters: initialValues(plan.layout, spec.model.seed) })
    return new DeepModel(spec, plan, weighting, train, predict, look, backend)
  }

  /** values [n, tasks] natural units: probability, rating clipped to its range. shares: as of a step. */
  async predict(input: DeepInput): Promise<Pick<DeepStep, 'values' | 'shares'>> {
    if (input.n === 0) return { values: NONE, shares: NONE }
    const outputs = await this.#predict.run(this.#feeds(input))
    return { values: this.#decode(outputs, input.n), shares: this.#shares(outputs, input.n) }
  }

  /** [n, tasks, experts]: how much each task takes of each expert; undefined: the architecture has none. */
  async gates(input: DeepInput): Promise<Float32Array | undefined> {
    const graph = gateGraph(this.#plan)
    if (graph === undefined || input.n === 0) return undefined
    this.#gates ??= this.#backend.compile(graph, this.#train)
    const feeds = this.#feeds(input)
    const known = new Set(graph.inputs.map(({ attributes }) => attributes.name))
    const read = Object.fromEntries(Object.entries(feeds).filter(([name]) => known.has(name)))
    return (await (await this.#gates).run(read)).gates?.data
  }

  /** labels [n, tasks] natural units, mask [n, tasks]: see domain/example.ts. factors [n, tasks]: on each label's weight. */
  async learn(input: DeepInput, labels: Float32Array, mask: Uint8Array, factors?: Float32Array): Promise<DeepStep> {
    const { n } = input
    const tasks = this.#heads.length
    const taskWeights = Float32Array.from(this.#weighting.weights)
    const taskLosses = new Float32Array(tasks)
    if (n === 0)
      return {
        ...{ values: NONE, shares: NONE, loss: 0, taskLosses, taskWeights },
        ...{ embeddedGradient: NONE, offsetGradient: NONE },
      }

    const columns = this.#headBits.map((bits, task) => ({ labels, mask, n, tasks, task, bits }))
    for (const [k, head] of this.#heads.entries()) if (columns[k]) head.prepare(columns[k])
    const feeds = this.#feeds(input)
    this.#feedLabels(feeds, labels, mask, n, factors)
    const counts = Float64Array.from(columns, column => columnTotals({ ...column, bits: COUNTED }).count)
    const outputs = await this.#train.run({ ...feeds, ...this.#stepFeeds(counts) })
    this.#steps++

    const values = this.#decode(outputs, n)
    const shares = this.#shares(outputs, n)
    const { loss, lossSums } = this.#losses(outputs)
    for (let k = 0; k < tasks; k++) taskLosses[k] = (lossSums[k] ?? 0) / Math.max(counts[k] ?? 0, 1)
    const lossSumsAfter = this.#look ? this.#losses(await this.#look.run(feeds)).lossSums : lossSums
    const latents = outputs.latents?.data ?? NONE
    for (const [k, head] of this.#heads.entries()) if (columns[k]) head.observe(columns[k], latents)
    this.#weighting.update({ lossSums, counts, lossSumsAfter, ...this.#gradients(outputs) })
    return {
      values,
      shares,
      loss,
      taskLosses,
      taskWeights,
      embeddedGradient: outputs.embeddedGradient?.data ?? NONE,
      offsetGradient: outputs.offsetGradient?.data ?? NONE,
    }
  }

  async saveState(): Promise<PartState> {
    const { parameters = NONE, mean = NONE, square = NONE, previous = NONE } = await this.#train.readState()
    return {
      meta: { steps: this.#steps, layout: this.#layoutText() },
      arrays: {
        parameters,
        mean,
        square,
        ...(this.#repeats ? { previous } : {}),
        heads: this.#heads.map(head => head.state.slice()),
        weighting: this.#weighting.state.slice(),
      },
    }
  }

  /** What predictions need: the dense weights and the heads' statistics. */
  async publish(): Promise<PublishedState> {
    const { parameters = NONE } = await this.#train.readState()
    const arrays = { parameters, heads: this.#heads.map(head => head.state.slice()) }
    const state = { meta: { layout: this.#layoutText() }, arrays }
    return { form: 'whole', encoding: 'float32', state, rows: 0, changed: 0, removed: 0 }
  }

  /** Reads what publish() wrote: then it predicts, and must not learn. */
  async applyPublished({ meta, arrays }: LoadedState): Promise<void> {
    const { parameters, heads } = arrays
    const headSize = this.#heads.reduce((size, head) => size + head.state.length, 0)
    const fits =
      (meta as { layout?: unknown } | null)?.layout === this.#layoutText() &&
      parameters instanceof Float32Array &&
      (heads?.length ?? 0) === headSize
    if (!fits) throw new MillraceError('CHECKPOINT_INCOMPATIBLE', 'the published network has another shape')
    await this.#train.writeState({ parameters })
    this.#loadHeads(heads)
  }

  async loadState({ meta, arrays }: LoadedState): Promise<void> {
    const { steps, layout } = (meta ?? {}) as { steps?: unknown; layout?: unknown }
    const { parameters, mean, square, previous, heads, weighting } = arrays
    const headSize = this.#heads.reduce((size, head) => size + head.state.length, 0)
    const fits =
      typeof steps === 'number' &&
      layout === this.#layoutText() &&
      parameters instanceof Float32Array &&
      mean instanceof Float32Array &&
      square instanceof Float32Array &&
      (previous instanceof Float32Array || !this.#repeats) &&
      heads?.length === headSize &&
      weighting?.length === this.#weighting.state.length
    if (!fits) throw new MillraceError('CHECKPOINT_INCOMPATIBLE', 'the network of the checkpoint has another shape')
    await this.#train.writeState({
      parameters,
      mean,
      square,
      ...(previous instanceof Float32Array ? { previous } : {}),
    })
    this.#loadHeads(heads)
    for (let i = 0; i < weighting.length; i++) this.#weighting.state[i] = Number(weighting[i])
    this.#weighting.restored()
    this.#steps = steps
  }

  #loadHeads(states: StateArray | undefined): void {
    let start = 0
    for (const head of this.#heads) {
      for (let i = 0; i < head.state.length; i++) head.state[i] = Number(states?.[start + i])
      start += head.state.length
    }
  }

  async close(): Promise<void> {
    await (await this.#gates)?.close()
    await this.#look?.close()
    await this.#predict.close()
    await this.#train.close()
  }

  #feeds({ n, embedded, dense, offset }: DeepInput): Record<string, HostTensor> {
    const { slots, dense: denseWidth, model } = this.#spec
    const tasks = this.#heads.length
    if (this.#offset.length < n * tasks) this.#offset = new Float32Array(2 * n * tasks)
    shiftOffsets(offset, this.#heads, n, this.#offset)
    const width = slots * model.dim
    const feeds: Record<string, HostTensor> = { offset: rows(this.#offset, n, tasks) }
    if (width > 0) feeds.embedded = rows(embedded, n, width)
    if (denseWidth > 0) feeds.dense = rows(dense, n, denseWidth)
    for (const [k, head] of this.#heads.entries())
      if (head instanceof SoftmaxHead) feeds[`shares.${k}`] = rows(head.logShares(), 1, head.state.length)
    return feeds
  }

  #feedLabels(
    feeds: Record<string, HostTensor>,
    labels: Float32Array,
    mask: Uint8Array,
    n: number,
    factors?: Float32Array,
  ): void {
    const tasks = this.#heads.length
    const packed = this.#packer.pack(labels, mask, n, this.#lossWeights, factors)
    const kinds = this.#heads.map(head => head.kind)
    if (kinds.includes('binary')) {
      feeds.binaryWeights = rows(packed.binaryWeights, n, tasks)
      feeds.binaryTargets = rows(packed.binaryTargets, n, tasks)
    }
    if (kinds.includes('regression')) {
      feeds.labels = rows(packed.labels, n, tasks)
      feeds.numericWeights = rows(packed.numericWeights, n, tasks)
    }
    const joints = this.#plan.funnel.length
    if (joints > 0) {
      feeds.jointWeights = rows(packed.jointWeights, n, joints)
      feeds.jointTargets = rows(packed.jointTargets, n, joints)
    }
    for (const [k, above] of packed.above) feeds[`above.${k}`] = rows(above, n, above.length / n)
    for (const [k, below] of packed.below) feeds[`below.${k}`] = rows(below, n, below.length / n)
    for (const [k, chosen] of packed.chosen) feeds[`chosen.${k}`] = rows(chosen, n, chosen.length / n)
  }

  /** What only the train graph reads. */
  #stepFeeds(counts: Float64Array): Record<string, HostTensor> {
    const { rate, epsilon } = adamScalars(this.#spec.optimizer, this.#steps + 1)
    const tasks = this.#heads.length
    const feeds: Record<string, HostTensor> = {
      rate: { data: Float32Array.of(rate * this.rateFactor), dims: [] },
      epsilon: { data: Float32Array.of(epsilon), dims: [] },
    }
    if (this.#weighting.scope === 'trunk') {
      const relative = (weight: number, k: number) => weight / (this.#lossWeights[k] ?? 1)
      feeds.trunkWeights = { data: Float32Array.from(this.#weighting.weights, relative), dims: [tasks] }
    }
    if (this.#repeats) feeds.seen = { data: Float32Array.from(counts, count => (count > 0 ? 1 : 0)), dims: [tasks] }
    return feeds
  }

  get #repeats(): boolean {
    return this.#weighting.evidence === 'repeats'
  }

  /** Of unweighted losses: the graph's are of weighted ones. */
  #gradients({ gradientProducts, gradientSquares, gradientRepeats }: Record<string, HostTensor>) {
    const weights = this.#lossWeights
    const tasks = weights.length
    const weight = (k: number) => weights[k] ?? 1
    const perTask = (tensor: HostTensor | undefined) =>
      Float64Array.from(tensor?.data ?? NONE, (value, k) => value / weight(k) ** 2)
    return {
      gradientProducts: Float64Array.from(
        gradientProducts?.data ?? NONE,
        (value, at) => value / (weight(Math.floor(at / tasks)) * weight(at % tasks)),
      ),
      gradientSquares: perTask(gradientSquares),
      gradientRepeats: perTask(gradientRepeats),
    }
  }

  #decode(outputs: Record<string, HostTensor>, n: number): Float32Array {
    const values = new Float32Array(n * this.#heads.length)
    const { latents, derived } = outputs
    decodeLatents(latents?.data ?? NONE, derived?.data ?? NONE, this.#heads, this.#plan.derived, n, values)
    return values
  }

  #shares({ classLogs }: Record<string, HostTensor>, n: number): Float32Array {
    if (classLogs === undefined) return NONE
    const shares = new Float32Array(n * classColumns(this.#classes))
    const ofLabels = (task: number) => {
      const head = this.#heads[task]
      return head instanceof SoftmaxHead ? head.logShares() : NONE
    }
    sharesOfSides(classLogs.data, this.#classes, n, ofLabels, shares)
    return shares
  }

  /** The graph's sums carry the task weights; lossSums are without. */
  #losses(outputs: Record<string, HostTensor>): { loss: number; lossSums: Float64Array } {
    const plain = outputs.lossSums?.data ?? NONE
    const ordinal = outputs.ordinalLossSums?.data ?? NONE
    const softmax = outputs.softmaxLossSums?.data ?? NONE
    const joint = outputs.jointLossSums?.data ?? NONE
    const excess = outputs.excessLossSums?.data ?? NONE
    let loss = 0
    let column = 0
    let softmaxColumn = 0
    const lossSums = Float64Array.from(this.#heads, (head, k) => {
      // NaN in any task's column must reach the joint loss, also from a column that only masks hold at 0.
      const levels = head.kind === 'ordinal' ? (ordinal[column++] ?? 0) : 0
      const chosen = head.kind === 'softmax' ? (softmax[softmaxColumn++] ?? 0) : 0
      const product = joint[this.#plan.funnel.findIndex(({ task }) => task === k)] ?? 0
      const beyond = excess[this.#plan.exceeding.findIndex(({ task }) => task === k)] ?? 0
      const weighted = (plain[k] ?? 0) + levels + chosen + product + beyond
      loss += weighted
      return weighted / (this.#lossWeights[k] ?? 1)
    })
    return { loss, lossSums }
  }

  /** Names and shapes of all parameters: what a checkpoint must agree on. */
  #layoutText(): string {
    return this.#plan.layout.parameters.map(({ name, shape }) => `${name}[${shape.join(',')}]`).join(' ')
  }
}

function rows(data: Float32Array, n: number, width: number): HostTensor {
  return { data: data.length === n * width ? data : data.subarray(0, n * width), dims: [n, width] }
}
