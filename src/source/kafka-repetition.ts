/**
 * Reads again what an earlier run has read: the same records in the same order, by the decisions that it recorded, up to
 * the offsets that it reached. Not one record beyond them is given before all are there, because its outputs would be
 * taken for published ones.
 *
 * A log that was compacted meanwhile, or has lost records, does not fit what was recorded of it. Then the order can not be
 * repeated, but what was published must still not be published again: what is left before the offsets is read in the
 * order of its times, and the log says so. A reading that is to end there (a replay) is a failure then.
 */
import { MillraceError } from '../domain/errors.js'
import type { Log } from '../observe/log.js'
import type { KafkaLane } from './kafka-lane.js'
import type { KafkaLanes } from './kafka-lanes.js'
import { type EventTimeMerge, UNFIT } from './merge.js'
import type { MergeDecision, UnknownSchema } from './source.js'

/** Where a restored state stands. */
export interface KafkaResume {
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

export class Repetition {
  readonly #resume: KafkaResume
  readonly #lanes: KafkaLanes
  readonly #merge: EventTimeMerge
  readonly #logger: Log
  #isUnfit = false
  #isOver = false

  constructor(resume: KafkaResume, parts: { lanes: KafkaLanes; merge: EventTimeMerge; logger: Log }) {
    this.#resume = resume
    this.#lanes = parts.lanes
    this.#merge = parts.merge
    this.#logger = parts.logger
    parts.merge.follow(resume.decisions)
  }

  /** What was recorded did not lead on: records are missing. */
  get isUnfit(): boolean {
    return this.#isUnfit
  }

  /** The offset of the partition before which nothing is left to be taken, at most the one that was reached. */
  passed(partition: number): bigint {
    return this.#isPast(partition) ? (this.#resume.until[partition] ?? 0n) : 0n
  }

  get thenEnd(): boolean {
    return this.#resume.thenEnd === true
  }

  /** The lane whose head comes next; undefined: it has to arrive first. */
  next(): KafkaLane | 'done' | undefined {
    if (this.#isOver || this.#lanes.all.every(({ index }) => this.#isPast(index))) {
      this.#merge.settle()
      if (this.#merge.following) this.giveUp()
      return 'done'
    }
    if (this.#isUnfit) return this.#earliest()
    const index = this.#merge.next(undefined, partition => this.#isPast(partition))
    if (index !== UNFIT) return this.#lanes.all[index]
    this.giveUp()
    return this.#earliest()
  }

  /** What was recorded does not lead on. */
  giveUp(): void {
    const places = this.#resume.until.map((offset, index) => `${this.#lanes.all[index]?.name} ${offset}`)
    const what = `the topics do not hold what was recorded of them up to ${places.join(', ')}, maybe they were compacted`
    if (this.thenEnd) throw new MillraceError('KAFKA_OFFSET_LOST', what)
    if (this.#isUnfit) this.#isOver = true
    else this.#logger.warn({ decisions: this.#merge.abandon() }, `${what}: the rest is read in the order of its times`)
    this.#isUnfit = true
  }

  #isPast(partition: number): boolean {
    return this.#lanes.all[partition]?.isPast(this.#resume.until[partition] ?? 0n) ?? true
  }

  #earliest(): KafkaLane | undefined {
    let earliest: KafkaLane | undefined
    for (const lane of this.#lanes.all) {
      if (this.#isPast(lane.index)) continue
      if (lane.length === 0) return undefined
      // One without a time comes at once, as in the merge.
      if (Number.isNaN(lane.timeMs(0))) earliest = lane
      else if (earliest === undefined || lane.timeMs(0) < earliest.timeMs(0)) earliest = lane
    }
    if (earliest !== undefined) this.#merge.pass()
    return earliest
  }
}
