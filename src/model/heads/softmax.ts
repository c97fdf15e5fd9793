/**
 * Heads that give a probability to each of L levels by a softmax.
 *
 *   a_j = f_j + b_j + s_j z + Σ_t max(h_t, 0) U_tj      P(y = j) = e^{a_j} / Σ_i e^{a_i}      loss = −log P(y)
 *
 * z is the task's latent, as every head has one: id biases, wide weights and the linear part speak through it, and it moves
 * the levels by their scores s. h is the hidden layer of the task's tower, which speaks for each level by itself; U starts
 * at 0. f is the log of the running share of the level, so that the first predictions of a rare level are already rare; it
 * starts with equal shares. One z alone would be the stereotype model (Anderson 1984, "Regression and Ordered Categorical
 * Variables").
 *
 * distribution: the levels are the integers of the range, the value is the expected one; scores start from −2 to 2.
 * categorical: the levels are the classes, the value is the probability of those in `of`; their scores start at 1, the others'
 * at 0. What ids say by their biases they say for `of` against the rest.
 *
 * The graph gets a label as a one-hot row, multiplied by its weight. The sum of exponentials is taken around the highest
 * a_j, so nothing overflows; what is subtracted changes no probability and needs no gradient.
 */
import type { TaskConfig } from '../../config/schema.js'
import { MASK_COUNTED } from '../../domain/example.js'
import { classOfLabel } from '../../domain/heads.js'
import type { GraphBuilder, Node } from '../../graph/graph.js'
import type { ParameterSpec } from '../parameters.js'
import type { Head, LabelColumn } from './head.js'
import { levelCount } from './ordinal.js'

/** Labels after which an old label counts 1/e in the shares. */
const MEMORY_LABELS = 50_000
/** The shares start as if so many labels had been spread evenly. */
const START_LABELS = 20
/** Of the levels' scores, at the start. */
const SPREAD = 2

/** Levels of a task whose head is a softmax; 0: it is another one. */
export function softmaxLevels({ head, range, label }: TaskConfig): number {
  if (head === 'categorical') return label.classes?.length ?? 0
  return head === 'distribution' ? levelCount(range) : 0
}

/** By level: what the value is the mean of. */
export function levelValues(task: TaskConfig): number[] {
  const { classes = [], of = [] } = task.label
  if (task.head === 'categorical') return classes.map(text => (of.includes(text) ? 1 : 0))
  return Array.from({ length: softmaxLevels(task) }, (_, j) => j)
}

/** units: of the task's tower. */
export function softmaxParameters(name: string, task: TaskConfig, units: number): ParameterSpec[] {
  const levels = softmaxLevels(task)
  const even = (j: number) => SPREAD * ((2 * j) / (levels - 1) - 1)
  const scores = levelValues(task).map(value => (task.head === 'categorical' ? value : even(value)))
  const values = [...new Array<number>(units * levels).fill(0), ...scores]
  return [
    // U, and s as its last row.
    { name: `${name}.weight`, shape: [units + 1, levels], initial: { kind: 'values', values } },
    { name: `${name}.bias`, shape: [1, levels], initial: { kind: 'constant', value: 0 } },
  ]
}

export interface SoftmaxNodes {
  /** log P of each level, [B, L]. */
  logs: Node
  /** What the head's decode takes, [B, 1]: the expected level above the lowest, or the probability of what is asked for. */
  level: Node
}

/** latent [B, 1]; hidden [B, T] behind its activation; shares [1, L]: f. */
export function softmaxNodes(
  g: GraphBuilder,
  { latent, hidden, shares }: { latent: Node; hidden: Node; shares: Node },
  parameter: (name: string) => Node,
  values: readonly number[],
): SoftmaxNodes {
  const levels = values.length
  const linear = g.matMul(g.concat([hidden, latent], 1), parameter('weight'))
  const logits = g.add(linear, g.add(parameter('bias'), shares))
  const from = g.sub(logits, g.stopGradient(highest(g, logits, levels)))
  const exponentials = g.exp(from)
  const sum = g.sum(exponentials, [1], true)
  const column = g.constant(Float32Array.from(values), [levels, 1])
  return { logs: g.sub(from, g.log(sum)), level: g.div(g.matMul(exponentials, column), sum) }
}

/** [B, L] → [B, 1], halving; where L is odd the halves overlap. */
function highest(g: GraphBuilder, logits: Node, levels: number): Node {
  let node = logits
  for (let width = levels; width > 1; ) {
    const half = Math.ceil(width / 2)
    node = g.maximum(g.slice(node, 1, 0, half), g.slice(node, 1, width - half, half))
    width = half
  }
  return node
}

/** chosen [B, L] → summed loss, shape [1]. */
export function softmaxLoss(g: GraphBuilder, { logs }: SoftmaxNodes, chosen: Node): Node {
  return g.reshape(g.neg(g.sum(g.mul(chosen, logs))), [1])
}

/** encode gives the level's index, for the one-hot row; decode takes what the graph computed. State: labels by level, decayed. */
export class SoftmaxHead implements Head {
  readonly kind = 'softmax'
  readonly shift = 0
  readonly precision = 1
  readonly state: Float64Array
  readonly #lowest: number
  readonly #isClasses: boolean

  constructor(task: TaskConfig) {
    const levels = softmaxLevels(task)
    this.#isClasses = task.head === 'categorical'
    this.#lowest = Math.round(task.range?.[0] ?? 0)
    this.state = new Float64Array(levels).fill(START_LABELS / levels)
  }

  /** [L]: f. */
  logShares(): Float32Array {
    const labels = this.state.reduce((sum, count) => sum + count, 0)
    return Float32Array.from(this.state, count => Math.log(count / labels))
  }

  prepare(): void {}

  encode(label: number): number {
    if (this.#isClasses) return classOfLabel(label)
    return Math.min(Math.max(Math.round(label) - this.#lowest, 0), this.state.length - 1)
  }

  decode(level: number): number {
    // Rounding may carry the expected level an ulp beyond the last one.
    return this.#lowest + Math.min(level, this.#isClasses ? 1 : this.state.length - 1)
  }

  observe({ labels, mask, n, tasks, task }: LabelColumn): void {
    const levels = new Float64Array(this.state.length)
    let count = 0
    for (let at = task; at < n * tasks; at += tasks) {
      if (((mask[at] ?? 0) & MASK_COUNTED) === 0) continue
      const level = this.encode(labels[at] ?? 0)
      levels[level] = (levels[level] ?? 0) + 1
      count++
    }
    const keep = Math.exp(-count / MEMORY_LABELS)
    for (const [level, labelled] of levels.entries()) this.state[level] = (this.state[level] ?? 0) * keep + labelled
  }
}
