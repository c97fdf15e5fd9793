/**
 * The join as the rules say it, with objects and full scans: slow, and nothing in it is clever. Only the draw of
 * negatives is the real one (it has tests of its own).
 */
import type { Config, TaskConfig } from '../../src/config/schema.js'
import type { Impression, Positive } from '../../src/domain/event.js'
import type { JoinPorts } from '../../src/join/join.js'
import { RecentItems } from '../../src/join/negatives.js'
import { Random } from '../../src/std/random.js'

interface Shown {
  event: Impression
  row: number
  baseMs: number
  labels: Map<number, number>
  openWindows: Set<number>
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
    this.windows = [...new Set(tasks.flatMap(task => task.label.window ?? []))]
  }

  handle(event: Impression | Positive): void {
    if (event.eventTimeMs < this.watermarkMs && this.config.late === 'drop') this.ports.drop('late', 1)
    else if (event.kind === 'impression') this.impression(event)
    else this.positive(event)
  }

  impression(event: Impression): void {
    if (this.windows.length === 0) {
      this.ports.release(this.ports.arrive(event, true))
      return
    }
    if (this.shown.length >= this.config.maxWaiting) {
      this.ports.drop('capacity', 1)
      this.mature(this.shown[0]!, [...this.shown[0]!.openWindows])
    }
    const row = this.ports.arrive(event, true)
    const baseMs = Math.max(event.eventTimeMs, this.watermarkMs, this.shown.at(-1)?.baseMs ?? Number.NEGATIVE_INFINITY)
    const shown = { event, row, baseMs, labels: new Map<number, number>(), openWindows: new Set(this.windows) }
    this.shown.push(shown)
    for (const orphan of this.orphans) {
      if (orphan.found) continue
      const tasks = this.windowed(orphan.event).filter(task => this.fits(shown, orphan.event, task))
      for (const task of tasks) this.label(shown, orphan.event, task)
      if (tasks.length === 0) continue
      orphan.found = true
      for (const row of orphan.rows) this.ports.release(row)
    }
  }

  positive(event: Positive): void {
    const instant = this.where(task => task.label.event === event.kind && task.label.window === undefined)
    if (instant.length > 0) {
      const row = this.ports.arrive({ ...event, position: null }, false)
      const values = new Map(instant.map(task => [task, this.value(event, task)]))
      this.call(row, values, true, event.eventTimeMs, values)
      this.ports.release(row)
    }
    const windowed = this.windowed(event)
    if (windowed.length > 0) {
      let found = false
      for (const task of windowed) {
        const candidates = this.shown.filter(shown => this.fits(shown, event, task))
        const latest = (among: Shown[]) => among.reduce((a, b) => (b.event.eventTimeMs >= a.event.eventTimeMs ? b : a))
        const requested = candidates.filter(shown => this.isRequested(shown, event))
        if (candidates.length === 0) continue
        found = true
        if (requested.length > 0) this.label(latest(requested), event, task)
        else if (this.tasks[task]!.label.attribution === 'last') this.label(latest(candidates), event, task)
        else for (const shown of candidates) this.label(shown, event, task)
      }
      if (!found) this.wait(event, windowed)
    }
    this.recent.add(event.item)
  }

  wait(event: Positive, windowed: number[]): void {
    if (this.orphans.length >= this.config.maxWaiting) {
      if (!this.orphans[0]!.found) this.ports.drop('capacity', 1)
      this.decide(this.orphans[0]!)
    }
    const rows: number[] = []
    if (this.config.organic !== 'drop') rows.push(this.ports.arrive({ ...event, position: null }, true))
    if (this.config.organic === 'negatives' && windowed.some(task => this.isEntireSpace(task))) {
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
    if (this.config.organic === 'drop') this.ports.drop('organic', 1)
    for (const [index, row] of orphan.rows.entries()) {
      const labels = new Map<number, number>()
      for (const task of this.windowed(orphan.event)) {
        if (index === 0) labels.set(task, this.value(orphan.event, task))
        else if (this.isEntireSpace(task)) labels.set(task, 0)
      }
      this.call(row, labels, false, orphan.event.eventTimeMs)
      this.ports.release(row)
    }
  }

  mature(shown: Shown, windows: number[]): void {
    const labels = new Map<number, number>()
    for (const window of windows) {
      shown.openWindows.delete(window)
      for (const task of this.where(task => task.label.window === window)) {
        const label = shown.labels.get(task) ?? (this.isEntireSpace(task) ? 0 : undefined)
        if (label !== undefined) labels.set(task, label)
      }
    }
    this.call(shown.row, labels, false, shown.event.eventTimeMs, shown.labels)
    if (shown.openWindows.size > 0) return
    this.shown = this.shown.filter(other => other !== shown)
    this.ports.release(shown.row)
  }

  call(
    row: number,
    labels: Map<number, number>,
    fresh: boolean,
    timeMs: number,
    known = new Map<number, number>(),
  ): void {
    if (labels.size === 0) return
    const values = Float32Array.from(this.tasks, (_, task) => labels.get(task) ?? 0)
    const mask = Uint8Array.from(this.tasks, ({ given }, task) => {
      const before = this.tasks.findIndex(({ name }) => name === given)
      if (!labels.has(task)) return 0
      return before >= 0 && ((known.get(before) ?? 0) > 0 || labels.get(task)! > 0) ? 3 : 1
    })
    this.ports.mature(row, values, mask, fresh, timeMs)
  }

  fits(shown: Shown, event: Positive, task: number): boolean {
    const windowMs = this.tasks[task]!.label.window!
    const isPair = shown.event.user === event.user && shown.event.item === event.item
    const isOpen = shown.openWindows.has(windowMs) && event.eventTimeMs <= shown.event.eventTimeMs + windowMs
    return isPair && isOpen && (shown.event.eventTimeMs <= event.eventTimeMs || this.isRequested(shown, event))
  }

  isRequested(shown: Shown, event: Positive): boolean {
    return event.requestId !== null && shown.event.requestId === event.requestId
  }

  label(shown: Shown, event: Positive, task: number): void {
    if (!shown.labels.has(task)) shown.labels.set(task, this.value(event, task))
  }

  value(event: Positive, index: number): number {
    const task = this.tasks[index]!
    if (task.head !== 'binary') return event.value
    return event.value >= (task.label.atLeast ?? Number.NEGATIVE_INFINITY) ? 1 : 0
  }

  windowed(event: Positive): number[] {
    return this.where(task => task.label.event === event.kind && task.label.window !== undefined)
  }

  isEntireSpace(task: number): boolean {
    return this.tasks[task]!.head === 'binary' && this.tasks[task]!.label.event !== 'rating'
  }

  where(test: (task: TaskConfig) => boolean): number[] {
    return this.tasks.flatMap((task, index) => (test(task) ? [index] : []))
  }
}
