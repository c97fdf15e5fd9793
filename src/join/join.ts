/**
 * The event-time join: impressions wait for their clicks, buys and ratings; what has waited long enough is an example.
 *
 * An impression waits, for each distinct window of the tasks, from its own time until the watermark has passed the
 * window's end, which is inclusive: then no ordinary record can label it any more. Positives wait with it: nothing is
 * learned before the window's end. The row is released with the last window. A positive of a task without a window is
 * the example itself.
 *
 * A positive labels impressions of its user and item whose window it falls into: the one with its request id (then even
 * if the clocks say that it came first), else the latest or all that are not younger than it; where a task is credited to
 * what it is given, only those where that happened. The first label of a task stays. A positive labels what waits when it comes; one that finds nothing waits until the watermark has passed it,
 * because its impression may still come, and takes the first that fits. After that it is organic. The features of an
 * organic example are as of the positive's arrival.
 *
 * Order: what is due comes in the order of its due time, orphans before windows, short windows before long ones, each in
 * arrival order. Due times are counted from max(own time, watermark at arrival, that of the one ahead): an impression
 * that came out of order matures up to `disorder` later than its own time says, and a late one waits its whole windows
 * from the watermark on, so that positives that are just as late still find it. The sequence of calls is a function of
 * the records and the watermarks before them, not of how often advance() is called in between.
 *
 * Bounds: config.maxWaiting impressions, ORPHANS positives. Beyond them the oldest are decided early, with what is known,
 * and counted as 'capacity'.
 */
import type { Config, TaskConfig } from '../config/schema.js'
import type { Id, Impression, Positive } from '../domain/event.js'
import type { Json, LoadedState, PartState } from '../domain/state.js'
import type { Hasher } from '../std/hash.js'
import { Random } from '../std/random.js'
import { WaitingImpressions } from './impressions.js'
import { type KindPlan, type LabelPlan, planLabels } from './label.js'
import { LabelAges, type MaturityPoint } from './label-ages.js'
import { createReadLabels, isPositive, type LabelFacts, NO_FACTS, NOTHING, type ReadLabels } from './label-values.js'
import { Matured } from './matured.js'
import { Orphans, subjectOf } from './orphans.js'
import { PairKey } from './pair-key.js'
import type { PairQueue } from './pair-queue.kernel.js'
import { createCounters, type JoinCounters, type JoinPorts, type JoinStats } from './ports.js'

export type { JoinPorts, JoinStats, JoinSubject } from './ports.js'

const ORPHANS = 65_536

export class Joiner {
  readonly #plan: LabelPlan
  readonly #config: Config['join']
  readonly #ports: JoinPorts
  readonly #random: Random
  readonly #key: PairKey
  readonly #hasher: Hasher
  readonly #counters: JoinCounters
  readonly #readLabels: ReadLabels
  readonly #matured: Matured
  readonly #ages: LabelAges
  readonly #impressions: WaitingImpressions
  readonly #orphans: Orphans
  #watermarkMs = Number.NEGATIVE_INFINITY
  /** Nothing is due while the watermark is not beyond this. */
  #nextDueMs = Number.POSITIVE_INFINITY

