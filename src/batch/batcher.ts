/**
 * Collects rows to score and matured examples until they are sent to the learning worker.
 *
 * The pipeline sends scores before examples whenever it sends anything: an impression is then scored by the model of all
 * steps that were sent before its arrival. What is sent when depends on counts and event time (tick); linger is wall
 * time, for live streams, and the journal records what it did. One take gives at most one command's worth (maxScores,
 * maxExamples); at a tick the pipeline takes until nothing waits.
 */
import type { Config } from '../config/schema.js'
import type { LoadedState, PartState } from '../domain/state.js'
import type { Clock } from '../std/clock.js'
import { ExampleQueue, type Examples } from './example-queue.kernel.js'

export type { Examples }

export class Batcher {
  readonly #config: Config['batch']
  readonly #clock: Clock
  readonly #scores = new ExampleQueue(0)
  readonly #examples: ExampleQueue
  readonly #none = { labels: new Float32Array(0), mask: new Uint8Array(0) }
  #tick = Number.NEGATIVE_INFINITY
  #scoresSinceMs = 0
  #examplesSinceMs = 0

  constructor(config: Config['batch'], tasks: number, clock: Clock) {
    this.#config = config
    this.#clock = clock
    this.#examples = new ExampleQueue(tasks)
  }

  /** Rows that wait for their score. */
  get scores(): number {
    return this.#scores.size
  }

  /** Examples that wait to be learned. */
  get examples(): number {
    return this.#examples.size
  }

  get scoreDue(): boolean {
    return this.#scores.size >= this.#config.maxScores
  }

  get learnDue(): boolean {
    return this.#examples.size >= this.#config.maxExamples
  }

  /** When (monotonic milliseconds) the oldest of what waits was added, for linger; undefined if nothing waits. */
  get oldestWaitingSinceMs(): number | undefined {
    if (this.#scores.size === 0) return this.#examples.size === 0 ? undefined : this.#examplesSinceMs
    return this.#examples.size === 0 ? this.#scoresSinceMs : Math.min(this.#scoresSinceMs, this.#examplesSinceMs)
  }

  addScore(row: number): void {
    if (this.#scores.size === 0) this.#scoresSinceMs = this.#clock.monotonicMs()
    this.#scores.push(row, this.#none.labels, this.#none.mask, false, 0)
  }

  /** labels, mask: [tasks], copied. */
  addExample(row: number, labels: Float32Array, mask: Uint8Array, fresh: boolean, impressionTimeMs: number): void {
    if (this.#examples.size === 0) this.#examplesSinceMs = this.#clock.monotonicMs()
    this.#examples.push(row, labels, mask, fresh, impressionTimeMs)
  }

  /**
   * Whether event time has entered a later tick since the last call: what waits is to be sent before the record at this
   * time is handled. A record of an earlier tick (late, out of order) says nothing; the first record only sets the tick.
   */
  tickDue(eventTimeMs: number): boolean {
    const tick = Math.floor(eventTimeMs / this.#config.tick)
    if (!(tick > this.#tick)) return false
    const isFirst = this.#tick === Number.NEGATIVE_INFINITY
    this.#tick = tick
    return !isFirst
  }

  /** At most maxScores rows, first come first; a fresh array. */
  takeScores(): Int32Array {
    return this.#scores.take(this.#config.maxScores).rows
  }

  /** At most maxExamples, first come first; fresh arrays. */
  takeExamples(): Examples {
    return this.#examples.take(this.#config.maxExamples)
  }

  /** The rows that belong to the saved state, in its order: those to score, then those to learn. */
  waitingRows(): Int32Array {
    const scores = this.#scores.peek().rows
    const examples = this.#examples.peek().rows
    const rows = new Int32Array(scores.length + examples.length)
    rows.set(scores)
    rows.set(examples, scores.length)
    return rows
  }

  /** Holds no row numbers: the rows are those of waitingRows(). */
  saveState(): PartState {
    const { labels, mask, fresh, impressionTimesMs } = this.#examples.peek()
    return {
      meta: { tick: this.#tick === Number.NEGATIVE_INFINITY ? null : this.#tick, scores: this.#scores.size },
      arrays: { labels, mask, fresh, impressionTimesMs },
    }
  }

  /** rows: new rows for the old ones of waitingRows(). Waiting in wall time starts anew. */
  loadState(state: LoadedState, rows: Int32Array): void {
    const meta = state.meta as { tick: number | null; scores: number }
    this.#tick = meta.tick ?? Number.NEGATIVE_INFINITY
    for (const row of rows.subarray(0, meta.scores)) this.addScore(row)
    this.#examples.load({
      rows: rows.subarray(meta.scores),
      labels: state.arrays.labels as Float32Array,
      mask: state.arrays.mask as Uint8Array,
      fresh: state.arrays.fresh as Uint8Array,
      impressionTimesMs: state.arrays.impressionTimesMs as Float64Array,
    })
    this.#examplesSinceMs = this.#clock.monotonicMs()
  }
}
