/**
 * The event-time join: impressions wait for their clicks, buys and ratings; what has waited long enough is an example.
 *
 * An impression waits, for each distinct window of the tasks, from its own time until the watermark has passed the
 * window's end, which is inclusive: then no ordinary record can label it any more. Positives wait with it: nothing is
 * learned before the window's end. The row is released with the last window.
 *
 * A positive labels impressions of its user and item whose window it falls into: the one with its request id (then even
 * if its clock says that it came first), else the latest or all that are not younger than it. The first label of a task
 * stays. A positive labels what waits when it comes; one that finds nothing waits until the watermark has passed it,
 * because its impression may still come, and takes the first that fits. After that it is organic. The features of an
 * organic example are as of the positive's arrival.
 *
 * Order: what is due comes in the order of its due time, orphans before windows, short windows before long ones, each in
 * arrival order. Due times are counted from max(own time, watermark at arrival, the one ahead): an impression that came
 * out of order matures up to `disorder` later than its own time says, and a late one waits its whole windows from the
 * watermark on, so that positives that are just as late still find it. The sequence of calls is a function of the
 * records and the watermarks before them, not of how often advance() is called in between.
 *
 * Bounds: config.maxWaiting impressions, ORPHANS positives. Beyond them the oldest are decided early, with what is known,
 * and counted as 'capacity'.
 */
import type { Config, TaskConfig } from '../config/schema.js'
import type { Id, Impression, Positive, PositiveKind } from '../domain/event.js'
import type { DropReason } from '../domain/outcome.js'
import type { Json, LoadedState, PartState } from '../domain/state.js'
import type { Hasher } from '../std/hash.js'
import { Random } from '../std/random.js'
import { type KindPlan, type LabelGroup, type LabelPlan, planLabels } from './label.js'
import { RecentItems } from './negatives.js'
import { PairQueue } from './pair-queue.kernel.js'

const ORPHANS = 65_536
const KINDS: readonly PositiveKind[] = ['click', 'buy', 'rating']

/** What features are taken of: an impression, a positive that is an example itself, or a sampled negative. */
export interface JoinSubject {
  user: Id
  item: Id
  eventTimeMs: number
  requestId: string | null
  position: number | null
  context: Record<string, string> | null
  /** A sampled negative has the event id of its positive. */
  eventId: string
}

/** Called from within handle(), advance() and end(); must not call back into the joiner. */
export interface JoinPorts {
  /** A new row with the subject's features as of now. score: ask for its score (false: it is scored in its learning step). */
  arrive(subject: JoinSubject, score: boolean): number
  /** labels, mask: [tasks], valid during the call only; never all masked. fresh: never scored before. */
  mature(row: number, labels: Float32Array, mask: Uint8Array, fresh: boolean, impressionTimeMs: number): void
  /** No later call names this row. */
  release(row: number): void
  drop(reason: DropReason, count: number): void
}

export interface JoinStats {
  /** Impressions that wait. */
  waiting: number
  /** Positives that wait for their impression. */
  orphans: number
  /** Calls of mature(). */
  matured: number
  /** Positives that found an impression, at once or later. */
  attributed: Record<PositiveKind, number>
  /** Of those: the ones whose impression came after them. */
  resolved: number
  /** Positives that became organic examples. */
  organic: number
  /** Positives of a kind that no task uses. */
  unused: number
  /** Records behind the watermark, dropped or not. */
  late: number
  dropped: { late: number; capacity: number; organic: number }
}

type Counters = Omit<JoinStats, 'waiting' | 'orphans'>

