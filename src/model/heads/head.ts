/**
 * Contract of a head's host side. Each task has one; it turns labels into what the graph compares with the latent output z
 * (`encode`), z into natural units (`decode`), and keeps the running statistics that this needs.
 *
 * A step calls, in order: prepare (once, before anything is encoded), then reads shift and precision and calls encode and
 * decode for the rows, and at last observe. So every statistic that a step uses comes from earlier steps, except that a
 * numeric task without a range takes its first centre and scale from its first labels.
 *
 * `state` is the whole state: a fixed number of doubles, written into the checkpoint as they are.
 */
export interface Head {
  readonly kind: 'binary' | 'regression' | 'ordinal' | 'softmax'
  /** Added to the offset of this task: where z = 0 stands. */
  readonly shift: number
  /** Factor on the loss of one label. */
  readonly precision: number
  readonly state: Float64Array
  prepare(labels: LabelColumn): void
  encode(label: number): number
  decode(latent: number): number
  /** `latents` as predicted before the update. */
  observe(labels: LabelColumn, latents: Float32Array): void
}

/** Labels of one task within arrays [n, tasks]. */
export interface LabelColumn {
  /** Of the mask: those of labels in the entire space, or of the step for a head that learns only where the funnel got so far. */
  bits: { learned: number; takenBack: number }
  labels: Float32Array
  mask: Uint8Array
  n: number
  tasks: number
  task: number
}

/**
 * Sum and number of the counted labels; one that is taken back was counted before, as 0. A masked label may hold anything,
 * also NaN.
 */
export function columnTotals({ labels, mask, n, tasks, task, bits }: LabelColumn): { count: number; sum: number } {
  let count = 0
  let sum = 0
  for (let at = task; at < n * tasks; at += tasks) {
    const own = mask[at] ?? 0
    if ((own & bits.learned) !== 0) count++
    else if ((own & bits.takenBack) === 0) continue
    sum += labels[at] ?? 0
  }
  return { count, sum }
}
