/** The named outputs. The pipeline knows these names and shapes; which file or topic they go to is the composition's business. */
import type { Prediction } from '../domain/prediction.js'
import type {
  DeadLetterRecord,
  JournalRecord,
  MetricRecord,
  RecommendationRecord,
  SnapshotRecord,
} from '../sink/output-records.js'
import type { Sink } from '../sink/sink.js'

export type FlushTrigger = JournalRecord['trigger']

export interface Outputs {
  /** First, because it must be durable before what it explains. */
  journal: Sink<JournalRecord>
  predictions: Sink<Prediction>
  recommendations: Sink<RecommendationRecord>
  metrics: Sink<MetricRecord>
  snapshots: Sink<SnapshotRecord>
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