  /** facts: of profiles, where labels come from them. */
  constructor(
    tasks: readonly TaskConfig[],
    config: Config['join'],
    hasher: Hasher,
    seed: number,
    ports: JoinPorts,
    facts: LabelFacts = NO_FACTS,
  ) {
    this.#plan = planLabels(tasks)
    this.#counters = createCounters(tasks.length)
    this.#readLabels = createReadLabels(tasks, this.#plan.entireSpace, facts, task => {
      this.#counters.missing[task] = (this.#counters.missing[task] ?? 0) + 1
    })
    this.#config = config
    this.#ports = ports
    this.#random = new Random(seed)
    this.#hasher = hasher
    this.#key = new PairKey(hasher)
    this.#matured = new Matured(this.#plan, ports, this.#counters)
    this.#ages = new LabelAges(tasks)
    this.#impressions = new WaitingImpressions(this.#plan, ports, this.#matured, this.#ages, seed)
    this.#orphans = new Orphans(
      this.#plan,
      config,
      this.#random,
      ports,
      this.#counters,
      this.#matured,
      (positives, positive, plan) => this.#begin(positives, positive, plan),
    )
  }

  /** Impressions that wait. */
  get waiting(): number {
    return this.#impressions.size
  }

  /** A record that the clock admitted and that is no duplicate; advance() has been called with the watermark as of it. */
  handle(event: Impression | Positive): void {
    if (event.eventTimeMs < this.#watermarkMs) {
      this.#counters.late++
      if (this.#config.late === 'drop') {
        this.#drop('late')
        return
      }
    }
    if (event.kind === 'impression') this.#impression(event)
    else this.#positive(event, this.#plan.kinds[event.kind])
  }

  /** Decides whatever is due when no ordinary record before this time can come any more. Never goes back. */
  advance(watermarkMs: number): void {
    if (watermarkMs > this.#watermarkMs) this.#watermarkMs = watermarkMs
    if (this.#nextDueMs < watermarkMs) this.#decide(watermarkMs)
  }

  /** Drops what waits of a user: no example comes of it. What has matured is out of the join's hands. */
  erase(user: Id): { impressions: number; positives: number } {
    this.#hasher.text(user)
    const { lo, hi } = this.#hasher
    const erased = { impressions: this.#impressions.erase(lo, hi), positives: this.#orphans.erase(lo, hi) }
    const count = erased.impressions + erased.positives
    if (count > 0) this.#drop('erased', count)
    this.#nextDueMs = Math.min(this.#orphans.nextDueMs(), this.#impressions.nextDueMs())
    return erased
  }

  /** The end of a finite log: with config.atEnd 'mature', decides all that waits with what is known. */
  end(): void {
    if (this.#config.atEnd === 'mature') this.#decide(Number.POSITIVE_INFINITY)
  }

  stats(): JoinStats {
    return { waiting: this.#impressions.size, orphans: this.#orphans.size, ...structuredClone(this.#counters) }
  }

  /** Per task with a window: how many of its labels come by which age. Organic examples do not count: nothing was shown. */
  maturity(): MaturityPoint[][] {
    return this.#ages.maturity()
  }

  /** The rows that belong to the saved state, in its order. */
  waitingRows(): Int32Array {
    const impressions = this.#impressions.rows()
    const orphans = this.#orphans.rows()
    const rows = new Int32Array(impressions.length + orphans.length)
    rows.set(impressions)
    rows.set(orphans, impressions.length)
    return rows
  }

  /** Holds no row numbers: the rows are those of waitingRows(). */
  saveState(): PartState {
    return {
      meta: {
        watermarkMs: this.#watermarkMs === Number.NEGATIVE_INFINITY ? null : this.#watermarkMs,
        cursors: this.#impressions.cursors(),
        random: this.#random.state(),
        counters: structuredClone(this.#counters) as unknown as Json,
        ages: this.#ages.toJson(),
      },
      arrays: { ...this.#impressions.saveArrays(), ...this.#orphans.saveArrays() },
    }
  }

  /** rows: new rows for the old ones of waitingRows(). */
  loadState(state: LoadedState, rows: Int32Array): void {
    const meta = state.meta as unknown as {
      watermarkMs: number | null
      cursors: number[]
      random: [number, number, number, number]
      counters: JoinCounters
      ages?: number[][]
    }
    this.#watermarkMs = meta.watermarkMs ?? Number.NEGATIVE_INFINITY
    this.#random.restore(meta.random)
    Object.assign(this.#counters, structuredClone(meta.counters))
    this.#ages.fromJson(meta.ages)
    const taken = this.#impressions.load(meta.cursors, state.arrays, rows)
    this.#orphans.load(state.arrays, rows, taken)
    this.#nextDueMs = Math.min(this.#orphans.nextDueMs(), this.#impressions.nextDueMs())
  }

  #impression(event: Impression): void {
    if (this.#plan.windowsMs.length === 0) {
      this.#ports.release(this.#ports.arrive(event, true))
      return
    }
    this.#makeRoom()
    const row = this.#ports.arrive(event, true)
    this.#key.read(event.user, event.item, event.requestId)
    const entry = this.#impressions.add(event, this.#key, row, this.#watermarkMs)
    this.#orphans.resolve(this.#key, this.#impressions, entry)
    this.#nextDueMs = Math.min(this.#nextDueMs, this.#impressions.nextDueMs())
  }

  /** An organic positive waits for what comes after it, as an impression does. */
  #begin(positives: PairQueue, positive: number, plan: KindPlan): void {
    this.#makeRoom()
    const entry = this.#impressions.begin(positives, positive, plan)
    // It is an orphan no more, and what follows it may be one still.
    positives.clearBits(positive)
    const pair = { lo: positives.pairLo(positive), hi: positives.pairHi(positive) }
    this.#orphans.resolve(pair, this.#impressions, entry)
    this.#nextDueMs = Math.min(this.#nextDueMs, this.#impressions.nextDueMs())
  }

  #makeRoom(): void {
    if (this.#impressions.size < this.#config.maxWaiting) return
    this.#drop('capacity')
    this.#impressions.matureOldest()
  }

  #positive(event: Positive, plan: KindPlan): void {
    const labels = this.#readLabels(event)
    const known = (task: number) => labels[task] !== NOTHING
    const [isExample, isLabel] = [plan.instant.some(known), plan.windowed.some(known)]
    if (isExample) this.#instant(event, plan, labels)
    if (isLabel) this.#attribute(event, plan, labels)
    else if (!isExample) this.#counters.unused++
    this.#orphans.remember(event.item)
  }

  /** The positive itself is the example of the tasks without a window. */
  #instant(event: Positive, plan: KindPlan, labels: Float32Array): void {
    const row = this.#ports.arrive(subjectOf(event), false)
    for (const task of plan.instant) {
      const label = labels[task] ?? NOTHING
      if (label === NOTHING) continue
      const given = this.#plan.given[task] ?? -1
      const reached = plan.instant.includes(given) && isPositive(labels[given])
      this.#matured.learn(task, label, reached)
      this.#matured.judge(task, label)
    }
    this.#matured.send(row, true, event.eventTimeMs)
    this.#ports.release(row)
  }

  #attribute(event: Positive, plan: KindPlan, labels: Float32Array): void {
    this.#key.read(event.user, event.item, event.requestId)
    if (this.#impressions.label(event, this.#key, plan, labels)) {
      this.#counters.attributed[event.kind]++
      if (plan.credits && this.#orphans.size > 0) {
        for (const entry of this.#impressions.begunOf(this.#key, plan))
          this.#orphans.resolve(this.#key, this.#impressions, entry)
      }
      return
    }
    if (this.#orphans.size >= Math.min(ORPHANS, this.#config.maxWaiting)) {
      if (this.#orphans.isOldestOpen) this.#drop('capacity')
      this.#orphans.decideOldest()
    }
    this.#orphans.add(event, this.#key, plan, labels, this.#watermarkMs, this.#impressions)
    this.#nextDueMs = Math.min(this.#nextDueMs, this.#orphans.nextDueMs())
  }

  #decide(watermarkMs: number): void {
    for (;;) {
      const orphanMs = this.#orphans.nextDueMs()
      const impressionMs = this.#impressions.nextDueMs()
      this.#nextDueMs = Math.min(orphanMs, impressionMs)
      if (!(this.#nextDueMs < watermarkMs)) return
      if (orphanMs <= impressionMs) this.#orphans.decideOldest()
      else this.#impressions.matureNext()
    }
  }

  #drop(reason: 'late' | 'capacity' | 'erased', count = 1): void {
    this.#counters.dropped[reason] += count
    this.#ports.drop(reason, count)
  }
}
