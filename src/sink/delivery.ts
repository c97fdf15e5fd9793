/**
 * How all outputs of one learner get out together. The pipeline appends to `outputs` and commits; whether that is files
 * or one Kafka transaction is the composition's business.
 *
 * Call order: recover(), once, when this instance is the one that learns, and again whenever it becomes that anew; then
 * append() and commit() in any number; then close(). recover() takes the outputs over: an older instance that still runs
 * can not commit from then on. Before recover() nothing is sent, so an instance that stands by disturbs nobody.
 *
 * commit() takes what has been appended until the call, at once: what is appended while it runs belongs to the next
 * one. Commits happen one after another, in the order of the calls. When it resolves, everything appended before it and
 * `offsets` are durable and visible together: a read_committed reader sees both or neither, whatever dies meanwhile. What
 * can be tried again is tried again with the same content until it succeeds or close() is called; a commit that rejects
 * has changed nothing that readers see, and all later ones reject as well. Without exactly-once (files, at-least-once)
 * outputs become durable before the offsets do, so that after a crash some may be there twice, and none is missing.
 *
 * flush() of a single output does not make it visible where delivery is transactional; only commit() does.
 *
 * close() writes what a plain output still holds open; it does not commit. A commit that still waits for the broker
 * rejects with KAFKA_UNREACHABLE.
 *
 * Errors: DISK_FULL, OUTPUT_FAILED; KAFKA_FENCED, KAFKA_REFUSED, KAFKA_TOPIC, KAFKA_TOO_LARGE, KAFKA_UNREACHABLE.
 */
import type { Prediction } from '../domain/prediction.js'
import type {
  DeadLetterRecord,
  JournalRecord,
  KeyedSnapshot,
  MetricRecord,
  RecommendationRecord,
} from './output-records.js'
import type { Sink } from './sink.js'

/** The named outputs. Callers know these names and shapes, never a file or a topic. */
export interface Outputs {
  /** First, because it must be durable before what it explains. */
  journal: Sink<JournalRecord>
  predictions: Sink<Prediction>
  recommendations: Sink<RecommendationRecord>
  metrics: Sink<MetricRecord>
  snapshots: Sink<KeyedSnapshot>
  deadLetters: Sink<DeadLetterRecord>
}

export const OUTPUT_NAMES = [
  'journal',
  'predictions',
  'recommendations',
  'metrics',
  'snapshots',
  'deadLetters',
] as const satisfies readonly (keyof Outputs)[]

export type OutputName = (typeof OUTPUT_NAMES)[number]

/** How far a partition of the source has been consumed. */
export interface ConsumedPartition {
  /** Its name, as the source has it; for Kafka `topic/partition`. */
  partition: string
  /** The next offset to read. */
  next: bigint
}

export interface Recovered {
  /** Next offsets as committed with the outputs, by partition name; empty if there never was a commit. */
  offsets: Map<string, bigint>
  /** The journal from the wanted entry on, in order. */
  journal: JournalRecord[]
}

export interface Delivery {
  readonly outputs: Outputs
  /** Takes over; drops what was appended and not committed. fromSeq: number of the first journal entry that is wanted. */
  recover(fromSeq: number): Promise<Recovered>
  commit(offsets: readonly ConsumedPartition[]): Promise<void>
  close(): Promise<void>
}
