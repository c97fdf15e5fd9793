/**
 * Packs a batch's labels, masks and task weights into the arrays that the train graph reads (see step-graph.ts), in
 * buffers that are reused from step to step. A masked label becomes 0 with weight 0, whatever it held.
 */
import { MASK_COUNTED, MASK_TAKEN_BACK } from '../domain/example.js'
import type { Head } from './heads/head.js'
import type { OwnBits } from './losses.js'

/** Of the product of a funnel's way. */
const ENTIRE_SPACE: OwnBits = { learned: MASK_COUNTED, takenBack: MASK_TAKEN_BACK }

export interface LabelRows {
  /** [n, tasks] */
  labels: Float32Array
  binaryWeights: Float32Array
  binaryTargets: Float32Array
  numericWeights: Float32Array
  /** [n, funnel tasks] */
  jointWeights: Float32Array
  jointTargets: Float32Array
  /** By task; [n, levels − 1] each. */
  above: Map<number, Float32Array>
  below: Map<number, Float32Array>
  /** By task; [n, levels] each. */
  chosen: Map<number, Float32Array>
}

export interface PackedTask {
  head: Head
  /** Ordinal tasks: levels − 1, else 0. */
  thresholds: number
  /** Of a softmax; else 0. */
  levels: number
  /** Bits of the mask that count for the head's own loss. */
  bits: OwnBits
  /** Column of `jointWeights`, or -1. */
  joint: number
}

export class LabelPacker {
  readonly #tasks: readonly PackedTask[]
  readonly #joints: number
  #capacity = 0
  #labels = new Float32Array(0)
  #binaryWeights = new Float32Array(0)
  #binaryTargets = new Float32Array(0)
  #numericWeights = new Float32Array(0)
  #jointWeights = new Float32Array(0)
  #jointTargets = new Float32Array(0)
  readonly #above = new Map<number, Float32Array>()
  readonly #below = new Map<number, Float32Array>()
  readonly #chosen = new Map<number, Float32Array>()

  constructor(tasks: readonly PackedTask[]) {
    this.#tasks = tasks
    this.#joints = tasks.filter(({ joint }) => joint >= 0).length
  }

