/**
 * The join as the rules say it, with objects and full scans: slow, and nothing in it is clever. Only the draw of
 * negatives is the real one (it has tests of its own).
 */
import type { Config, TaskConfig } from '../../src/config/schema.js'
import type { Impression, Positive } from '../../src/domain/event.js'
import {
  MASK_COUNTED,
  MASK_JUDGED,
  MASK_REACHED,
  MASK_STEP_TAKEN_BACK,
  MASK_TAKEN_BACK,
} from '../../src/domain/example.js'
import type { JoinPorts } from '../../src/join/join.js'
import { earlyWindow } from '../../src/join/label.js'
import { RecentItems } from '../../src/join/negatives.js'
import { Random } from '../../src/std/random.js'

/** Of a label in the entire space: something came, but nobody knows whether it is what is asked. */
const MISSING = Number.NEGATIVE_INFINITY

interface Shown {
  event: Impression | Positive
  row: number
  baseMs: number
  labels: Map<number, number>
  openWindows: Set<number>
  /** Not shown at all: an organic positive that began a funnel. */
  begun: boolean
}

interface Orphan {
  event: Positive
  rows: number[]
  baseMs: number
  found: boolean
}

export class ReferenceJoiner {
  shown: Shown[] = []
  orphans: Orphan[] = []
  watermarkMs = Number.NEGATIVE_INFINITY
  readonly recent: RecentItems
  readonly windows: number[]
  readonly tasks: readonly TaskConfig[]
  readonly config: Config['join']
  readonly ports: JoinPorts

  constructor(tasks: readonly TaskConfig[], config: Config['join'], seed: number, ports: JoinPorts) {
    this.tasks = tasks
    this.config = config
    this.ports = ports
    this.recent = new RecentItems(new Random(seed))
    this.windows = [
      ...new Set(tasks.flatMap((task, index) => [task.label.window ?? [], this.early(index) ?? []].flat())),
    ]
  }

  handle(event: Impression | Positive): void {
    if (event.eventTimeMs < this.watermarkMs && this.config.late === 'drop') this.ports.drop('late', 1)
    else if (event.kind === 'impression') this.impression(event)
    else this.positive(event)
  }

  erase(user: string): void {
    const shown = this.shown.filter(({ event }) => event.user === user)
    const orphans = this.orphans.filter(({ event, found }) => event.user === user && !found)
    for (const row of [...shown.map(({ row }) => row), ...orphans.flatMap(({ rows }) => rows)]) this.ports.release(row)
    const count = shown.length + orphans.length
    if (count > 0) this.ports.drop('erased', count)
    this.shown = this.shown.filter(({ event }) => event.user !== user)
    this.orphans = this.orphans.filter(({ event }) => event.user !== user)
  }

  impression(event: Impression): void {
    if (this.windows.length === 0) {
      this.ports.release(this.ports.arrive(event, true))
      return
    }
    this.makeRoom()
    this.open(event, this.ports.arrive(event, true), this.watermarkMs)
  }

  makeRoom(): void {
    if (this.shown.length < this.config.maxWaiting) return
    this.ports.drop('capacity', 1)
    this.mature(this.shown[0]!, [...this.shown[0]!.openWindows])
  }

  open(event: Impression | Positive, row: number, floorMs: number, begins: number[] = []): void {
    const baseMs = Math.max(event.eventTimeMs, floorMs, this.shown.at(-1)?.baseMs ?? Number.NEGATIVE_INFINITY)
    const begun = event.kind !== 'impression'
    const labels = new Map(begins.map(task => [task, begun ? (this.value(event, task) ?? MISSING) : 0]))
    const shown = { event, row, baseMs, labels, openWindows: new Set(this.windows), begun }
    this.shown.push(shown)
    this.resolve(shown)
  }

