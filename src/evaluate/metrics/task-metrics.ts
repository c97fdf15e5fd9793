/** Which labels a figure covers: all, or those of cold users, of cold items, or of neither. A cold user's cold item counts in both. */
export type LabelSplit = 'all' | 'cold-user' | 'cold-item' | 'warm'

/** Of the next item: whether the user had it before. Of a calibrated task: what the model said before that. */
export type Split = LabelSplit | 'new' | 'repeated' | 'uncalibrated'

export const SPLITS: readonly LabelSplit[] = ['all', 'cold-user', 'cold-item', 'warm']

/**
 * Only what is defined is there; no NaN. Binary tasks have the first group, all other tasks the second, the next item the last;
 * categorical tasks the first, of the classes that are asked for, and one of all classes.
 */
export interface MetricValues {
  auc?: number
  logLoss?: number
  normalisedEntropy?: number
  pcoc?: number
  accuracy?: number
  precision?: number
  recall?: number
  f1?: number

  crossEntropy?: number
  majorityCrossEntropy?: number
  classAccuracy?: number
  majorityAccuracy?: number

  rmse?: number
  mae?: number

  meanPrediction?: number
  meanLabel?: number

  recallAt10?: number
  ndcgAt10?: number
  mrr?: number
}

export type MetricName = keyof MetricValues

export interface TaskMetrics {
  task: string
  split: Split
  /** Labels judged. */
  count: number
  /** Of them positive; 0 for tasks that are not binary. */
  positives: number
  values: MetricValues
}

/** The figures of labels by how many events their user, or their item, had had when the example arrived. */
export interface ExperienceMetrics {
  task: string
  side: 'user' | 'item'
  /** One of EXPERIENCE_BANDS. */
  events: string
  /** Labels judged. */
  count: number
  positives: number
  values: MetricValues
}

/** Leaves out what is undefined or not finite. */
export function definedValues(candidates: { [name in MetricName]?: number | undefined }): MetricValues {
  const values: MetricValues = {}
  for (const [name, value] of Object.entries(candidates)) {
    if (value !== undefined && Number.isFinite(value)) values[name as MetricName] = value
  }
  return values
}