  /** factors: [n, tasks] on the weight of each label; absent: 1. */
  pack(labels: Float32Array, mask: Uint8Array, n: number, weights: Float64Array, factors?: Float32Array): LabelRows {
    this.#grow(n)
    const tasks = this.#tasks.length
    const end = n * tasks
    for (let k = 0; k < tasks; k++) {
      const { head, bits, joint } = this.#tasks[k]!
      const weight = weights[k]! * head.precision
      const numeric = head.kind === 'regression' ? weight : 0
      for (let at = k; at < end; at += tasks) {
        const counted = (mask[at]! & MASK_COUNTED) !== 0
        this.#labels[at] = counted && head.kind === 'regression' ? head.encode(labels[at]!) : 0
        this.#numericWeights[at] = counted ? numeric : 0
      }
      const from = { labels, mask, n, tasks, task: k, weight }
      if (head.kind === 'binary')
        packBinary(from, bits, { weights: this.#binaryWeights, targets: this.#binaryTargets, width: tasks, column: k })
      if (head.kind === 'ordinal') this.#packLevels(k, labels, mask, n, weight)
      if (head.kind === 'softmax') this.#packChosen(k, labels, mask, n, weight)
      if (joint >= 0) {
        const into = { weights: this.#jointWeights, targets: this.#jointTargets, width: this.#joints, column: joint }
        packBinary(from, ENTIRE_SPACE, into)
      }
    }
    if (factors !== undefined) this.#scale(n, factors)
    const view = (of: Map<number, Float32Array>) =>
      new Map([...of].map(([k, array]) => [k, array.subarray(0, n * this.#tasks[k]!.thresholds)]))
    return {
      labels: this.#labels.subarray(0, end),
      binaryWeights: this.#binaryWeights.subarray(0, end),
      binaryTargets: this.#binaryTargets.subarray(0, end),
      numericWeights: this.#numericWeights.subarray(0, end),
      jointWeights: this.#jointWeights.subarray(0, n * this.#joints),
      jointTargets: this.#jointTargets.subarray(0, n * this.#joints),
      above: view(this.#above),
      below: view(this.#below),
      chosen: new Map([...this.#chosen].map(([k, array]) => [k, array.subarray(0, n * this.#tasks[k]!.levels)])),
    }
  }

  /** Weights and targets of every loss of a label, times its factor. */
  #scale(n: number, factors: Float32Array): void {
    const tasks = this.#tasks.length
    for (let k = 0; k < tasks; k++) {
      const { joint } = this.#tasks[k]!
      const levels = [this.#above.get(k), this.#below.get(k), this.#chosen.get(k)]
      for (let i = 0; i < n; i++) {
        const at = i * tasks + k
        const factor = factors[at]!
        if (factor === 1) continue
        for (const of of [this.#binaryWeights, this.#binaryTargets, this.#numericWeights]) of[at] = of[at]! * factor
        if (joint >= 0)
          for (const of of [this.#jointWeights, this.#jointTargets])
            of[i * this.#joints + joint] = of[i * this.#joints + joint]! * factor
        for (const of of levels) {
          if (of === undefined) continue
          const width = of === levels[2] ? this.#tasks[k]!.levels : this.#tasks[k]!.thresholds
          for (let j = i * width; j < (i + 1) * width; j++) of[j] = of[j]! * factor
        }
      }
    }
  }

  #packLevels(k: number, labels: Float32Array, mask: Uint8Array, n: number, weight: number): void {
    const tasks = this.#tasks.length
    const { head, thresholds } = this.#tasks[k]!
    const above = this.#above.get(k)!
    const below = this.#below.get(k)!
    above.fill(0, 0, n * thresholds)
    below.fill(0, 0, n * thresholds)
    for (let i = 0; i < n; i++) {
      const at = i * tasks + k
      if ((mask[at]! & MASK_COUNTED) === 0) continue
      const level = head.encode(labels[at]!)
      // A label that is not a number must show in the loss; rounding it to a level would hide it.
      if (Number.isNaN(level)) below[i * thresholds] = Number.NaN
      if (level > 0) above[i * thresholds + level - 1] = weight
      if (level < thresholds) below[i * thresholds + level] = weight
    }
  }

  #packChosen(k: number, labels: Float32Array, mask: Uint8Array, n: number, weight: number): void {
    const tasks = this.#tasks.length
    const { head, levels } = this.#tasks[k]!
    const chosen = this.#chosen.get(k)!
    chosen.fill(0, 0, n * levels)
    for (let i = 0; i < n; i++) {
      const at = i * tasks + k
      if ((mask[at]! & MASK_COUNTED) === 0) continue
      const level = head.encode(labels[at]!)
      if (Number.isNaN(level)) chosen[i * levels] = Number.NaN
      else chosen[i * levels + level] = weight
    }
  }

  #grow(n: number): void {
    if (n <= this.#capacity) return
    this.#capacity = Math.max(n, 2 * this.#capacity)
    const size = this.#capacity * this.#tasks.length
    this.#labels = new Float32Array(size)
    this.#binaryWeights = new Float32Array(size)
    this.#binaryTargets = new Float32Array(size)
    this.#numericWeights = new Float32Array(size)
    this.#jointWeights = new Float32Array(this.#capacity * this.#joints)
    this.#jointTargets = new Float32Array(this.#capacity * this.#joints)
    for (const [k, { thresholds, levels }] of this.#tasks.entries()) {
      if (levels > 0) this.#chosen.set(k, new Float32Array(this.#capacity * levels))
      if (thresholds === 0) continue
      this.#above.set(k, new Float32Array(this.#capacity * thresholds))
      this.#below.set(k, new Float32Array(this.#capacity * thresholds))
    }
  }
}

interface BinaryColumn {
  labels: Float32Array
  mask: Uint8Array
  n: number
  tasks: number
  task: number
  weight: number
}

/** One column of weights and targets (see heads/binary.ts), for one loss of a binary task. */
function packBinary(
  { labels, mask, n, tasks, task, weight }: BinaryColumn,
  { learned, takenBack }: OwnBits,
  { weights, targets, width, column }: { weights: Float32Array; targets: Float32Array; width: number; column: number },
): void {
  for (let i = 0; i < n; i++) {
    const from = i * tasks + task
    const to = i * width + column
    const bits = mask[from]!
    weights[to] = (bits & learned) !== 0 ? weight : 0
    targets[to] = (bits & (learned | takenBack)) !== 0 ? weight * labels[from]! : 0
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

/**
 * latents [n, tasks] and derived [n, those tasks whose value does not follow from their latent alone] → natural units, in
 * `into`. derivedColumns: by task, its column of derived or -1.
 */
export function decodeLatents(
  latents: Float32Array,
  derived: Float32Array,
  heads: readonly Head[],
  derivedColumns: readonly number[],
  n: number,
  into: Float32Array,
): void {
  const tasks = heads.length
  const width = derivedColumns.filter(column => column >= 0).length
  for (let k = 0; k < tasks; k++) {
    const head = heads[k]!
    const column = derivedColumns[k]!
    if (column >= 0) for (let i = 0; i < n; i++) into[i * tasks + k] = head.decode(derived[i * width + column]!)
    else for (let at = k; at < n * tasks; at += tasks) into[at] = head.decode(latents[at]!)
  }
}
