/** One window of progressive validation as the dashboard has it, and two neighbours as one. */
import type { MetricName, TaskMetrics } from '../../evaluate/metrics/task-metrics.js'
import type { PacePoint, TaskWindow, WindowPoint } from './status.js'

/** What is shown; the output `metrics` has everything. */
const SHOWN: readonly MetricName[] = [
  'auc',
  'logLoss',
  'normalisedEntropy',
  'pcoc',
  'rmse',
  'mae',
  'recallAt10',
  'ndcgAt10',
]

/**
 * deviation: of the labels of a numeric task in this window, if known. A constant has no AUC but chance; its log loss is
 * the entropy of the rate, which normalised entropy is a share of; its error is the deviation.
 */
export function taskWindow({ task, count, positives, values }: TaskMetrics, deviation: number | undefined): TaskWindow {
  const shown: Record<string, number> = {}
  for (const name of SHOWN) {
    const value = values[name]
    if (value !== undefined) shown[name] = digits(value)
  }
  const baseline: Record<string, number> = {}
  const { logLoss, normalisedEntropy, rmse } = values
  if (logLoss !== undefined) {
    baseline.auc = 0.5
    if (normalisedEntropy !== undefined && normalisedEntropy > 0) baseline.logLoss = digits(logLoss / normalisedEntropy)
  }
  if (rmse !== undefined && deviation !== undefined) baseline.rmse = digits(deviation)
  return { task, count, positives, values: shown, baseline }
}

/** Figures: means, weighted by what they rest on (positives of a binary task, else labels). The rest: the later one's. */
export function mergeWindows(earlier: WindowPoint, later: WindowPoint): WindowPoint {
  const before = new Map(earlier.tasks.map(entry => [entry.task, entry]))
  const tasks = later.tasks.map(entry => {
    const other = before.get(entry.task)
    return other === undefined ? entry : mergeTask(other, entry)
  })
  return { ...later, loss: digits((earlier.loss + later.loss) / 2), tasks }
}

function mergeTask(a: TaskWindow, b: TaskWindow): TaskWindow {
  const weigh = ({ count, positives }: TaskWindow) => (positives > 0 ? positives : count)
  const mean = (left: Record<string, number>, right: Record<string, number>) => {
    const merged: Record<string, number> = { ...left, ...right }
    for (const name of Object.keys(left)) {
      const [one, two] = [left[name], right[name]]
      const total = weigh(a) + weigh(b)
      if (one !== undefined && two !== undefined && total > 0)
        merged[name] = digits((one * weigh(a) + two * weigh(b)) / total)
    }
    return merged
  }
  return {
    task: b.task,
    count: a.count + b.count,
    positives: a.positives + b.positives,
    values: mean(a.values, b.values),
    baseline: mean(a.baseline, b.baseline),
  }
}

export function mergePace(earlier: PacePoint, later: PacePoint): PacePoint {
  return { ...later, eventsPerSecond: Math.round((earlier.eventsPerSecond + later.eventsPerSecond) / 2) }
}

/** Five significant digits are more than a plot shows, and a third of the text. */
export function digits(value: number): number {
  return Number(value.toPrecision(5))
}
