/**
 * Impressions that wait for labels, with one cursor a window over their arrival order: what lies before it has matured
 * for the tasks of that window. A shorter window's cursor is never behind a longer one's, so the longest window's cursor
 * is the head of the queue.
 *
 * A positive without an impression that begins a funnel waits here too (`begin`), for what the tasks that are given it
 * need. It is an example of these tasks alone: it was not shown, so it says nothing of how often what is shown is clicked.
 */
import type { Impression, Positive } from '../domain/event.js'
import type { LoadedState, PartState } from '../domain/state.js'
import { drawOf } from './kept-negatives.js'
import type { KindPlan, LabelGroup, LabelPlan } from './label.js'
import type { LabelAges } from './label-ages.js'
import { NOTHING, UNKNOWN } from './label-values.js'
import type { Matured } from './matured.js'
import type { PairKey } from './pair-key.js'
import { PairQueue } from './pair-queue.kernel.js'
import type { JoinPorts } from './ports.js'

/** Tag of an entry that is no impression but the beginning of a funnel. */
const BEGUN = 1

export class WaitingImpressions {
  readonly #plan: LabelPlan
  readonly #ports: JoinPorts
  readonly #matured: Matured
  readonly #ages: LabelAges
  readonly #seed: number
  readonly #queue: PairQueue
  readonly #cursors: number[]
  /** The window of nextDueMs(). */
  #dueWindow = 0
  /** Impression and task of each label that has just come after it was learned as 0. */
  #late: { entry: number; task: number }[] = []

  constructor(plan: LabelPlan, ports: JoinPorts, matured: Matured, ages: LabelAges, seed: number) {
    this.#plan = plan
    this.#ports = ports
    this.#matured = matured
    this.#ages = ages
    this.#seed = seed
    this.#queue = new PairQueue(plan.tasks, 1)
    this.#cursors = plan.windowsMs.map(() => 0)
  }

  get size(): number {
    return this.#queue.size
  }

  /** Whether an impression of the pair waits. */
  has(key: PairKey): boolean {
    return this.#queue.newest(key.lo, key.hi) >= 0
  }

