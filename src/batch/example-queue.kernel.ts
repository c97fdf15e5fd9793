/** A first-in first-out queue of examples as columns: pushed one by one, taken many at a time as fresh arrays. */
export interface Examples {
  /** [n] */
  rows: Int32Array
  /** [n, tasks] */
  labels: Float32Array
  /** [n, tasks] 1 = this label counts */
  mask: Uint8Array
  /** [n] 1 = never scored before */
  fresh: Uint8Array
  /** [n] */
  impressionTimesMs: Float64Array
}

export class ExampleQueue {
  readonly #tasks: number
  #columns: Examples
  #head = 0
  #tail = 0

  constructor(tasks: number) {
    this.#tasks = tasks
    this.#columns = this.#allocate(256)
  }

  get size(): number {
    return this.#tail - this.#head
  }

  push(row: number, labels: Float32Array, mask: Uint8Array, fresh: boolean, impressionTimeMs: number): void {
    if (this.#tail === this.#columns.rows.length) this.#makeRoom()
    const at = this.#tail++
    const columns = this.#columns
    columns.rows[at] = row
    columns.fresh[at] = fresh ? 1 : 0
    columns.impressionTimesMs[at] = impressionTimeMs
    for (let task = 0; task < this.#tasks; task++) {
      columns.labels[at * this.#tasks + task] = labels[task]!
      columns.mask[at * this.#tasks + task] = mask[task]!
    }
  }

  /** The oldest, at most `count`, taken out; copies. */
  take(count: number): Examples {
    const end = Math.min(this.#tail, this.#head + count)
    const taken = this.#copy(this.#head, end)
    this.#head = end
    if (this.#head === this.#tail) {
      this.#head = 0
      this.#tail = 0
    }
    return taken
  }

  /** All that wait, left in; copies. */
  peek(): Examples {
    return this.#copy(this.#head, this.#tail)
  }

  /** Replaces all that wait; copies. */
  load(examples: Examples): void {
    this.#head = 0
    this.#tail = examples.rows.length
    this.#columns = this.#allocate(Math.max(256, this.#tail))
    this.#fill(examples)
  }

  /** Moves what waits to the front of columns with as much room again, so that pushing stays cheap on average. */
  #makeRoom(): void {
    const waiting = this.peek()
    this.#head = 0
    this.#tail = waiting.rows.length
    if (this.#tail * 2 > this.#columns.rows.length) this.#columns = this.#allocate(this.#columns.rows.length * 2)
    this.#fill(waiting)
  }

  #fill(examples: Examples): void {
    this.#columns.rows.set(examples.rows)
    this.#columns.labels.set(examples.labels)
    this.#columns.mask.set(examples.mask)
    this.#columns.fresh.set(examples.fresh)
    this.#columns.impressionTimesMs.set(examples.impressionTimesMs)
  }

  #copy(start: number, end: number): Examples {
    const { rows, labels, mask, fresh, impressionTimesMs } = this.#columns
    return {
      rows: rows.slice(start, end),
      labels: labels.slice(start * this.#tasks, end * this.#tasks),
      mask: mask.slice(start * this.#tasks, end * this.#tasks),
      fresh: fresh.slice(start, end),
      impressionTimesMs: impressionTimesMs.slice(start, end),
    }
  }

  #allocate(places: number): Examples {
    return {
      rows: new Int32Array(places),
      labels: new Float32Array(places * this.#tasks),
      mask: new Uint8Array(places * this.#tasks),
      fresh: new Uint8Array(places),
      impressionTimesMs: new Float64Array(places),
    }
  }
}
