/**
 * regression: Gaussian negative log-likelihood with a running variance.
 *
 *   loss = (y − μ)² / (2σ²)           value = μ = centre + scale · z, clipped to the range
 *
 * σ² is the running mean squared error of this task's own predictions, so a task in euros and a task in stars weigh the
 * same beside a cross-entropy. (Measured on ml-100k: sums with this loss repair most of what raw squared errors starve.)
 * The graph works in latent units, (y − centre) / scale: the centre is the running mean, the scale a quarter of the range
 * or, without a range, the running standard deviation. For ratings from 1 to 5 the scale is 1. Where the task has a
 * transform, y, centre and scale are of the transformed labels, and the value is transformed back.
 */
import { MASK_COUNTED } from '../../domain/example.js'
import type { GraphBuilder, Node } from '../../graph/graph.js'
import type { LabelScale } from '../label-scale.js'
import { columnTotals, type Head, type LabelColumn } from './head.js'

/** Labels after which an old label counts 1/e in centre and scale. */
const MEMORY_LABELS = 50_000
/** The error changes faster than the labels do while the model still learns. */
const ERROR_MEMORY_LABELS = 1_600
const START_LABELS = 20
/** In latent units: a task that has become predictable must not drown the others. */
const LEAST_ERROR = 1e-3

/** All [B, K]; a weight of 0 leaves the label out. */
export function regressionLoss(g: GraphBuilder, latents: Node, labels: Node, weights: Node): Node {
  return g.mul(weights, g.mul(g.square(g.sub(latents, labels)), 0.5))
}

/** Sum of (label − centre)² over the counted labels. */
function squaresAround({ labels, mask, n, tasks, task }: LabelColumn, centre: number): number {
  let sum = 0
  for (let at = task; at < n * tasks; at += tasks)
    if (((mask[at] ?? 0) & MASK_COUNTED) !== 0) sum += ((labels[at] ?? 0) - centre) ** 2
  return sum
}

export class RegressionHead implements Head {
  readonly kind = 'regression'
  readonly shift = 0
  /** Labels, centre, variance of the labels; labels and mean of the squared error in latent units. */
  readonly state: Float64Array
  readonly #range: readonly [number, number] | undefined
  /** As the labels are learned. */
  readonly #learnedRange: readonly [number, number] | undefined
  readonly #transform: LabelScale | undefined

  constructor(range: readonly [number, number] | undefined, transform?: LabelScale) {
    this.#range = range
    this.#transform = transform
    const learned = range && transform ? ([transform.to(range[0]), transform.to(range[1])] as const) : range
    this.#learnedRange = learned
    this.state =
      learned === undefined
        ? Float64Array.of(0, 0, 1, START_LABELS, 1)
        : Float64Array.of(
            START_LABELS,
            (learned[0] + learned[1]) / 2,
            ((learned[1] - learned[0]) / 4) ** 2,
            START_LABELS,
            1,
          )
  }

  get centre(): number {
    return this.state[1] ?? 0
  }

  get scale(): number {
    if (this.#learnedRange !== undefined) return (this.#learnedRange[1] - this.#learnedRange[0]) / 4
    return Math.sqrt(this.state[2] ?? 1)
  }

  get precision(): number {
    return 1 / Math.max(this.state[4] ?? 1, LEAST_ERROR)
  }

  prepare(natural: LabelColumn): void {
    if (this.state[0] !== 0) return
    const column = this.#transformed(natural)
    const { count, sum } = columnTotals(column)
    if (count === 0) return
    const centre = sum / count
    const variance = squaresAround(column, centre) / count
    this.state[1] = centre
    this.state[2] = variance > 0 ? variance : Math.max(centre ** 2, 1)
  }

  encode(label: number): number {
    return this.#latent(this.#transform === undefined ? label : this.#transform.to(label))
  }

  decode(latent: number): number {
    const learned = this.centre + this.scale * latent
    const value = this.#transform === undefined ? learned : this.#transform.from(learned)
    if (this.#range === undefined) return value
    return Math.min(Math.max(value, this.#range[0]), this.#range[1])
  }

  observe(natural: LabelColumn, latents: Float32Array): void {
    const column = this.#transformed(natural)
    const { count, sum } = columnTotals(column)
    if (count === 0) return
    this.#observeErrors(column, latents, count)
    const [before = 0, centre = 0, variance = 1] = this.state
    const kept = before * Math.exp(-count / MEMORY_LABELS)
    const labels = kept + count
    const moved = centre + (count * (sum / count - centre)) / labels
    // The old spread around the new centre, and the new labels' own.
    const spread = kept * (variance + (centre - moved) ** 2) + squaresAround(column, moved)
    this.state[0] = labels
    this.state[1] = moved
    this.state[2] = Math.max(spread / labels, 1e-12)
  }

  #latent(learned: number): number {
    return (learned - this.centre) / this.scale
  }

  #transformed(column: LabelColumn): LabelColumn {
    const transform = this.#transform
    return transform === undefined ? column : { ...column, labels: column.labels.map(transform.to) }
  }

  #observeErrors({ labels, mask, n, tasks, task }: LabelColumn, latents: Float32Array, count: number): void {
    let squares = 0
    for (let at = task; at < n * tasks; at += tasks) {
      if (((mask[at] ?? 0) & MASK_COUNTED) !== 0) squares += (this.#latent(labels[at] ?? 0) - (latents[at] ?? 0)) ** 2
    }
    const [, , , before = 0, error = 1] = this.state
    const kept = before * Math.exp(-count / ERROR_MEMORY_LABELS)
    this.state[3] = kept + count
    this.state[4] = (kept * error + squares) / (kept + count)
  }
}
