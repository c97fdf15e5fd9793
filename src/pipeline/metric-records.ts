/** The metric records of one moment: of what answers, then of its challengers and how they stand against it. */
import type { TaskMetrics } from '../evaluate/metrics/task-metrics.js'
import type { MetricRecord } from '../sink/output-records.js'
import type { ChallengerFigures, MetricsAnswer } from './learner.js'

type At = Pick<MetricRecord, 'eventTime' | 'events' | 'step'>

const VERDICTS = { better: 1, open: 0, worse: -1 }

export function* metricRecords(at: At, answer: MetricsAnswer): Generator<MetricRecord> {
  yield* recordsOf(at, answer, null)
  for (const challenger of answer.challengers ?? []) {
    if (challenger.figures !== undefined) yield* recordsOf(at, challenger.figures, challenger.name)
    yield* standings(at, challenger)
  }
}

function* recordsOf(
  at: At,
  { window, totals }: Pick<MetricsAnswer, 'window' | 'totals'>,
  challenger: string | null,
): Generator<MetricRecord> {
  const lines: [TaskMetrics, 'window' | 'total'][] = [
    ...window.map((line): [TaskMetrics, 'window'] => [line, 'window']),
    ...totals.map((line): [TaskMetrics, 'total'] => [line, 'total']),
  ]
  for (const [{ task, split, values, count, positives }, window] of lines) {
    if (count === 0) continue
    yield { ...at, task, window, split, values: { ...values }, counts: { count, positives }, challenger }
  }
}

/** One a task, and one of all together, which has no task. */
function* standings(at: At, { name: challenger, standing }: ChallengerFigures): Generator<MetricRecord> {
  const { labels, passed } = standing
  for (const { task, labels: count, difference, verdict } of [
    ...standing.tasks,
    { ...standing, task: '', labels: labels - passed },
  ]) {
    if (difference === undefined) continue
    const values = { difference, verdict: VERDICTS[verdict] }
    yield { ...at, task, window: 'comparison', split: 'all', values, counts: { count }, challenger }
  }
}
