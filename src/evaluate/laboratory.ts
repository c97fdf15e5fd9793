/**
 * What `evaluate` finds out beside progressive validation, on the main thread: sampling intervals. It watches rows come
 * and scores be judged, in the order of the log and of the answers, and gives nothing back: what is learned, and every
 * figure that the run has without it, is the same with it. Not part of a checkpoint; only a run that writes nothing has one.
 */
import type { Config, TaskConfig } from '../config/schema.js'
import { MASK_JUDGED } from '../domain/example.js'
import { RETRIEVAL_TASK } from './retrieval.js'
import { type LineKind, type SampledRun, Sampling } from './sampling/sampling.js'

export interface JudgedBatch {
  /** [n] */
  rows: Int32Array
  /** [n, tasks] natural units */
  labels: Float32Array
  /** [n, tasks] see domain/example.ts */
  mask: Uint8Array
  /** [n] */
  impressionTimesMs: Float64Array
}

export interface Findings {
  sampled: SampledRun | undefined
}

export class Laboratory {
  readonly #tasks: readonly TaskConfig[]
  readonly #rankers: readonly string[]
  readonly #sampling: Sampling | undefined
  /** Key of the user of each row. [rows, 2] */
  #users = new Uint32Array(0)

  /** rankers: of the next item, the model's own first; empty without top-N. */
  constructor({ tasks, evaluate }: Pick<Config, 'tasks' | 'evaluate'>, rankers: readonly string[]) {
    this.#tasks = tasks
    this.#rankers = rankers
    const lines = [
      ...tasks.map(task => ({ name: task.name, kind: kindOf(task) })),
      ...rankers.map((ranker, index) => ({
        name: index === 0 ? RETRIEVAL_TASK : `${RETRIEVAL_TASK}.${ranker}`,
        kind: 'ranks' as const,
      })),
    ]
    if (evaluate.interval !== 'none') this.#sampling = new Sampling(evaluate.interval, lines)
  }

  /** A row that came: the key of its user. */
  arrive(row: number, lo: number, hi: number): void {
    if (row * 2 >= this.#users.length) {
      const longer = new Uint32Array(Math.max(8192, row * 4))
      longer.set(this.#users)
      this.#users = longer
    }
    this.#users[row * 2] = lo
    this.#users[row * 2 + 1] = hi
  }

  /** values: [n, tasks] the scores that are judged; countFromMs: impressions before it do not count. */
  judged({ rows, labels, mask, impressionTimesMs }: JudgedBatch, values: Float32Array, countFromMs: number): void {
    const width = this.#tasks.length
    for (let i = 0; i < rows.length; i++) {
      const timeMs = impressionTimesMs[i] ?? 0
      if (timeMs < countFromMs) continue
      const row = rows[i] ?? 0
      for (let task = 0; task < width; task++) {
        const at = i * width + task
        if (((mask[at] ?? 0) & MASK_JUDGED) === 0) continue
        this.#sampling?.example(this.#users[row * 2] ?? 0, this.#users[row * 2 + 1] ?? 0, timeMs)
        this.#sampling?.add(task, values[at] ?? 0, labels[at] ?? 0)
      }
    }
  }

  /** Where the item that came stood in a ranker's list, for the user of this key. */
  ranked(ranker: string, rank: number, lo: number, hi: number, eventTimeMs: number): void {
    if (this.#sampling === undefined) return
    this.#sampling.example(lo, hi, eventTimeMs)
    this.#sampling.addRank(this.#tasks.length + this.#rankers.indexOf(ranker), rank)
  }

  findings(): Findings {
    return { sampled: this.#sampling?.result() }
  }
}

function kindOf(task: TaskConfig): LineKind {
  return task.head === 'binary' ? 'binary' : 'numeric'
}
