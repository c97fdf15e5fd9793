/**
 * Positives that found no impression, until the watermark has passed them: their impression may still come. Those whose
 * impression does not come are organic: dropped and counted, or examples of their own, with sampled negatives if
 * configured, or the beginning of a funnel. The rows of such examples are taken when the positive arrives, and given back if its impression comes.
 *
 * An orphan that found its impression stays in the queue, without bits, until its turn.
 */
import type { Config } from '../config/schema.js'
import type { Id, Positive, PositiveKind } from '../domain/event.js'
import type { LoadedState, PartState } from '../domain/state.js'
import type { Random } from '../std/random.js'
import type { WaitingImpressions } from './impressions.js'
import type { KindPlan, LabelPlan } from './label.js'
import { NOTHING, UNKNOWN } from './label-values.js'
import type { Matured } from './matured.js'
import { RecentItems } from './negatives.js'
import type { PairKey } from './pair-key.js'
import { PairQueue } from './pair-queue.kernel.js'
import type { JoinCounters, JoinPorts, JoinSubject } from './ports.js'

/** By tag. */
const KINDS: readonly PositiveKind[] = ['click', 'buy', 'rating']

/** An organic positive with its row becomes the beginning of a funnel; the callee takes the row over. */
type BeginFunnel = (positives: PairQueue, positive: number, plan: KindPlan) => void

export class Orphans {
  readonly #plan: LabelPlan
  readonly #config: Config['join']
  readonly #ports: JoinPorts
  readonly #counters: JoinCounters
  readonly #matured: Matured
  readonly #queue: PairQueue
  readonly #recent: RecentItems
  readonly #begin: BeginFunnel

  constructor(
    plan: LabelPlan,
    config: Config['join'],
    random: Random,
    ports: JoinPorts,
    counters: JoinCounters,
    matured: Matured,
    begin: BeginFunnel,
  ) {
    this.#plan = plan
    this.#config = config
    this.#ports = ports
    this.#counters = counters
    this.#matured = matured
    this.#queue = new PairQueue(plan.tasks, config.organic === 'negatives' ? 1 + config.negatives : 1)
    this.#recent = new RecentItems(random)
    this.#begin = begin
  }

  /** Those that found their impression count until their turn. */
  get size(): number {
    return this.#queue.size
  }

  nextDueMs(): number {
    return this.#queue.size > 0 ? this.#queue.baseMs(this.#queue.head) : Number.POSITIVE_INFINITY
  }