  resolve(shown: Shown): void {
    let took: boolean
    do {
      took = false
      for (const orphan of this.orphans) {
        if (orphan.found) continue
        const late: number[] = []
        for (const task of this.windowed(orphan.event)) {
          if (!this.fits(shown, orphan.event, task)) continue
          orphan.found = true
          if (this.label(shown, orphan.event, task)) late.push(task)
        }
        this.correct(shown, late)
        if (!orphan.found) continue
        took = true
        for (const row of orphan.rows) this.ports.release(row)
      }
    } while (took)
  }

  correct(shown: Shown, tasks: number[]): void {
    const labels = new Map(tasks.map(task => [task, shown.labels.get(task)!]))
    this.call(
      shown.row,
      masksOf(labels, task => this.corrected(shown, task)),
      labels,
      false,
      shown.event.eventTimeMs,
    )
  }

  positive(event: Positive): void {
    const instant = this.where(task => task.label.event === event.kind && task.label.window === undefined).filter(
      task => this.value(event, task) !== undefined,
    )
    if (instant.length > 0) {
      const row = this.ports.arrive({ ...event, position: null }, false)
      const values = new Map(instant.map(task => [task, this.value(event, task)!]))
      this.call(
        row,
        masksOf(values, task => this.learned(task, values, values) | MASK_JUDGED),
        values,
        true,
        event.eventTimeMs,
      )
      this.ports.release(row)
    }
    const windowed = this.windowed(event)
    if (windowed.length > 0) {
      let found = false
      const late: { shown: Shown; task: number }[] = []
      for (const task of windowed) {
        const candidates = this.shown.filter(shown => this.fits(shown, event, task))
        const latest = (among: Shown[]) => among.reduce((a, b) => (b.event.eventTimeMs >= a.event.eventTimeMs ? b : a))
        const requested = candidates.filter(shown => this.isRequested(shown, event))
        if (candidates.length === 0) continue
        found = true
        const isLast = this.tasks[task]!.label.attribution !== 'all'
        const labelled = requested.length > 0 ? [latest(requested)] : isLast ? [latest(candidates)] : candidates
        for (const shown of labelled) if (this.label(shown, event, task)) late.push({ shown, task })
      }
      for (const shown of [...this.shown]) {
        this.correct(
          shown,
          late.filter(one => one.shown === shown).map(({ task }) => task),
        )
      }
      const credits = this.begins(event).some(task => this.tasks.some((_, other) => this.creditedBy(other) === task))
      for (const shown of found && credits ? this.shown.toReversed() : []) {
        const isPair = shown.event.user === event.user && shown.event.item === event.item
        if (isPair && this.begins(event).some(task => (shown.labels.get(task) ?? 0) > 0)) this.resolve(shown)
      }
      if (!found) this.wait(event)
    }
    this.recent.add(event.item)
  }

  wait(event: Positive): void {
    if (this.orphans.length >= this.config.maxWaiting) {
      if (!this.orphans[0]!.found) this.ports.drop('capacity', 1)
      this.decide(this.orphans[0]!)
    }
    const rows: number[] = []
    const { organic } = this.config
    if (organic !== 'drop' && (organic !== 'funnel' || this.begins(event).some(task => this.isPositive(event, task))))
      rows.push(this.ports.arrive({ ...event, position: null }, true))
    if (this.config.organic === 'negatives' && this.ofKind(event).some(task => this.isEntireSpace(task))) {
      const refused = (item: string) =>
        item === event.item || this.shown.some(shown => shown.event.user === event.user && shown.event.item === item)
      for (const item of this.recent.draw(this.config.negatives, refused)) {
        rows.push(this.ports.arrive({ ...event, item, requestId: null, position: null }, true))
      }
    }
    const before = this.orphans.at(-1)?.baseMs ?? Number.NEGATIVE_INFINITY
    this.orphans.push({ event, rows, baseMs: Math.max(event.eventTimeMs, this.watermarkMs, before), found: false })
  }

