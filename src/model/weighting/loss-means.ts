/**
 * Fast and slow running means of the loss per label, over the steps that have labels of the task: what a stream has
 * instead of epochs. State: [K] each of fast sum, fast count, slow sum, slow count.
 */
import type { StepEvidence } from './weighting.js'

const FAST = 0.95
const SLOW = 0.995

export class LossMeans {
  static size(tasks: number): number {
    return 4 * tasks
  }

  readonly #tasks: number
  readonly #state: Float64Array

  constructor(tasks: number, state: Float64Array) {
    this.#tasks = tasks
    this.#state = state
  }

  observe({ lossSums, counts }: Pick<StepEvidence, 'lossSums' | 'counts'>): void {
    for (let k = 0; k < this.#tasks; k++) {
      const count = counts[k] ?? 0
      if (count === 0) continue
      for (const [part, keep, value] of [
        [0, FAST, lossSums[k] ?? 0],
        [1, FAST, count],
        [2, SLOW, lossSums[k] ?? 0],
        [3, SLOW, count],
      ] as const) {
        const at = part * this.#tasks + k
        this.#state[at] = keep * (this.#state[at] ?? 0) + value
      }
    }
  }

  seen(k: number): boolean {
    return this.#part(3, k) > 0
  }

  /** NaN before the first label. */
  slow(k: number): number {
    return this.#part(2, k) / this.#part(3, k)
  }

  /** fast / slow: below 1 while the loss falls; 1 before the first label. */
  ratio(k: number): number {
    const slow = this.slow(k)
    return slow > 0 ? this.#part(0, k) / this.#part(1, k) / slow : 1
  }

  #part(part: number, k: number): number {
    return this.#state[part * this.#tasks + k] ?? 0
  }
}
