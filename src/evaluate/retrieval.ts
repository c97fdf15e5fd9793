/**
 * Progressive validation of the next item: where the item that came stood in the ranking of the whole catalogue that was
 * made before it was learned. An item that nobody had before can not be in the ranking; it is a miss, and counts.
 *
 * Sums only, of each ranker and split: totals from `evaluate.after` on, and the window since closeWindow().
 */
import { MillraceError } from '../domain/errors.js'
import type { LoadedState, PartState, Stateful } from '../domain/state.js'
import { addRank, RANK_SUMS, rankCount, rankFigures, rankHits } from './metrics/rank-sums.js'
import type { Split, TaskMetrics } from './metrics/task-metrics.js'

const SPLITS = ['all', 'new', 'repeated'] as const
type RankSplit = (typeof SPLITS)[number]

/** Name of the ranker's figures: 'next-item', 'next-item.popularity'. No task can be called so. */
export const RETRIEVAL_TASK = 'next-item'

/** rankers: the model's own first. */
export const rankerTasks = (rankers: readonly string[]): string[] =>
  rankers.map((ranker, index) => (index === 0 ? RETRIEVAL_TASK : `${RETRIEVAL_TASK}.${ranker}`))

export class RetrievalMetrics implements Stateful {
  readonly #rankers: readonly string[]
  readonly #tasks: readonly string[]
  /** [rankers, splits, SUMS] */
  readonly #totals: Float64Array
  readonly #window: Float64Array

  /** rankers: the model's own first. */
  constructor(rankers: readonly string[]) {
    this.#rankers = rankers
    this.#tasks = rankerTasks(rankers)
    this.#totals = new Float64Array(rankers.length * SPLITS.length * RANK_SUMS)
    this.#window = new Float64Array(this.#totals.length)
  }

  /** rank: 1 = first, Infinity = not in the list. counts: in the totals too. */
  add(ranker: string, split: RankSplit, rank: number, counts: boolean): void {
    const at = (this.#rankers.indexOf(ranker) * SPLITS.length + SPLITS.indexOf(split)) * RANK_SUMS
    if (at < 0) return
    addRank(this.#window, at, rank)
    if (counts) addRank(this.#totals, at, rank)
  }

  windowMetrics(): TaskMetrics[] {
    return this.#rankers.map((_, ranker) => this.#metrics(this.#window, ranker, 'all'))
  }

  closeWindow(): void {
    this.#window.fill(0)
  }

  /** One entry a ranker and split; a split without events has count 0. */
  totals(): TaskMetrics[] {
    return this.#rankers.flatMap((_, ranker) => SPLITS.map(split => this.#metrics(this.#totals, ranker, split)))
  }

  saveState(): PartState {
    return { meta: { rankers: [...this.#rankers] }, arrays: { totals: this.#totals, window: this.#window } }
  }

  loadState(state: LoadedState): void {
    const { rankers } = state.meta as { rankers: string[] }
    if (rankers.join() !== this.#rankers.join()) {
      throw new MillraceError('CHECKPOINT_INCOMPATIBLE', `the saved top-N metrics are of ${rankers.join(', ')}`)
    }
    this.#totals.set(state.arrays.totals as Float64Array)
    this.#window.set(state.arrays.window as Float64Array)
  }

  #metrics(sums: Float64Array, ranker: number, split: Split & RankSplit): TaskMetrics {
    const at = (ranker * SPLITS.length + SPLITS.indexOf(split)) * RANK_SUMS
    return {
      task: this.#tasks[ranker] ?? RETRIEVAL_TASK,
      split,
      count: rankCount(sums, at),
      positives: rankHits(sums, at),
      values: rankFigures(sums, at),
    }
  }
}