  advance(watermarkMs: number, final = false): void {
    if (!final) this.watermarkMs = Math.max(this.watermarkMs, watermarkMs)
    for (;;) {
      const due = [
        ...this.orphans.map((orphan, at) => ({ dueMs: orphan.baseMs, rank: -1, at, run: () => this.decide(orphan) })),
        ...this.shown.flatMap((shown, at) =>
          [...shown.openWindows].map(rank => ({
            dueMs: shown.baseMs + rank,
            rank,
            at,
            run: () => this.mature(shown, [rank]),
          })),
        ),
      ].filter(({ dueMs }) => dueMs < watermarkMs)
      due.sort((a, b) => a.dueMs - b.dueMs || a.rank - b.rank || a.at - b.at)
      if (due.length === 0) return
      due[0]!.run()
    }
  }

  end(): void {
    if (this.config.atEnd === 'mature') this.advance(Number.POSITIVE_INFINITY, true)
  }

  decide(orphan: Orphan): void {
    this.orphans = this.orphans.filter(other => other !== orphan)
    if (orphan.found) return
    if (orphan.rows.length === 0) this.ports.drop('organic', 1)
    else if (this.config.organic === 'funnel') {
      this.makeRoom()
      this.open(orphan.event, orphan.rows[0]!, orphan.baseMs, this.begins(orphan.event))
      return
    }
    for (const [index, row] of orphan.rows.entries()) {
      const labels = new Map<number, number>()
      for (const task of this.ofKind(orphan.event)) {
        const value = this.value(orphan.event, task)
        if (index === 0 && value !== undefined) labels.set(task, value)
        else if (index > 0 && this.isEntireSpace(task)) labels.set(task, 0)
      }
      const masks = masksOf(labels, task => this.learned(task, labels, new Map()) | MASK_JUDGED)
      this.call(row, masks, labels, false, orphan.event.eventTimeMs)
      this.ports.release(row)
    }
  }

  mature(shown: Shown, windows: number[]): void {
    const labels = new Map<number, number>()
    const masks = new Map<number, number>()
    for (const window of windows) {
      shown.openWindows.delete(window)
      for (const task of this.where(task => task.label.window !== undefined)) {
        const label = shown.labels.get(task) ?? (this.isEntireSpace(task) ? 0 : undefined)
        if (label === undefined || label === MISSING) continue
        const isFinal = this.tasks[task]!.label.window === window
        const isFirst = (this.early(task) ?? this.tasks[task]!.label.window) === window
        let bits = isFirst ? this.learned(task, new Map([[task, label]]), shown.labels) : 0
        // What began with the click says nothing of how often what is shown is clicked.
        if (shown.begun) bits &= MASK_REACHED
        else if (isFinal) bits |= MASK_JUDGED
        if (bits === 0) continue
        labels.set(task, label)
        masks.set(task, (masks.get(task) ?? 0) | bits)
      }
    }
    this.call(shown.row, masks, labels, false, shown.event.eventTimeMs)
    if (shown.openWindows.size > 0) return
    this.shown = this.shown.filter(other => other !== shown)
    this.ports.release(shown.row)
  }

  call(row: number, masks: Map<number, number>, labels: Map<number, number>, fresh: boolean, timeMs: number): void {
    if (masks.size === 0) return
    const values = Float32Array.from(this.tasks, (_, task) => labels.get(task) ?? 0)
    this.ports.mature(
      row,
      values,
      Uint8Array.from(this.tasks, (_, task) => masks.get(task) ?? 0),
      fresh,
      timeMs,
    )
  }

  before(task: number): number {
    return this.tasks.findIndex(({ name }) => name === this.tasks[task]!.given)
  }

  /** Bits of a label that is learned. */
  learned(task: number, labels: Map<number, number>, known: Map<number, number>): number {
    const before = this.before(task)
    const isReached = before >= 0 && ((known.get(before) ?? 0) > 0 || labels.get(task)! > 0)
    return isReached ? MASK_COUNTED | MASK_REACHED : MASK_COUNTED
  }

