/**
 * How far the labels of numeric tasks lie apart in one window: the error that always saying their mean would make, beside
 * which the model's error means something. Looks at the labels that are learned; a few additions each.
 */
export class LabelSpread {
  readonly #tasks: { name: string; index: number; count: number; sum: number; squares: number }[]
  readonly #width: number

  /** numeric: which of the tasks. */
  constructor(names: readonly string[], numeric: (index: number) => boolean) {
    this.#width = names.length
    this.#tasks = names
      .map((name, index) => ({ name, index, count: 0, sum: 0, squares: 0 }))
      .filter(({ index }) => numeric(index))
  }

  /** labels, mask: [n, tasks] */
  add(labels: Float32Array, mask: Uint8Array): void {
    for (const task of this.#tasks) {
      for (let at = task.index; at < mask.length; at += this.#width) {
        if ((mask[at] ?? 0) === 0) continue
        const label = labels[at] ?? 0
        task.count++
        task.sum += label
        task.squares += label * label
      }
    }
  }

  /** Standard deviation by task, of tasks that had labels; the next window begins. */
  take(): Map<string, number> {
    const deviations = new Map<string, number>()
    for (const task of this.#tasks) {
      const { name, count, sum, squares } = task
      if (count > 1) deviations.set(name, Math.sqrt(Math.max(0, squares / count - (sum / count) ** 2)))
      Object.assign(task, { count: 0, sum: 0, squares: 0 })
    }
    return deviations
  }
}
