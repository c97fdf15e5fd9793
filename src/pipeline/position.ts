import type { MergeDecision, UnknownSchema } from '../source/source.js'

/** How far the log has been read, and the stream's time. One of these per pipeline; everything that is written carries it. */
export class Position {
  /** Next offset of each partition. */
  nextOffsets: bigint[] = []
  /** Records read of all partitions. */
  records = 0
  /** Highest event time admitted. */
  eventTimeMs = 0
  /** Event time of the first record admitted. */
  firstEventTimeMs = 0
  /** The log's end was reached and nothing has come since: what waited has had its last word. */
  ended = false
  /** Restored: which partitions were idle, for a source whose order depends on that. */
  standing: readonly MergeDecision[] = []
  /** Restored: records behind this position that were rejected for an unknown schema already. */
  unknownAhead: readonly UnknownSchema[] = []

  admitted(eventTimeMs: number): void {
    if (this.firstEventTimeMs === 0) this.firstEventTimeMs = eventTimeMs
    if (eventTimeMs > this.eventTimeMs) this.eventTimeMs = eventTimeMs
  }

  toJson(): PositionState {
    const { records, eventTimeMs, firstEventTimeMs, ended, standing } = this
    const unknownAhead = this.unknownAhead.map(({ partition, offset }) => ({ partition, offset: String(offset) }))
    const nextOffsets = this.nextOffsets.map(String)
    return { nextOffsets, records, eventTimeMs, firstEventTimeMs, ended, standing, unknownAhead }
  }

  fromJson(state: PositionState): void {
    this.nextOffsets = state.nextOffsets.map(BigInt)
    this.records = state.records
    this.eventTimeMs = state.eventTimeMs
    this.firstEventTimeMs = state.firstEventTimeMs
    this.ended = state.ended
    this.standing = state.standing
    this.unknownAhead = state.unknownAhead.map(({ partition, offset }) => ({ partition, offset: BigInt(offset) }))
  }
}

export interface PositionState {
  nextOffsets: string[]
  records: number
  eventTimeMs: number
  firstEventTimeMs: number
  ended: boolean
  standing: readonly MergeDecision[]
  unknownAhead: readonly { partition: number; offset: string }[]
}
