/**
 * How much each label of a step counts in the network's loss, by how many events the example's user and item had had: a static
 * factor on the task's weight (tasks[].segments). A task without segments has factors of 1.
 */
import type { TaskConfig } from '../config/schema.js'
import { ITEM_BAND_SHIFT, USER_BAND_SHIFT } from '../features/columns.js'

export class Segments {
  /** By task and side, a factor a band; undefined: all 1. */
  readonly #tasks: readonly { user: readonly number[] | undefined; item: readonly number[] | undefined }[]
  #factors = new Float32Array(0)

  constructor(tasks: readonly TaskConfig[]) {
    this.#tasks = tasks.map(({ segments }) => ({ user: segments?.user, item: segments?.item }))
  }

  /** flags: [n], see features/columns.ts. → [n, tasks], valid until the next call. */
  factors(flags: Uint8Array, n: number): Float32Array {
    const width = this.#tasks.length
    if (this.#factors.length < n * width) this.#factors = new Float32Array(n * width * 2)
    for (let i = 0; i < n; i++) {
      const user = (flags[i]! >> USER_BAND_SHIFT) & 7
      const item = (flags[i]! >> ITEM_BAND_SHIFT) & 7
      for (let t = 0; t < width; t++) {
        const task = this.#tasks[t]!
        this.#factors[i * width + t] = (task.user?.[user] ?? 1) * (task.item?.[item] ?? 1)
      }
    }
    return this.#factors.subarray(0, n * width)
  }
}