export class Joiner {
  readonly #plan: LabelPlan
  readonly #config: Config['join']
  readonly #hasher: Hasher
  readonly #ports: JoinPorts
  readonly #random: Random
  readonly #recent: RecentItems
  readonly #impressions: PairQueue
  readonly #orphans: PairQueue
  /** Per window: the first impression that has not matured; never behind that of a longer window. */
  readonly #cursors: number[]
  readonly #labels: Float32Array
  readonly #mask: Uint8Array
  #watermarkMs = Number.NEGATIVE_INFINITY
  /** Nothing is due while the watermark is not beyond this. */
  #nextDueMs = Number.POSITIVE_INFINITY
  #counters: Counters = {
    matured: 0,
    attributed: { click: 0, buy: 0, rating: 0 },
    resolved: 0,
    organic: 0,
    unused: 0,
    late: 0,
    dropped: { late: 0, capacity: 0, organic: 0 },
  }

  constructor(tasks: readonly TaskConfig[], config: Config['join'], hasher: Hasher, seed: number, ports: JoinPorts) {
    this.#plan = planLabels(tasks)
    this.#config = config
    this.#hasher = hasher
    this.#ports = ports
    this.#random = new Random(seed)
    this.#recent = new RecentItems(this.#random)
    this.#impressions = new PairQueue(tasks.length, 1)
    this.#orphans = new PairQueue(tasks.length, config.organic === 'negatives' ? 1 + config.negatives : 1)
    this.#cursors = this.#plan.windowsMs.map(() => 0)
    this.#labels = new Float32Array(tasks.length)
    this.#mask = new Uint8Array(tasks.length)
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

  /** The end of a finite log: with config.atEnd 'mature', decides all that waits with what is known. */
  end(): void {
    if (this.#config.atEnd === 'mature') this.#decide(Number.POSITIVE_INFINITY)
  }

  stats(): JoinStats {
    const { attributed, dropped, ...counters } = this.#counters
    return {
      waiting: this.#impressions.size,
      orphans: this.#orphans.size,
      ...counters,
      attributed: { ...attributed },
      dropped: { ...dropped },
    }
  }

  /** The rows that belong to the saved state, in its order. */
  waitingRows(): Int32Array {
    return Int32Array.from([...this.#impressions.rows(), ...this.#orphans.rows()])
  }

  /** Holds no row numbers: the rows are those of waitingRows(). */
  saveState(): PartState {
    return {
      meta: {
        watermarkMs: this.#watermarkMs === Number.NEGATIVE_INFINITY ? null : this.#watermarkMs,
        cursors: this.#cursors.map(cursor => cursor - this.#impressions.head),
        random: this.#random.state(),
        counters: structuredClone(this.#counters) as unknown as Json,
      },
      arrays: {
        ...this.#impressions.saveArrays('impressions'),
        ...this.#orphans.saveArrays('orphans'),
        ...this.#recent.saveArrays(),
      },
    }
  }

  /** rows: new rows for the old ones of waitingRows(). */
  loadState(state: LoadedState, rows: Int32Array): void {
    const meta = state.meta as unknown as {
      watermarkMs: number | null
      cursors: number[]
      random: [number, number, number, number]
      counters: Counters
    }
    this.#watermarkMs = meta.watermarkMs ?? Number.NEGATIVE_INFINITY
    for (const [window, cursor] of meta.cursors.entries()) this.#cursors[window] = cursor
    this.#random.restore(meta.random)
    this.#counters = structuredClone(meta.counters)
    const taken = this.#impressions.loadArrays('impressions', state.arrays, rows, 0)
    this.#orphans.loadArrays('orphans', state.arrays, rows, taken)
    this.#recent.loadArrays(state.arrays)
    this.#nextDueMs = Number.NEGATIVE_INFINITY
  }

  #impression(event: Impression): void {
    if (this.#plan.windowsMs.length === 0) {
      this.#ports.release(this.#ports.arrive(event, true))
      return
    }
    if (this.#impressions.size >= this.#config.maxWaiting) this.#matureEarly()
    const row = this.#ports.arrive(event, true)
    const [requestLo, requestHi] = this.#requestKey(event.requestId)
    this.#pairKey(event.user, event.item)
    const { lo, hi } = this.#hasher
    const entry = this.#impressions.push(lo, hi, event.eventTimeMs, this.#watermarkMs, requestLo, requestHi)
    this.#impressions.addRow(entry, row)
    this.#expect(this.#impressions.baseMs(entry) + (this.#plan.windowsMs[0] ?? 0))
    const orphan = this.#orphans.size === 0 ? -1 : this.#orphans.newest(lo, hi)
    if (orphan >= 0) this.#resolve(orphan, entry)
  }

  #positive(event: Positive, plan: KindPlan): void {
    if (plan.instant.length > 0) this.#instant(event, plan.instant)
    else if (plan.windowed.length === 0) this.#counters.unused++
    if (plan.windowed.length > 0) {
      const [requestLo, requestHi] = this.#requestKey(event.requestId)
      this.#pairKey(event.user, event.item)
      const { lo, hi } = this.#hasher
      const newest = this.#impressions.newest(lo, hi)
      let found = false
      for (const group of plan.groups) {
        if (newest >= 0 && this.#attribute(event, group, newest, requestLo, requestHi)) found = true
      }
      if (found) this.#counters.attributed[event.kind]++
      else this.#wait(event, plan, lo, hi, requestLo, requestHi)
    }
    if (this.#config.organic === 'negatives') this.#recent.add(event.item)
  }

  /** The positive itself is the example of the tasks without a window. */
  #instant(event: Positive, tasks: readonly number[]): void {
    const row = this.#ports.arrive(subjectOf(event), false)
    this.#clear()
    for (const task of tasks) this.#set(task, this.#plan.labelOf(task, event.value))
    this.#mature(row, true, event.eventTimeMs)
    this.#ports.release(row)
  }

  /** Labels the impressions, from `newest` back, that the positive belongs to; whether there were any. */
  #attribute(event: Positive, group: LabelGroup, newest: number, requestLo: number, requestHi: number): boolean {
    const queue = this.#impressions
    const timeMs = event.eventTimeMs
    const first = this.#cursors[group.window] ?? 0
    const byRequest = (requestLo | requestHi) !== 0
    let best = -1
    let bestMs = Number.NEGATIVE_INFINITY
    let requested = false
    for (let entry = newest; entry >= first; entry = queue.older(entry)) {
      const baseMs = queue.baseMs(entry)
      // All older entries have times up to this base: out of the window, or no better than the best.
      if (baseMs + group.windowMs < timeMs || ((requested || !byRequest) && baseMs <= bestMs)) break
      const shownMs = queue.timeMs(entry)
      if (shownMs + group.windowMs < timeMs) continue
      const matches = byRequest && queue.hasRequest(entry, requestLo, requestHi)
      if (matches ? !requested || shownMs > bestMs : !requested && shownMs <= timeMs && shownMs > bestMs) {
        best = entry
        bestMs = shownMs
        requested = matches
      }
    }
    if (best < 0) return false
    if (requested || group.attribution === 'last') this.#label(best, group, event.value)
    else {
      for (let entry = newest; entry >= first; entry = queue.older(entry)) {
        const shownMs = queue.timeMs(entry)
        if (shownMs <= timeMs && timeMs <= shownMs + group.windowMs) this.#label(entry, group, event.value)
      }
    }
    return true
  }

  #label(entry: number, group: LabelGroup, value: number): void {
    const bits = this.#impressions.bits(entry)
    for (const task of group.tasks) {
      if ((bits & (1 << task)) === 0) this.#impressions.setLabel(entry, task, this.#plan.labelOf(task, value))
    }
  }

  /** A positive that found nothing waits for its impression, with the rows that it needs if none comes. */
  #wait(event: Positive, plan: KindPlan, lo: number, hi: number, requestLo: number, requestHi: number): void {
    const orphans = this.#orphans
    if (orphans.size >= Math.min(ORPHANS, this.#config.maxWaiting)) {
      if (orphans.bits(orphans.head) !== 0) this.#drop('capacity')
      this.#decideOrphan()
    }
    const entry = orphans.push(lo, hi, event.eventTimeMs, this.#watermarkMs, requestLo, requestHi)
    orphans.setTag(entry, KINDS.indexOf(event.kind))
    for (const task of plan.windowed) orphans.setLabel(entry, task, this.#plan.labelOf(task, event.value))
    this.#expect(orphans.baseMs(entry))
    if (this.#config.organic === 'drop') return
    const subject = subjectOf(event)
    orphans.addRow(entry, this.#ports.arrive(subject, true))
    if (this.#config.organic === 'positive' || plan.entireSpace.length === 0) return
    for (const item of this.#recent.draw(this.#config.negatives, other => this.#isShown(event, other))) {
      orphans.addRow(entry, this.#ports.arrive({ ...subject, item, requestId: null }, true))
    }
  }

  /** No item is a negative of the positive's user that is the positive itself or waits for a label of its own. */
  #isShown(event: Positive, item: Id): boolean {
    if (item === event.item) return true
    this.#pairKey(event.user, item)
    return this.#impressions.newest(this.#hasher.lo, this.#hasher.hi) >= 0
  }

  /** A new impression takes the waiting positives of its pair that fit, oldest arrival first. */
  #resolve(newestOrphan: number, entry: number): void {
    const orphans = this.#orphans
    const shownMs = this.#impressions.timeMs(entry)
    const waiting: number[] = []
    for (let orphan = newestOrphan; orphan >= 0; orphan = orphans.older(orphan)) waiting.push(orphan)
    for (const orphan of waiting.reverse()) {
      const kind = KINDS[orphans.tag(orphan)]
      if (orphans.bits(orphan) === 0 || kind === undefined) continue
      const timeMs = orphans.timeMs(orphan)
      const requested = this.#impressions.hasRequest(entry, orphans.requestLo(orphan), orphans.requestHi(orphan))
      if (timeMs < shownMs && !requested) continue
      let found = false
      for (const group of this.#plan.kinds[kind].groups) {
        if (timeMs > shownMs + group.windowMs) continue
        found = true
        const bits = this.#impressions.bits(entry)
        for (const task of group.tasks) {
          if ((bits & (1 << task)) === 0) this.#impressions.setLabel(entry, task, orphans.label(orphan, task))
        }
      }
      if (!found) continue
      this.#counters.attributed[kind]++
      this.#counters.resolved++
      orphans.clearBits(orphan)
      for (let index = 0; index < orphans.rowCount(orphan); index++) this.#ports.release(orphans.row(orphan, index))
      orphans.clearRows(orphan)
    }
  }

  /** Decides, in due order, all that is due before the watermark. */
  #decide(watermarkMs: number): void {
    const { windowsMs } = this.#plan
    for (;;) {
      let dueMs = this.#orphans.size > 0 ? this.#orphans.baseMs(this.#orphans.head) : Number.POSITIVE_INFINITY
      let due = -1
      for (let window = 0; window < windowsMs.length; window++) {
        const entry = this.#cursors[window] ?? 0
        if (entry === this.#impressions.tail) continue
        const windowDueMs = this.#impressions.baseMs(entry) + (windowsMs[window] ?? 0)
        if (windowDueMs < dueMs) {
          dueMs = windowDueMs
          due = window
        }
      }
      if (!(dueMs < watermarkMs)) {
        this.#nextDueMs = dueMs
        return
      }
      if (due < 0) this.#decideOrphan()
      else this.#matureWindow(due)
    }
  }

  /** The next impression of the window matures. */
  #matureWindow(window: number): void {
    const entry = this.#cursors[window] ?? 0
    this.#clear()
    this.#collect(entry, window)
    this.#cursors[window] = entry + 1
    this.#finish(entry)
  }

  /** The oldest impression matures for all windows that it still waits for, in one call. */
  #matureEarly(): void {
    const entry = this.#impressions.head
    this.#drop('capacity')
    this.#clear()
    for (let window = 0; window < this.#cursors.length; window++) {
      if (this.#cursors[window] !== entry) continue
      this.#collect(entry, window)
      this.#cursors[window] = entry + 1
    }
    this.#finish(entry)
  }

  #collect(entry: number, window: number): void {
    const bits = this.#impressions.bits(entry)
    for (const task of this.#plan.tasksOfWindow[window] ?? []) {
      if ((bits & (1 << task)) !== 0) this.#set(task, this.#impressions.label(entry, task))
      else if (this.#plan.entireSpace[task]) this.#set(task, 0)
    }
  }

  #finish(entry: number): void {
    const row = this.#impressions.row(entry, 0)
    this.#mature(row, false, this.#impressions.timeMs(entry))
    if ((this.#cursors.at(-1) ?? 0) === entry) return
    this.#impressions.shift()
    this.#ports.release(row)
  }

  /** The oldest waiting positive is organic, unless its impression came. */
  #decideOrphan(): void {
    const orphans = this.#orphans
    const entry = orphans.head
    const kind = KINDS[orphans.tag(entry)] ?? 'click'
    const bits = orphans.bits(entry)
    if (bits !== 0 && this.#config.organic === 'drop') this.#drop('organic')
    else if (bits !== 0) {
      const plan = this.#plan.kinds[kind]
      this.#counters.organic++
      for (let index = 0; index < orphans.rowCount(entry); index++) {
        this.#clear()
        if (index === 0) for (const task of plan.windowed) this.#set(task, orphans.label(entry, task))
        else for (const task of plan.entireSpace) this.#set(task, 0)
        this.#mature(orphans.row(entry, index), false, orphans.timeMs(entry))
        this.#ports.release(orphans.row(entry, index))
      }
    }
    orphans.shift()
  }

  #mature(row: number, fresh: boolean, timeMs: number): void {
    if (!this.#mask.includes(1)) return
    this.#counters.matured++
    this.#ports.mature(row, this.#labels, this.#mask, fresh, timeMs)
  }

  #set(task: number, label: number): void {
    this.#labels[task] = label
    this.#mask[task] = 1
  }

  #clear(): void {
    this.#labels.fill(0)
    this.#mask.fill(0)
  }

  #expect(dueMs: number): void {
    if (dueMs < this.#nextDueMs) this.#nextDueMs = dueMs
  }

  #drop(reason: 'late' | 'capacity' | 'organic'): void {
    this.#counters.dropped[reason]++
    this.#ports.drop(reason, 1)
  }

  /** Into the hasher's lo and hi. */
  #pairKey(user: Id, item: Id): void {
    this.#hasher.text(user)
    const { lo, hi } = this.#hasher
    this.#hasher.text(item)
    this.#hasher.mix(lo, hi, this.#hasher.lo, this.#hasher.hi)
  }

  #requestKey(requestId: string | null): [lo: number, hi: number] {
    if (requestId === null) return [0, 0]
    this.#hasher.text(requestId)
    return [this.#hasher.lo, this.#hasher.hi]
  }
}

function subjectOf(event: Positive): JoinSubject {
  const { user, item, eventTimeMs, requestId, context, eventId } = event
  return { user, item, eventTimeMs, requestId, position: null, context, eventId }
}
