/**
 * What the dashboard shows of one instance, kept small: series are thinned, lists bounded. The session tells it what it
 * learns (figures, alarms, snapshots) and hands in functions that look at what it counts anyway; sample() calls them, a
 * few times a second. Nothing here is asked of the learner, and nothing of it goes back.
 */
import type { Clock } from '../../std/clock.js'
import type { About, Alarm, Changes, Curve, Now, PacePoint, Snapshot, Status, WindowPoint } from './status.js'
import { Thinned } from './thinned.js'
import { mergePace, mergeWindows } from './windows.js'

const MAX_WINDOWS = 256
const MAX_PACE = 240
const MAX_ALARMS = 64
const MAX_SNAPSHOTS = 32
/** Changes that a page that was away can still be told one by one. */
const KEPT_CHANGES = 512
/** The rate is of about so many samples. */
const RATE_SAMPLES = 5

/** What is looked at when a sample is taken; what is absent keeps its last value. */
export type Reading = Partial<Omit<Now, 'at' | 'eventsPerSecond'>>

export interface Change {
  id: number
  kind: keyof Changes
  /** JSON, made once for all who listen. */
  text: string
}

const NOTHING: Omit<Now, 'at'> = {
  state: 'starting',
  text: '',
  records: 0,
  share: null,
  eventTime: null,
  eventsPerSecond: 0,
  lag: null,
  freshnessSeconds: null,
  step: 0,
  loss: null,
  events: {},
  rejects: {},
  drops: {},
  labels: { waiting: 0, matured: 0, attributed: {}, organic: 0, late: 0, maturity: {} },
}

export class Telemetry {
  readonly #clock: Clock
  readonly #windows = new Thinned<WindowPoint>(MAX_WINDOWS, mergeWindows)
  readonly #pace = new Thinned<PacePoint>(MAX_PACE, mergePace)
  readonly #alarms: Alarm[] = []
  readonly #snapshots: Snapshot[] = []
  readonly #listeners = new Set<(change: Change) => void>()
  readonly #changes: Change[] = []
  #readers: (() => Reading)[] = []
  readonly #seen: { atMs: number; records: number }[] = []
  #calibration: Curve[] = []
  #about: About
  #now: Now
  #id = 0
  #sampled = ''

  constructor(about: Omit<About, 'startedAt'>, clock: Clock) {
    this.#clock = clock
    const at = clock.nowMs()
    this.#about = { ...about, startedAt: at }
    this.#now = { at, ...NOTHING }
  }

  /** Tells this instance's changes from those of another process. */
  get epoch(): number {
    return this.#about.startedAt
  }

  get now(): Now {
    return this.#now
  }

  describe(more: Partial<About>): void {
    this.#about = { ...this.#about, ...more }
    this.#change('about', this.#about)
  }

  /** Called with every sample, in this order, later ones overrule; returns what takes it out again. */
  read(reader: () => Reading): () => void {
    this.#readers.push(reader)
    return () => {
      this.#readers = this.#readers.filter(other => other !== reader)
    }
  }

  /** Looks at what there is now and tells it, if it is something new. */
  sample(): void {
    const reading = Object.assign({}, ...this.#readers.map(read => read())) as Reading
    const { records } = { ...this.#now, ...reading }
    const atMs = this.#clock.monotonicMs()
    // A restored run begins far on, which is no speed.
    if (this.#seen.length > 0 && this.#seen.at(-1)?.records === 0) this.#seen.length = 0
    this.#seen.push({ atMs, records })
    if (this.#seen.length > RATE_SAMPLES) this.#seen.shift()
    const first = this.#seen[0]
    const seconds = first === undefined ? 0 : (atMs - first.atMs) / 1000
    const eventsPerSecond = first === undefined || seconds <= 0 ? 0 : round((records - first.records) / seconds)
    const sampled = JSON.stringify({ ...this.#now, ...reading, eventsPerSecond, at: 0 })
    if (sampled === this.#sampled) return
    this.#sampled = sampled
    const at = this.#clock.nowMs()
    this.#now = { ...this.#now, ...reading, eventsPerSecond, at }
    this.#change('now', this.#now)
    const { lag, freshnessSeconds } = this.#now
    const pace = { at, eventsPerSecond, lag, freshnessSeconds }
    this.#pace.add(pace)
    this.#change('pace', pace)
  }

  window(point: WindowPoint): void {
    this.#windows.add(point)
    this.#change('window', point)
  }

  calibration(curves: Curve[]): void {
    this.#calibration = curves
    this.#change('calibration', curves)
  }

  alarm(alarm: Alarm): void {
    bounded(this.#alarms, alarm, MAX_ALARMS)
    this.#change('alarm', alarm)
  }

  snapshot(snapshot: Snapshot): void {
    bounded(this.#snapshots, snapshot, MAX_SNAPSHOTS)
    this.#change('snapshot', snapshot)
  }

  /** What a restored run has behind it. Tells all of it. */
  restore(windows: readonly WindowPoint[], alarms: readonly Alarm[]): void {
    for (const point of windows) this.#windows.add(point)
    for (const alarm of alarms) bounded(this.#alarms, alarm, MAX_ALARMS)
    this.#change('status', this.status())
  }

  status(): Status {
    return {
      id: this.#id,
      about: this.#about,
      now: this.#now,
      pace: [...this.#pace.points],
      windows: [...this.#windows.points],
      calibration: this.#calibration,
      alarms: [...this.#alarms],
      snapshots: [...this.#snapshots],
    }
  }

  /** The changes behind this one, or undefined: they are no longer all there. */
  since(id: number): readonly Change[] | undefined {
    const first = this.#changes[0]?.id ?? this.#id + 1
    return id >= first - 1 && id <= this.#id ? this.#changes.filter(change => change.id > id) : undefined
  }

  /** Told every change from now on, until the returned function is called. */
  listen(listener: (change: Change) => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  #change<K extends keyof Changes>(kind: K, data: Changes[K]): void {
    const id = ++this.#id
    const text = JSON.stringify(kind === 'status' ? { ...data, id } : data)
    const change = { id, kind, text }
    bounded(this.#changes, change, KEPT_CHANGES)
    for (const listener of this.#listeners) listener(change)
  }
}

function bounded<T>(list: T[], value: T, max: number): void {
  list.push(value)
  if (list.length > max) list.shift()
}

const round = (value: number) => Math.round(value * 10) / 10