  /** key: of the event; used for others afterwards. labels: [tasks], see label-values.ts; one of them at least is of a window. */
  add(
    event: Positive,
    key: PairKey,
    plan: KindPlan,
    labels: Float32Array,
    watermarkMs: number,
    impressions: WaitingImpressions,
  ): void {
    const queue = this.#queue
    const entry = queue.push(key, event.eventTimeMs, watermarkMs)
    queue.setTag(entry, KINDS.indexOf(event.kind))
    for (const task of plan.windowed) {
      const label = labels[task] ?? NOTHING
      if (label !== NOTHING) queue.setLabel(entry, task, label)
    }
    if (this.#config.organic === 'drop' || (this.#config.organic === 'funnel' && !this.#begins(entry, plan))) return
    const subject = subjectOf(event)
    queue.addRow(entry, this.#ports.arrive(subject, true))
    if (this.#config.organic !== 'negatives' || plan.entireSpace.length === 0) return
    // An item that waits for a label of its own is no negative.
    const isRefused = (item: Id) => {
      if (item === event.item) return true
      key.read(event.user, item, null)
      return impressions.has(key)
    }
    for (const item of this.#recent.draw(this.#config.negatives, isRefused)) {
      queue.addRow(entry, this.#ports.arrive({ ...subject, item, requestId: null }, true))
    }
  }

  /** Remembers the item of any positive, to draw negatives from. */
  remember(item: Id): void {
    if (this.#config.organic === 'negatives') this.#recent.add(item)
  }

  /**
   * The impression takes the orphans of its pair that fit, the oldest arrival first; again, while it took any: one may
   * need what another says.
   */
  resolve(key: { lo: number; hi: number }, impressions: WaitingImpressions, impression: number): void {
    const queue = this.#queue
    const newest = queue.size === 0 ? -1 : queue.newest(key.lo, key.hi)
    if (newest < 0) return
    const waiting: number[] = []
    for (let entry = newest; entry >= 0; entry = queue.older(entry)) {
      if (queue.bits(entry) !== 0) waiting.push(entry)
    }
    waiting.reverse()
    for (let before = -1; before !== waiting.length; ) {
      before = waiting.length
      for (const entry of waiting.splice(0)) {
        if (!this.#takeOne(impressions, impression, entry)) waiting.push(entry)
      }
    }
  }

  #takeOne(impressions: WaitingImpressions, impression: number, entry: number): boolean {
    const queue = this.#queue
    const kind = KINDS[queue.tag(entry)] ?? 'click'
    if (!impressions.take(impression, queue, entry, this.#plan.kinds[kind])) return false
    this.#counters.attributed[kind]++
    this.#counters.resolved++
    queue.clearBits(entry)
    for (let index = 0; index < queue.rowCount(entry); index++) this.#ports.release(queue.row(entry, index))
    queue.clearRows(entry)
    return true
  }

  /** Whether the oldest still waits for its impression. */
  get isOldestOpen(): boolean {
    return this.#queue.size > 0 && this.#queue.bits(this.#queue.head) !== 0
  }

  /** The oldest leaves; it is organic unless its impression came. */
  decideOldest(): void {
    const queue = this.#queue
    const entry = queue.head
    if (this.isOldestOpen) {
      const plan = this.#plan.kinds[KINDS[queue.tag(entry)] ?? 'click']
      const isDropped = this.#config.organic === 'drop' || queue.rowCount(entry) === 0
      if (isDropped) {
        this.#counters.dropped.organic++
        this.#ports.drop('organic', 1)
      } else if (this.#config.organic === 'funnel') {
        this.#counters.organic++
        this.#begin(queue, entry, plan)
      } else this.#learn(entry, plan)
    }
    queue.shift()
  }

  /** Drops those of a user; how many still waited for their impression. */
  erase(userLo: number, userHi: number): number {
    const queue = this.#queue
    let waited = 0
    let erased = 0
    for (let entry = queue.head; entry < queue.tail; entry++) {
      if (!queue.isOf(entry, userLo, userHi)) continue
      erased++
      if (queue.bits(entry) !== 0) waited++
      for (let index = 0; index < queue.rowCount(entry); index++) this.#ports.release(queue.row(entry, index))
    }
    if (erased > 0) queue.erase(userLo, userHi)
    return waited
  }

  rows(): Int32Array {
    return this.#queue.rows()
  }

  saveArrays(): PartState['arrays'] {
    return { ...this.#queue.saveArrays('orphans'), ...this.#recent.saveArrays() }
  }

  load(arrays: LoadedState['arrays'], rows: Int32Array, firstRow: number): void {
    this.#queue.loadArrays('orphans', arrays, rows, firstRow)
    this.#recent.loadArrays(arrays)
  }

  /** Whether a funnel begins with this positive. */
  #begins(entry: number, plan: KindPlan): boolean {
    return plan.begins.some(task => this.#queue.label(entry, task) > 0)
  }

  #learn(entry: number, plan: KindPlan): void {
    const queue = this.#queue
    // What came was not what a task of the entire space asks for: its label is 0.
    const isKnown = (task: number) =>
      queue.label(entry, task) !== UNKNOWN && (queue.hasLabel(entry, task) || this.#plan.entireSpace[task] === true)
    this.#counters.organic++
    for (let index = 0; index < queue.rowCount(entry); index++) {
      const tasks = index === 0 ? plan.windowed : plan.entireSpace
      for (const task of tasks) {
        if (index === 0 && !isKnown(task)) continue
        const label = index === 0 ? queue.label(entry, task) : 0
        this.#matured.learn(task, label, false)
        this.#matured.judge(task, label)
      }
      this.#matured.send(queue.row(entry, index), false, queue.timeMs(entry))
      this.#ports.release(queue.row(entry, index))
    }
  }
}

export function subjectOf(event: Positive): JoinSubject {
  const { user, item, eventTimeMs, requestId, context, eventId } = event
  return { user, item, eventTimeMs, requestId, position: null, context, eventId }
}
