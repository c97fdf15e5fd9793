/**
 * Collects rows to score and matured examples until they are sent to the learning worker.
 *
 * The pipeline sends scores before examples whenever it sends anything: an impression is then scored by the model of all
 * steps that were sent before its arrival. What is sent when depends on counts and event time (tick); linger is wall
 * time, for live streams, and the journal records what it did. One take gives at most one command's worth (maxScores,
 * maxExamples); at a tick the pipeline takes until nothing waits.
 *
 * With the fast part on, what waits for its score is a list of operations in the order of the log: a row is scored, a
 * label is learned by the fast part, or both; the labels wait a second time for their step. With fast.tick, labels are
 * held until event time enters a later tick.
 */
import type { Config } from '../config/schema.js'
import type { LoadedState, PartState } from '../domain/state.js'
import type { Clock } from '../std/clock.js'
import { ExampleQueue, type Examples } from './example-queue.kernel.js'

export type { Examples }

export class Batcher {
  readonly #config: Config['batch']
  readonly #clock: Clock
  /** Its tick; undefined without a fast part. */
  readonly #fastTickMs: number | undefined
  readonly #scores: ExampleQueue
  readonly #held: ExampleQueue
  readonly #examples: ExampleQueue
  readonly #none: { labels: Float32Array; mask: Uint8Array }
  #tick = Number.NEGATIVE_INFINITY
  #fastTick = Number.NEGATIVE_INFINITY
  #scoresSinceMs = 0
  #examplesSinceMs = 0

  constructor(config: Config['batch'], tasks: number, clock: Clock, fast?: { tick: number }) {
    this.#config = config
    this.#clock = clock
    this.#fastTickMs = fast?.tick
    const width = fast === undefined ? 0 : tasks
    this.#none = { labels: new Float32Array(width), mask: new Uint8Array(width) }
    this.#scores = new ExampleQueue(width)
    this.#held = new ExampleQueue(width)
    this.#examples = new ExampleQueue(tasks)
  }

  /** Rows that wait for their score, or for the fast part to learn them. */
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

  /** Whether the fast part has labels to learn that wait for their tick. */
  get isHolding(): boolean {
    return this.#held.size > 0
  }

  addScore(row: number): void {
    this.#operate(row, this.#none.labels, this.#none.mask, true)
  }

  /** labels, mask: [tasks], copied. */
  addExample(row: number, labels: Float32Array, mask: Uint8Array, fresh: boolean, impressionTimeMs: number): void {
    if (this.#examples.size === 0) this.#examplesSinceMs = this.#clock.monotonicMs()
    const isScored = this.#fastTickMs === undefined && fresh
    this.#examples.push(row, labels, mask, isScored, impressionTimeMs)
    if (this.#fastTickMs === undefined) return
    if (this.#fastTickMs === 0) this.#operate(row, labels, mask, fresh)
    else {
      if (fresh) this.addScore(row)
      this.#held.push(row, labels, mask, false, 0)
    }
  }

  /** The fast part may learn what it holds: its tick is over, or the log. */
  releaseHeld(): void {
    const { rows, labels, mask } = this.#held.take(this.#held.size)
    const width = this.#none.mask.length
    for (const [index, row] of rows.entries()) {
      const at = index * width
      this.#operate(row, labels.subarray(at, at + width), mask.subarray(at, at + width), false)
    }
  }

  /**
   * Whether event time has entered a later tick since the last call: what waits is to be sent before the record at this
   * time is handled. A record of an earlier tick (late, out of order) says nothing; the first record only sets the tick.
   */
  tickDue(eventTimeMs: number): boolean {
    if (this.#fastTickMs !== undefined && this.#fastTickMs > 0) {
      const fastTick = Math.floor(eventTimeMs / this.#fastTickMs)
      if (fastTick > this.#fastTick) {
        this.#fastTick = fastTick
        this.releaseHeld()
      }
    }
    const tick = Math.floor(eventTimeMs / this.#config.tick)
    if (!(tick > this.#tick)) return false
    const isFirst = this.#tick === Number.NEGATIVE_INFINITY
    this.#tick = tick
    return !isFirst
  }

  /** At most maxScores, first come first; fresh arrays. */
  takeScores(): Examples {
    return this.#scores.take(this.#config.maxScores)
  }

  /** At most maxExamples, first come first; fresh arrays. */
  takeExamples(): Examples {
    return this.#examples.take(this.#config.maxExamples)
  }

  /** The rows that belong to the saved state, in its order: those to score, those held, those to learn. */
  waitingRows(): Int32Array {
    const parts = [this.#scores, this.#held, this.#examples].map(queue => queue.peek().rows)
    const rows = new Int32Array(parts.reduce((sum, part) => sum + part.length, 0))
    let at = 0
    for (const part of parts) {
      rows.set(part, at)
      at += part.length
    }
    return rows
  }

  /** Holds no row numbers: the rows are those of waitingRows(). */
  saveState(): PartState {
    const operations = this.#scores.peek()
    const held = this.#held.peek()
    const { labels, mask, fresh, impressionTimesMs } = this.#examples.peek()
    return {
      meta: {
        tick: finite(this.#tick),
        fastTick: finite(this.#fastTick),
        scores: this.#scores.size,
        held: this.#held.size,
      },
      arrays: {
        labels,
        mask,
        fresh,
        impressionTimesMs,
        'operations.labels': operations.labels,
        'operations.mask': operations.mask,
        'operations.fresh': operations.fresh,
        'held.labels': held.labels,
        'held.mask': held.mask,
      },
    }
  }

  /** rows: new rows for the old ones of waitingRows(). Waiting in wall time starts anew. */
  loadState({ meta, arrays }: LoadedState, rows: Int32Array): void {
    const { tick, fastTick, scores, held } = meta as {
      tick: number | null
      fastTick: number | null
      scores: number
      held: number
    }
    this.#tick = tick ?? Number.NEGATIVE_INFINITY
    this.#fastTick = fastTick ?? Number.NEGATIVE_INFINITY
    this.#scores.load({
      rows: rows.subarray(0, scores),
      labels: arrays['operations.labels'] as Float32Array,
      mask: arrays['operations.mask'] as Uint8Array,
      fresh: arrays['operations.fresh'] as Uint8Array,
      impressionTimesMs: new Float64Array(scores),
    })
    this.#held.load({
      rows: rows.subarray(scores, scores + held),
      labels: arrays['held.labels'] as Float32Array,
      mask: arrays['held.mask'] as Uint8Array,
      fresh: new Uint8Array(held),
      impressionTimesMs: new Float64Array(held),
    })
    this.#examples.load({
      rows: rows.subarray(scores + held),
      labels: arrays.labels as Float32Array,
      mask: arrays.mask as Uint8Array,
      fresh: arrays.fresh as Uint8Array,
      impressionTimesMs: arrays.impressionTimesMs as Float64Array,
    })
    this.#scoresSinceMs = this.#clock.monotonicMs()
    this.#examplesSinceMs = this.#clock.monotonicMs()
  }

  #operate(row: number, labels: Float32Array, mask: Uint8Array, fresh: boolean): void {
    if (this.#scores.size === 0) this.#scoresSinceMs = this.#clock.monotonicMs()
    this.#scores.push(row, labels, mask, fresh, 0)
  }
}

function finite(tick: number): number | null {
  return tick === Number.NEGATIVE_INFINITY ? null : tick
}