  /** Those of the pair where something happened that others are given, the newest first. */
  *begunOf(key: PairKey, { begins }: KindPlan): Generator<number> {
    for (let entry = this.#queue.newest(key.lo, key.hi); entry >= 0; entry = this.#queue.older(entry)) {
      if (begins.some(task => this.#isPositive(entry, task))) yield entry
    }
  }

  /** Returns the entry, for take(). */
  add(event: Impression, key: PairKey, row: number, watermarkMs: number): number {
    const entry = this.#queue.push(key, event.eventTimeMs, watermarkMs)
    this.#queue.addRow(entry, row)
    return entry
  }

  /** Labels what waits for the positive; whether anything did. labels: [tasks], see label-values.ts. */
  label(event: Positive, key: PairKey, plan: KindPlan, labels: Float32Array): boolean {
    const newest = this.#queue.newest(key.lo, key.hi)
    if (newest < 0) return false
    let found = false
    for (const group of plan.groups) {
      if (!group.tasks.some(task => labels[task] !== NOTHING)) continue
      if (this.#attribute(event, key, group, newest, labels)) found = true
    }
    if (this.#late.length > 0) this.#correct()
    return found
  }

  /**
   * A positive without an impression, with its row, begins a funnel. Returns the entry, for take(). It waits from when it
   * was due: the watermark of now depends on how often it is told.
   */
  begin(positives: PairQueue, positive: number, plan: KindPlan): number {
    const entry = this.#queue.push(positives.key(positive), positives.timeMs(positive), positives.baseMs(positive))
    this.#queue.setTag(entry, BEGUN)
    this.#queue.addRow(entry, positives.row(positive, 0))
    for (const task of plan.begins)
      if (positives.hasLabel(positive, task)) this.#queue.setLabel(entry, task, positives.label(positive, task))
    return entry
  }

  /** Labels this entry, which came after the positive; whether it is the positive's. */
  take(entry: number, waiting: PairQueue, positive: number, plan: KindPlan): boolean {
    const shownMs = this.#queue.timeMs(entry)
    const timeMs = waiting.timeMs(positive)
    const requested = this.#queue.hasRequest(entry, waiting.requestLo(positive), waiting.requestHi(positive))
    if (timeMs < shownMs && !requested) return false
    let found = false
    for (const group of plan.groups) {
      if (!group.tasks.some(task => waiting.hasLabel(positive, task))) continue
      if (timeMs > shownMs + group.windowMs || !this.#isCreditable(entry, group)) continue
      found = true
      for (const task of group.tasks)
        if (waiting.hasLabel(positive, task)) this.#setFirst(entry, task, waiting.label(positive, task), timeMs)
    }
    if (this.#late.length > 0) this.#correct()
    return found
  }

  /** When the next impression matures for one of its windows; equal times: the shortest window. */
  nextDueMs(): number {
    const { windowsMs } = this.#plan
    let nextMs = Number.POSITIVE_INFINITY
    for (let window = 0; window < windowsMs.length; window++) {
      const entry = this.#cursors[window] ?? 0
      if (entry === this.#queue.tail) continue
      const dueMs = this.#queue.baseMs(entry) + (windowsMs[window] ?? 0)
      if (dueMs >= nextMs) continue
      nextMs = dueMs
      this.#dueWindow = window
    }
    return nextMs
  }

  /** Matures what the last nextDueMs() was about. */
  matureNext(): void {
    const entry = this.#cursors[this.#dueWindow] ?? 0
    this.#pass(entry, this.#dueWindow)
    this.#finish(entry)
  }

  /** The oldest impression matures for all windows that it still waits for, in one call. */
  matureOldest(): void {
    const entry = this.#queue.head
    for (let window = 0; window < this.#cursors.length; window++) {
      if (this.#cursors[window] === entry) this.#pass(entry, window)
    }
    this.#finish(entry)
  }

  /** Drops those of a user, without an example; how many. */
  erase(userLo: number, userHi: number): number {
    const queue = this.#queue
    const passed = this.#cursors.map(() => 0)
    let erased = 0
    for (let entry = queue.head; entry < queue.tail; entry++) {
      if (!queue.isOf(entry, userLo, userHi)) continue
      erased++
      this.#ports.release(queue.row(entry, 0))
      for (const [window, cursor] of this.#cursors.entries())
        if (entry < cursor) passed[window] = (passed[window] ?? 0) + 1
    }
    if (erased === 0) return 0
    queue.erase(userLo, userHi)
    for (const [window, gone] of passed.entries()) this.#cursors[window] = (this.#cursors[window] ?? 0) - gone
    return erased
  }

  rows(): Int32Array {
    return this.#queue.rows()
  }

  /** How far each window's cursor is past the head. */
  cursors(): number[] {
    return this.#cursors.map(cursor => cursor - this.#queue.head)
  }

  saveArrays(): PartState['arrays'] {
    return this.#queue.saveArrays('impressions')
  }

  /** Returns how many of the rows belong to impressions. */
  load(cursors: readonly number[], arrays: LoadedState['arrays'], rows: Int32Array): number {
    for (const [window, cursor] of cursors.entries()) this.#cursors[window] = cursor
    return this.#queue.loadArrays('impressions', arrays, rows, 0)
  }

  #attribute(event: Positive, key: PairKey, group: LabelGroup, newest: number, labels: Float32Array): boolean {
    const queue = this.#queue
    const timeMs = event.eventTimeMs
    const first = this.#cursors[group.window] ?? 0
    const byRequest = event.requestId !== null
    let best = -1
    let bestMs = Number.NEGATIVE_INFINITY
    let requested = false
    for (let entry = newest; entry >= first; entry = queue.older(entry)) {
      const baseMs = queue.baseMs(entry)
      // All older entries have times up to this base: out of the window, or no better than the best.
      if (baseMs + group.windowMs < timeMs || ((requested || !byRequest) && baseMs <= bestMs)) break
      const shownMs = queue.timeMs(entry)
      if (shownMs + group.windowMs < timeMs || !this.#isCreditable(entry, group)) continue
      const matches = byRequest && queue.hasRequest(entry, key.requestLo, key.requestHi)
      if (matches ? !requested || shownMs > bestMs : !requested && shownMs <= timeMs && shownMs > bestMs) {
        best = entry
        bestMs = shownMs
        requested = matches
      }
    }
    if (best < 0) return false
    if (requested || group.attribution !== 'all') this.#label(best, group, event, labels)
    else {
      for (let entry = newest; entry >= first; entry = queue.older(entry)) {
        const shownMs = queue.timeMs(entry)
        if (shownMs <= timeMs && timeMs <= shownMs + group.windowMs) this.#label(entry, group, event, labels)
      }
    }
    return true
  }

  #label(entry: number, group: LabelGroup, { eventTimeMs }: Positive, labels: Float32Array): void {
    for (const task of group.tasks) {
      const label = labels[task] ?? NOTHING
      if (label !== NOTHING) this.#setFirst(entry, task, label, eventTimeMs)
    }
  }

  /** The first label of a task stays; one that is not known gives way to one that is, unless the task was learned by then. */
  #setFirst(entry: number, task: number, label: number, timeMs: number): void {
    const queue = this.#queue
    if (queue.hasLabel(entry, task)) {
      const early = this.#plan.early[task] ?? -1
      const isOver = early >= 0 && (this.#cursors[early] ?? 0) > entry
      if (queue.label(entry, task) !== UNKNOWN || label === UNKNOWN || isOver) return
    }
    queue.setLabel(entry, task, label)
    if (label === UNKNOWN) return
    if (this.#queue.tag(entry) !== BEGUN) this.#ages.add(task, timeMs - this.#queue.timeMs(entry))
    const early = this.#plan.early[task] ?? -1
    if (label > 0 && early >= 0 && (this.#cursors[early] ?? 0) > entry) this.#late.push({ entry, task })
  }

  /** What was learned as 0 and is positive after all is learned at once; the oldest impression first. */
  #correct(): void {
    const late = this.#late.sort((a, b) => a.entry - b.entry)
    this.#late = []
    for (const [index, { entry, task }] of late.entries()) {
      const label = this.#queue.label(entry, task)
      const given = this.#plan.given[task] ?? -1
      const reached = this.#isPositive(entry, given)
      if (this.#queue.tag(entry) !== BEGUN) this.#matured.late(task, label, reached, this.#isKept(entry, task))
      else if (given >= 0) this.#matured.lateStep(task, label, reached)
      if (late[index + 1]?.entry !== entry)
        this.#matured.send(this.#queue.row(entry, 0), false, this.#queue.timeMs(entry))
    }
  }

  #isCreditable(entry: number, { given, attribution }: LabelGroup): boolean {
    return attribution !== 'given' || this.#isPositive(entry, given)
  }

  #isPositive(entry: number, task: number): boolean {
    return task >= 0 && (this.#queue.bits(entry) & (1 << task)) !== 0 && this.#queue.label(entry, task) > 0
  }

  #pass(entry: number, window: number): void {
    const { tasksOfWindow, earlyOfWindow, early, entireSpace } = this.#plan
    const bits = this.#queue.bits(entry)
    const isBegun = this.#queue.tag(entry) === BEGUN
    for (const task of earlyOfWindow[window] ?? []) this.#learn(entry, task)
    for (const task of tasksOfWindow[window] ?? []) {
      if ((bits & (1 << task)) === 0 && entireSpace[task] !== true) continue
      if (this.#queue.label(entry, task) === UNKNOWN) continue
      if ((early[task] ?? -1) < 0) this.#learn(entry, task)
      if (!isBegun) this.#matured.judge(task, this.#queue.label(entry, task))
    }
    this.#cursors[window] = entry + 1
  }

  /** A task without its positive has the label 0. */
  #learn(entry: number, task: number): void {
    const label = this.#queue.label(entry, task)
    if (label === UNKNOWN) return
    const given = this.#plan.given[task] ?? -1
    const reached = this.#isPositive(entry, given)
    const isKept = label > 0 || this.#isKept(entry, task)
    if (this.#queue.tag(entry) !== BEGUN && isKept) this.#matured.learn(task, label, reached)
    else if (given >= 0 && (reached || label > 0)) this.#matured.learnStep(task, label)
  }

  /** Whether the entry is learned as a negative of the task, in the entire space. */
  #isKept(entry: number, task: number): boolean {
    const rate = this.#plan.keepNegatives[task] ?? 1
    if (rate === 1) return true
    const queue = this.#queue
    return drawOf(this.#seed, queue.pairLo(entry), queue.pairHi(entry), queue.timeMs(entry)) < rate
  }

  #finish(entry: number): void {
    const row = this.#queue.row(entry, 0)
    this.#matured.send(row, false, this.#queue.timeMs(entry))
    if ((this.#cursors.at(-1) ?? 0) <= entry) return // the longest window is still open
    this.#queue.shift()
    this.#ports.release(row)
  }
}
