/**
 * The two ends of a session: where events come from and how outputs get out. Files at both, or Kafka at one or both; the
 * pipeline between them is the same.
 */
import type { PipelineParts } from '../pipeline/pipeline.js'
import type { Relearning } from '../pipeline/relearning.js'
import type { Delivery } from '../sink/delivery.js'
import type { JournalRecord } from '../sink/output-records.js'
import type { Manifest } from '../snapshot/checkpoint.js'
import type { MergeDecision, Source, UnknownSchema } from '../source/source.js'
import type { JournalTail } from './journal-tail.js'

export interface Ends {
  source: Source
  delivery: Delivery
  /** Undefined: the source ends. */
  live: PipelineParts['live']
  journalTail: Pick<JournalTail, 'keep' | 'drop' | 'discard'>
  /** What depends on more than the log; belongs into the journal. */
  onDecision(handlers: DecisionHandlers): void
  /** When the state is restored and before the source is opened: takes the outputs over, and says what is to be learned again. */
  recover(
    parts: PipelineParts,
    checkpoint: Manifest | undefined,
    /** What journalTail.keep() gave. */
    tail: readonly JournalRecord[],
  ): Promise<Relearning | undefined>
  /** Of an open source that nothing was restored for. */
  startOffsets(): bigint[]
}

export interface DecisionHandlers {
  /** The wall clock's, about the order of partitions. */
  merge(decision: MergeDecision): void
  /** The registry's. */
  unknownSchema(unknown: UnknownSchema): void
}

export type Closers = (() => Promise<void>)[]
