/**
 * In which order the records of partitions that grow are read: by the merge, and after a crash first as the run before
 * has read them (repetition.ts). Sources bring the records of their lanes up and ask for the lane whose head comes next.
 *
 * Life: next() gives lanes of the repetition until `isRepeated`; then the source ends (`thenEnd`) or calls goLive(), and
 * from there on the clock may decide. Without a resume it is live from the start. Lanes may be added behind the others at
 * any time: joinLate() lets them take part.
 */
import type { MillraceError } from '../domain/errors.js'
import type { Log } from '../observe/log.js'
import { EventTimeMerge } from './merge.js'
import { knownNames, type OrderedLane, Repetition, type Resume } from './repetition.js'
import type { MergeDecision } from './source.js'

interface ReadingOrderOptions<L> {
  /** In the order of their indices; may grow. */
  lanes: readonly L[]
  maxFutureMs: number
  idleMs: number
  /** What the clock decided; belongs into the journal. */
  onDecision(decision: MergeDecision): void
  /** Where a restored state stands. */
  resume: Resume | undefined
  /** See Repetition. */
  lost(places: string): MillraceError
  logger: Log
}

export class ReadingOrder<L extends OrderedLane> {
  readonly #options: ReadingOrderOptions<L>
  readonly #merge: EventTimeMerge
  #repetition: Repetition<L> | undefined
  #isRepeated = false

  constructor(options: ReadingOrderOptions<L>) {
    const { lanes, maxFutureMs, idleMs, resume } = options
    this.#options = options
    this.#merge = new EventTimeMerge({
      maxFutureMs,
      idleMs,
      records: resume?.records ?? 0,
      onDecision: options.onDecision,
    })
    const known = resume === undefined ? lanes.length : knownNames(resume).length
    for (const lane of lanes.slice(0, known)) {
      if (resume === undefined || lane.index < resume.partitions.length) this.#merge.add(lane)
      else this.#merge.addIdle(lane)
    }
    if (resume === undefined) return
    this.#repetition = new Repetition(resume, { ...options, merge: this.#merge })
  }

  /** Partitions that the merge does not have yet: added while running. */
  joinLate(): void {
    if (this.#repetition !== undefined) return
    for (const lane of this.#options.lanes.slice(this.#merge.size)) this.#merge.addIdle(lane, lane.name)
  }

  /** The lane whose head comes next, which the caller takes; undefined: records have to arrive, or time to pass. nowMs as in EventTimeMerge.next. */
  next(nowMs: number | undefined): L | undefined {
    if (this.#repetition === undefined) return this.#options.lanes[this.#merge.next(nowMs)]
    const lane = this.#repetition.next()
    if (lane !== 'done') return lane
    // What is decided from here on is news, and belongs behind what the caller makes of this batch.
    this.#isRepeated = true
    return undefined
  }

  /** What was to be repeated has been: the reading ends, or goes on live. */
  get isRepeated(): boolean {
    return this.#isRepeated
  }

  /** The reading ends where the repetition does. */
  get thenEnd(): boolean {
    return this.#repetition?.thenEnd === true
  }

  goLive(): void {
    this.#isRepeated = false
    this.#repetition = undefined
    this.joinLate()
    this.#options.logger.info({ records: this.#merge.records }, 'reading goes on live')
  }

  /** Whether the records given so far, or the next ones, are a repetition. */
  get following(): boolean {
    return this.#repetition !== undefined && !this.#isRepeated
  }

  /** All that there is has been read, and what was recorded does not lead on. */
  giveUp(): void {
    this.#repetition?.giveUp()
  }

  /** See Source.standing. */
  standing(): MergeDecision[] {
    return this.#merge.standing()
  }

  isIdle(partition: number): boolean {
    return this.#merge.isIdle(partition)
  }
}
