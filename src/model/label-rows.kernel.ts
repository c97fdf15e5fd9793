/**
 * Packs a batch's labels, masks and task weights into the arrays that the train graph reads (see step-graph.ts), in
 * buffers that are reused from step to step. A masked label becomes 0 with weight 0, whatever it held.
 */
import type { Head } from './heads/head.js'

export interface LabelRows {
  /** [n, tasks] */
  labels: Float32Array
  binaryWeights: Float32Array
  numericWeights: Float32Array
  /** By task; [n, levels − 1] each. */
  above: Map<number, Float32Array>
  below: Map<number, Float32Array>
}

export class LabelPacker {
  readonly #heads: readonly Head[]
  /** By task: levels − 1 of ordinal tasks, else 0. */
  readonly #thresholds: readonly number[]
  #capacity = 0
  #labels = new Float32Array(0)
  #binaryWeights = new Float32Array(0)
  #numericWeights = new Float32Array(0)
  readonly #above = new Map<number, Float32Array>()
  readonly #below = new Map<number, Float32Array>()

  constructor(heads: readonly Head[], thresholds: readonly number[]) {
    this.#heads = heads
    this.#thresholds = thresholds
  }

  pack(labels: Float32Array, mask: Uint8Array, n: number, weights: Float64Array): LabelRows {
    this.#grow(n)
    const tasks = this.#heads.length
    const end = n * tasks
    for (let k = 0; k < tasks; k++) {
      const head = this.#heads[k]!
      const weight = weights[k]! * head.precision
      const binary = head.kind === 'binary' ? weight : 0
      const numeric = head.kind === 'regression' ? weight : 0
      for (let at = k; at < end; at += tasks) {
        const counted = mask[at] !== 0
        this.#labels[at] = counted && head.kind !== 'ordinal' ? head.encode(labels[at]!) : 0
        this.#binaryWeights[at] = counted ? binary : 0
        this.#numericWeights[at] = counted ? numeric : 0
      }
      if (head.kind === 'ordinal') this.#packLevels(k, labels, mask, n, weight)
    }
    const view = (of: Map<number, Float32Array>) =>
      new Map([...of].map(([k, array]) => [k, array.subarray(0, n * this.#thresholds[k]!)]))
    return {
      labels: this.#labels.subarray(0, end),
      binaryWeights: this.#binaryWeights.subarray(0, end),
      numericWeights: this.#numericWeights.subarray(0, end),
      above: view(this.#above),
      below: view(this.#below),
    }
  }

  #packLevels(k: number, labels: Float32Array, mask: Uint8Array, n: number, weight: number): void {
    const tasks = this.#heads.length
    const head = this.#heads[k]!
    const thresholds = this.#thresholds[k]!
    const above = this.#above.get(k)!
    const below = this.#below.get(k)!
    above.fill(0, 0, n * thresholds)
    below.fill(0, 0, n * thresholds)
    for (let i = 0; i < n; i++) {
      const at = i * tasks + k
      if (mask[at] === 0) continue
      const level = head.encode(labels[at]!)
      // A label that is not a number must show in the loss; rounding it to a level would hide it.
      if (Number.isNaN(level)) below[i * thresholds] = Number.NaN
      if (level > 0) above[i * thresholds + level - 1] = weight
      if (level < thresholds) below[i * thresholds + level] = weight
    }
  }

  #grow(n: number): void {
    if (n <= this.#capacity) return
    this.#capacity = Math.max(n, 2 * this.#capacity)
    const size = this.#capacity * this.#heads.length
    this.#labels = new Float32Array(size)
    this.#binaryWeights = new Float32Array(size)
    this.#numericWeights = new Float32Array(size)
    for (const [k, thresholds] of this.#thresholds.entries()) {
      if (thresholds === 0) continue
      this.#above.set(k, new Float32Array(this.#capacity * thresholds))
      this.#below.set(k, new Float32Array(this.#capacity * thresholds))
    }
  }
}

/** offset [n, tasks] plus each task's shift, in `into`. */
export function shiftOffsets(offset: Float32Array, heads: readonly Head[], n: number, into: Float32Array): void {
  const tasks = heads.length
  for (let k = 0; k < tasks; k++) {
    const { shift } = heads[k]!
    for (let at = k; at < n * tasks; at += tasks) into[at] = offset[at]! + shift
  }
}

/** latents and levels → natural units, in `into`. levels [n, ordinal tasks] in the order of the tasks. */
export function decodeLatents(
  latents: Float32Array,
  levels: Float32Array,
  heads: readonly Head[],
  n: number,
  into: Float32Array,
): void {
  const tasks = heads.length
  const ordinal = heads.filter(head => head.kind === 'ordinal').length
  let column = 0
  for (let k = 0; k < tasks; k++) {
    const head = heads[k]!
    if (head.kind === 'ordinal') {
      for (let i = 0; i < n; i++) into[i * tasks + k] = head.decode(levels[i * ordinal + column]!)
      column++
    } else {
      for (let at = k; at < n * tasks; at += tasks) into[at] = head.decode(latents[at]!)
    }
  }
}
