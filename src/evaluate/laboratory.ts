/**
 * What `evaluate` finds out beside progressive validation, on the main thread: sampling intervals, how simple
 * learners fare on the same examples, and what another order of pages would have been worth. It watches rows come, labels mature and scores be judged, in the order of the log
 * and of the answers, and gives nothing back: what is learned, and every figure that the run has without it, is the same
 * with it. Not part of a checkpoint; only a run that writes nothing has one.
 */

import type { Config, TaskConfig } from '../config/schema.js'
import { MASK_JUDGED } from '../domain/example.js'
import { isProbability } from '../domain/heads.js'
import { type ExampleColumns, SLAB_ROWS } from '../features/columns.js'
import { grown } from '../std/grown.js'
import type { Hasher } from '../std/hash.js'
import { type BaselineInput, Baselines } from './baselines/baselines.js'
import type { TaskMetrics } from './metrics/task-metrics.js'
import type { PolicyFindings } from './policy/off-policy.js'
import type { Placed } from './policy/pages.js'
import { PolicyJudge } from './policy/policy-judge.js'
import { rankerTasks } from './retrieval.js'
import { type LineKind, type SampledRun, Sampling } from './sampling/sampling.js'

interface JudgedBatch {
  /** [n] */
  rows: Int32Array
  /** [n, tasks] natural units */
  labels: Float32Array
  /** [n, tasks] see domain/example.ts */
  mask: Uint8Array
  /** [n] */
  impressionTimesMs: Float64Array
}

interface Subject extends Placed {
  user: string
  item: string
}

export interface Findings {
  sampled: SampledRun | undefined
  /** Of the heads' baselines, the split 'all'. */
  baselines: TaskMetrics[]
  policy: PolicyFindings | undefined
}

/** Words a row: the keys of user and item, two each. */
const WORDS = 4

export class Laboratory {
  readonly #tasks: readonly TaskConfig[]
  readonly #rankers: readonly string[]
  readonly #hasher: Hasher
  readonly #columns: ExampleColumns
  readonly #sampling: Sampling | undefined
  readonly #baselines: Baselines | undefined
  readonly #policy: PolicyJudge | undefined
  /** [rows, WORDS] */
  #keys = new Uint32Array(0)

  /** rankers: of the next item, the model's own first; empty without top-N. */
  constructor(
    config: Pick<Config, 'tasks' | 'features' | 'evaluate'>,
    rankers: readonly string[],
    parts: { hasher: Hasher; columns: ExampleColumns },
  ) {
    const { tasks, evaluate } = config
    this.#tasks = tasks
    this.#rankers = rankers
    this.#hasher = parts.hasher
    this.#columns = parts.columns
    this.#baselines = evaluate.baselines ? new Baselines(tasks) : undefined
    this.#policy = evaluate.policy === undefined ? undefined : new PolicyJudge(config, evaluate.policy)
    const kinds = tasks.map(kindOf)
    const lines = [
      ...tasks.map(({ name }, task) => ({ name, kind: kinds[task] ?? 'numeric' })),
      ...rankerTasks(rankers).map(name => ({ name, kind: 'ranks' as const })),
      ...(this.#baselines?.names ?? []).map((name, task) => ({ name, kind: kinds[task] ?? 'numeric' })),
    ]
    if (evaluate.interval !== 'none') this.#sampling = new Sampling(evaluate.interval, lines)
  }

  /** A row that came, with its features written. */
  arrive(row: number, subject: Subject): void {
    const { user, item } = subject
    const at = row * WORDS
    this.#keys = grown(this.#keys, at + WORDS)
    this.#hasher.text(item)
    this.#keys[at + 2] = this.#hasher.lo
    this.#keys[at + 3] = this.#hasher.hi
    this.#hasher.text(user)
    this.#keys[at] = this.#hasher.lo
    this.#keys[at + 1] = this.#hasher.hi
    if (this.#baselines !== undefined) this.#baselines.arrive(row, this.#inputOf(row))
    this.#policy?.arrive(row, subject, this.#keys[at + 2] ?? 0)
  }

  /** Labels of a row that may be learned now. [tasks] each */
  mature(row: number, labels: Float32Array, mask: Uint8Array): void {
    if (this.#baselines !== undefined) this.#baselines.learn(this.#inputOf(row), labels, mask)
  }

  /** values: [n, tasks] the scores that are judged; countFromMs: impressions before it do not count. */
  judged({ rows, labels, mask, impressionTimesMs }: JudgedBatch, values: Float32Array, countFromMs: number): void {
    const width = this.#tasks.length
    const besides = width + this.#rankers.length
    for (let i = 0; i < rows.length; i++) {
      const timeMs = impressionTimesMs[i] ?? 0
      const row = rows[i] ?? 0
      const counts = timeMs >= countFromMs
      const lo = this.#keys[row * WORDS] ?? 0
      const hi = this.#keys[row * WORDS + 1] ?? 0
      const ofReward = i * width + (this.#policy?.task ?? 0)
      if (((mask[ofReward] ?? 0) & MASK_JUDGED) !== 0)
        this.#policy?.judged(row, { values, at: i * width, label: labels[ofReward] ?? 0 }, { lo, hi, timeMs, counts })
      if (!counts) continue
      for (let task = 0; task < width; task++) {
        const at = i * width + task
        if (((mask[at] ?? 0) & MASK_JUDGED) === 0) continue
        const label = labels[at] ?? 0
        this.#sampling?.example(lo, hi, timeMs)
        this.#sampling?.add(task, values[at] ?? 0, label)
        const beside = this.#baselines?.judge(row, task, label)
        if (beside !== undefined) this.#sampling?.add(besides + task, beside, label)
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
    return {
      sampled: this.#sampling?.result(),
      baselines: this.#baselines?.totals() ?? [],
      policy: this.#policy?.result(),
    }
  }

  #inputOf(row: number): BaselineInput {
    const { keyPlaces } = this.#columns.layout
    return {
      user: this.#keys[row * WORDS] ?? 0,
      item: this.#keys[row * WORDS + 2] ?? 0,
      keys: this.#columns.slab(row).keys,
      at: (row % SLAB_ROWS) * keyPlaces * 2,
      values: keyPlaces,
    }
  }
}

function kindOf(task: TaskConfig): LineKind {
  return isProbability(task.head) ? 'binary' : 'numeric'
}
