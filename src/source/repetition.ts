/**
 * Reads again what an earlier run has read: the same records in the same order, by the decisions that it recorded, up to
 * the offsets that it reached. Not one record beyond them is given before all are there, because its outputs would be
 * taken for published ones.
 *
 * A log that was compacted meanwhile, or has lost records, does not fit what was recorded of it. Then the order can not be
 * repeated, but what was published must still not be published again: what is left before the offsets is read in the
 * order of its times, and the program's log says so. A reading that is to end there (a replay) is a failure then.
 */
import type { MillraceError } from '../domain/errors.js'
import type { Log } from '../observe/log.js'
import { type EventTimeMerge, type MergeLane, UNFIT } from './merge.js'
import type { MergeDecision, UnknownSchema } from './source.js'

/** Where a restored state stands. */
export interface Resume {
  /** Names of its partitions, in its order. */
  partitions: readonly string[]
  /** Records that it has seen. */
  records: number
  /** standing() as of the checkpoint, then what onDecision gave behind it. */
  decisions: readonly MergeDecision[]
  /** By partition: before these offsets the decisions rule, not the clock. */
  until: readonly bigint[]
  /** What onUnknownSchema gave: unknownAhead() as of the checkpoint, and behind it. */
  unknown?: readonly UnknownSchema[]
  /** Reading ends there, instead of going on live. */
  thenEnd?: boolean
}

/** The state's partitions in its order, then those that were added behind it, in theirs. */
export function knownNames({ partitions, decisions }: Pick<Resume, 'partitions' | 'decisions'>): string[] {
  const added = decisions.flatMap(({ name }) => (name === undefined || partitions.includes(name) ? [] : [name]))
  return [...partitions, ...added]
}

/** A partition that may have been read before. */
export interface OrderedLane extends MergeLane {
  readonly index: number
  readonly name: string
  /** Whether no record before this offset is left to be taken. */
  isPast(offset: bigint): boolean
}

interface RepetitionParts<L> {
  /** In the order of their indices. */
  lanes: readonly L[]
  merge: EventTimeMerge
  /** The fault that the log does not hold what was recorded of it up to these places. */
  lost(places: string): MillraceError
  logger: Log
}

export class Repetition<L extends OrderedLane> {
  readonly #resume: Resume
  readonly #parts: RepetitionParts<L>
  #isUnfit = false
  #isOver = false

  constructor(resume: Resume, parts: RepetitionParts<L>) {
    this.#resume = resume
    this.#parts = parts
    parts.merge.follow(resume.decisions)
  }

  get thenEnd(): boolean {
    return this.#resume.thenEnd === true
  }

  /** The lane whose head comes next; undefined: it has to arrive first. */
  next(): L | 'done' | undefined {
    const { lanes, merge } = this.#parts
    if (this.#isOver || lanes.every(({ index }) => this.#isPast(index))) {
      merge.settle()
      if (merge.following) this.giveUp()
      return 'done'
    }
    if (this.#isUnfit) return this.#earliest()
    const index = merge.next(undefined, partition => this.#isPast(partition))
    if (index !== UNFIT) return lanes[index]
    this.giveUp()
    return this.#earliest()
  }

  /** What was recorded does not lead on. */
  giveUp(): void {
    const { lanes, merge, lost, logger } = this.#parts
    const fault = lost(this.#resume.until.map((offset, index) => `${lanes[index]?.name} ${offset}`).join(', '))
    if (this.thenEnd) throw fault
    if (this.#isUnfit) this.#isOver = true
    else logger.warn({ decisions: merge.abandon() }, `${fault.message}: the rest is read in the order of its times`)
    this.#isUnfit = true
  }

  #isPast(partition: number): boolean {
    return this.#parts.lanes[partition]?.isPast(this.#resume.until[partition] ?? 0n) ?? true
  }

  #earliest(): L | undefined {
    let earliest: L | undefined
    for (const lane of this.#parts.lanes) {
      if (this.#isPast(lane.index)) continue
      if (lane.length === 0) return undefined
      // One without a time comes at once, as in the merge.
      if (Number.isNaN(lane.timeMs(0))) earliest = lane
      else if (earliest === undefined || lane.timeMs(0) < earliest.timeMs(0)) earliest = lane
    }
    if (earliest !== undefined) this.#parts.merge.pass()
    return earliest
  }
}