  /** Bits of a positive that came after the task was learned. */
  corrected(shown: Shown, task: number): number {
    const before = this.before(task)
    const isDuplicate = ['duplicate', 'fake-negative-weighted'].includes(this.tasks[task]!.label.late)
    const wasReached = before >= 0 && (shown.labels.get(before) ?? 0) > 0
    const step = wasReached && !isDuplicate ? MASK_STEP_TAKEN_BACK : MASK_REACHED
    const entire = isDuplicate ? MASK_COUNTED : MASK_TAKEN_BACK
    if (shown.begun) return before >= 0 ? step : 0
    return before >= 0 ? entire | step : entire
  }

  early(task: number): number | undefined {
    return this.isEntireSpace(task) ? earlyWindow(this.tasks[task]!, this.tasks) : undefined
  }

  begins(event: Positive): number[] {
    return this.windowed(event).filter(task => this.tasks.some(({ given }) => given === this.tasks[task]!.name))
  }

  fits(shown: Shown, event: Positive, task: number): boolean {
    const windowMs = this.tasks[task]!.label.window!
    const isPair = shown.event.user === event.user && shown.event.item === event.item
    const isOpen = shown.openWindows.has(windowMs) && event.eventTimeMs <= shown.event.eventTimeMs + windowMs
    const before = this.creditedBy(task)
    const isCreditable = before === undefined || (shown.labels.get(before) ?? 0) > 0
    return (
      isPair &&
      isOpen &&
      isCreditable &&
      (shown.event.eventTimeMs <= event.eventTimeMs || this.isRequested(shown, event))
    )
  }

  isRequested(shown: Shown, event: Positive): boolean {
    return event.requestId !== null && shown.event.requestId === event.requestId
  }

  /** Whether the label is positive and comes after the task was learned. */
  label(shown: Shown, event: Positive, task: number): boolean {
    const early = this.early(task)
    const wasLearned = early !== undefined && !shown.openWindows.has(early)
    const known = shown.labels.get(task)
    if (known !== undefined && (known !== MISSING || wasLearned)) return false
    shown.labels.set(task, this.value(event, task) ?? MISSING)
    return wasLearned && this.isPositive(event, task)
  }

  isPositive(event: Positive, task: number): boolean {
    return (this.value(event, task) ?? 0) > 0
  }

  /** undefined: what the label comes from is missing. Of labels, only `equals` to a field of the context is known here. */
  value(event: Positive, index: number): number | undefined {
    const { head, label } = this.tasks[index]!
    if (label.equals !== undefined) {
      const text = event.context?.[label.from?.slice('context.'.length) ?? '']
      return text === undefined ? undefined : Number(label.equals.includes(text))
    }
    if (head !== 'binary') return event.value
    return event.value >= (label.atLeast ?? Number.NEGATIVE_INFINITY) ? 1 : 0
  }

  /** The task that must have happened where this one is credited. */
  creditedBy(task: number): number | undefined {
    return this.tasks[task]!.label.attribution === 'given' ? this.before(task) : undefined
  }

  /** In the order in which they are labelled: what one says, the next may need. */
  windowed(event: Positive): number[] {
    return this.ofKind(event).filter(task => {
      const value = this.value(event, task)
      return this.isEntireSpace(task) ? value !== 0 : value !== undefined
    })
  }

  ofKind(event: Positive): number[] {
    const tasks = this.where(task => task.label.event === event.kind && task.label.window !== undefined)
    const order = (task: number) => {
      const { window, attribution } = this.tasks[task]!.label
      return [window!, ['last', 'given', 'all'].indexOf(attribution), this.creditedBy(task) ?? -1]
    }
    return tasks.sort(
      (a, b) =>
        order(a)
          .map((x, i) => x - order(b)[i]!)
          .find(x => x !== 0) ?? a - b,
    )
  }

  isEntireSpace(task: number): boolean {
    return this.tasks[task]!.head === 'binary' && this.tasks[task]!.label.event !== 'rating'
  }

  where(test: (task: TaskConfig) => boolean): number[] {
    return this.tasks.flatMap((task, index) => (test(task) ? [index] : []))
  }
}

function masksOf(labels: Map<number, number>, bits: (task: number) => number): Map<number, number> {
  return new Map([...labels.keys()].map(task => [task, bits(task)] as const).filter(([, own]) => own > 0))
}
