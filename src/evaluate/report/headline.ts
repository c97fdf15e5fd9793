/** The one figure that a task is compared by: AUC for binary tasks, RMSE for numeric ones. And how figures are written. */
import { isProbability } from '../../domain/heads.js'
import type { MetricName, MetricValues, Split } from '../metrics/task-metrics.js'
import type { ReportedTask } from './report.js'

interface MetricStyle {
  /** Short, for the heads of tables. */
  label: string
  title?: string
  /** What a better value does; 'one' = nearer to 1; undefined = neither is better. */
  better: 'higher' | 'lower' | 'one' | undefined
  decimals: number
}

export const METRICS: Record<MetricName, MetricStyle> = {
  auc: { label: 'AUC', better: 'higher', decimals: 4 },
  logLoss: { label: 'log loss', better: 'lower', decimals: 5 },
  normalisedEntropy: { label: 'norm. entropy', title: 'normalised entropy', better: 'lower', decimals: 4 },
  pcoc: { label: 'PCOC', better: 'one', decimals: 3 },
  accuracy: { label: 'accuracy', better: 'higher', decimals: 4 },
  precision: { label: 'precision', better: 'higher', decimals: 4 },
  recall: { label: 'recall', better: 'higher', decimals: 4 },
  f1: { label: 'F1', better: 'higher', decimals: 4 },
  crossEntropy: { label: 'cross-entropy', better: 'lower', decimals: 5 },
  majorityCrossEntropy: {
    label: 'of the shares',
    title: 'cross-entropy of the shares',
    better: undefined,
    decimals: 5,
  },
  classAccuracy: { label: 'class accuracy', better: 'higher', decimals: 4 },
  majorityAccuracy: {
    label: 'of the most frequent',
    title: 'accuracy of the most frequent class',
    better: undefined,
    decimals: 4,
  },
  rmse: { label: 'RMSE', better: 'lower', decimals: 4 },
  mae: { label: 'MAE', better: 'lower', decimals: 4 },
  meanPrediction: { label: 'mean predicted', better: undefined, decimals: 5 },
  meanLabel: { label: 'mean label', better: undefined, decimals: 5 },
  recallAt10: { label: 'R@10', title: 'recall at 10', better: 'higher', decimals: 4 },
  ndcgAt10: { label: 'NDCG@10', better: 'higher', decimals: 4 },
  mrr: { label: 'MRR', title: 'mean reciprocal rank', better: 'higher', decimals: 4 },
}

const BINARY_METRICS: readonly MetricName[] = [
  'auc',
  'logLoss',
  'normalisedEntropy',
  'pcoc',
  'accuracy',
  'precision',
  'recall',
  'f1',
]
/** Of all classes; tables have them apart from those of the classes that are asked for. */
export const CLASS_METRICS: readonly MetricName[] = [
  'crossEntropy',
  'majorityCrossEntropy',
  'classAccuracy',
  'majorityAccuracy',
]
const NUMERIC_METRICS: readonly MetricName[] = ['rmse', 'mae', 'meanPrediction', 'meanLabel']
const TOP_N_METRICS: readonly MetricName[] = ['recallAt10', 'ndcgAt10', 'mrr']

export const SPLIT_LABELS: Record<Split, string> = {
  all: 'all',
  warm: 'warm',
  'cold-user': 'cold user',
  'cold-item': 'cold item',
  new: 'new to the user',
  repeated: 'repeated',
  uncalibrated: 'uncalibrated',
}

export function headlineMetric(task: Pick<ReportedTask, 'head'>): MetricName {
  return metricsOfTask(task)[0] ?? 'auc'
}

export function metricsOfTask(task: Pick<ReportedTask, 'head'>): readonly MetricName[] {
  if (task.head === 'top-n') return TOP_N_METRICS
  return isProbability(task.head) ? BINARY_METRICS : NUMERIC_METRICS
}

/** Those of its classes too. */
export function figuresOfTask(task: Pick<ReportedTask, 'head'>): readonly MetricName[] {
  return task.head === 'categorical' ? [...metricsOfTask(task), ...CLASS_METRICS] : metricsOfTask(task)
}

export function totalsOf(task: ReportedTask, split: Split): MetricValues {
  return task.totals.find(entry => entry.split === split)?.values ?? {}
}

/** A dash for what is undefined; figures too small for the decimals in exponent form. */
export function formatMetric(name: MetricName, value: number | undefined): string {
  if (value === undefined) return '–'
  const { decimals } = METRICS[name]
  if (value === 0) return '0'
  const tooSmall = Math.abs(value) < 10 ** -decimals
  return tooSmall ? value.toExponential(2) : value.toFixed(decimals)
}

/** 1234567 → '1,234,567', whatever the machine's locale. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',')
}

export function formatShare(part: number, whole: number): string {
  if (whole === 0) return '–'
  const share = (100 * part) / whole
  return `${share > 0 && share < 1 ? share.toPrecision(2) : share.toFixed(1)} %`
}

export function formatSeconds(ms: number): string {
  const seconds = ms / 1000
  if (seconds < 100) return `${seconds.toPrecision(3)} s`
  return seconds < 6000 ? `${(seconds / 60).toPrecision(3)} min` : `${(seconds / 3600).toPrecision(3)} h`
}

/** '2026-05-01 12:00', UTC. */
export function formatEventTime(eventTimeMs: number): string {
  return new Date(eventTimeMs).toISOString().slice(0, 16).replace('T', ' ')
}
