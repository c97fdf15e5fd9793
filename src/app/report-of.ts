/** A session's result as the report that the renderers show. */
import type { LoadedConfig } from '../config/load.js'
import type { ReportedTask, RunReport, ThroughputPoint } from '../evaluate/report/report.js'
import { RETRIEVAL_TASK } from '../evaluate/retrieval.js'
import type { SessionResult } from './session.js'

export interface ReportNames {
  /** Name in the leaderboard. */
  name: string
  /** Configuration file and log as the user wrote them. */
  configuration: string
  log: string
  changes: Record<string, unknown>
}

/** What answers, and then its challengers, which judged the same examples in the same pass. */
export function reportsOf(
  names: ReportNames,
  loaded: LoadedConfig,
  result: SessionResult,
): [RunReport, ...RunReport[]] {
  const changesOf = (name: string) => loaded.challengers.find(one => one.name === name)?.changes
  const named = (name: string): ReportNames => {
    const changes = changesOf(name)
    if (changes === undefined) return names
    return { ...names, name: `${names.name}/${name}`, changes: { ...names.changes, ...changes } }
  }
  const challengers = (result.metrics.challengers ?? []).flatMap(({ name, hash, figures, standing }): RunReport[] => {
    if (figures === undefined) return []
    // Top-N is made once for all of them.
    const totals = [...figures.totals, ...result.metrics.totals.filter(({ task }) => isNextItem(task))]
    const own = { metrics: { ...figures, totals }, history: result.challengers.get(hash)?.points ?? [], alarms: [] }
    const report = reportOf(named(name), loaded, { ...result, ...own, calibration: [], findings: undefined })
    return [{ ...report, standing }]
  })
  return [reportOf(named(result.answering), loaded, result), ...challengers]
}

export function reportOf(names: ReportNames, { config }: LoadedConfig, result: SessionResult): RunReport {
  const { history, metrics, position, durationMs, findings } = result
  const totals = [...metrics.totals, ...(findings?.baselines ?? [])]
  const shown = config.tasks.filter(task => config.evaluate.tasks?.includes(task.name) ?? true)
  const isShown = new Set(shown.map(task => task.name))
  const nextItem = [...new Set(metrics.totals.map(line => line.task))].filter(isNextItem)
  const taskIndex = config.tasks.map(task => task.name)
  return {
    ...names,
    backend: result.backend,
    records: position.records,
    steps: result.steps,
    eventsPerSecond: durationMs > 0 ? (result.records * 1000) / durationMs : 0,
    durationsMs: { total: durationMs, resume: result.resumeMs },
    firstEventTimeMs: position.firstEventTimeMs,
    lastEventTimeMs: position.eventTimeMs,
    countFromMs: config.evaluate.after > 0 ? position.firstEventTimeMs + config.evaluate.after : null,
    tasks: [
      ...shown.flatMap(({ name, head }) => [
        { name, head },
        ...(findings?.baselines ?? [])
          .filter(({ task }) => task.startsWith(`${name}.`))
          .map(({ task }) => ({ name: task, head, baselineOf: name })),
      ]),
      ...nextItem.map(name => ({
        name,
        head: 'top-n' as const,
        ...(name !== RETRIEVAL_TASK && { baselineOf: RETRIEVAL_TASK }),
      })),
    ].map(task => ({
      ...task,
      ...missingOf(result.join.missing[taskIndex.indexOf(task.name)]),
      totals: totals.filter(line => line.task === task.name),
      ...confusionOf(metrics, task.name),
      byExperience: metrics.byExperience.filter(line => line.task === task.name),
      calibration: result.calibration.find(curve => curve.task === task.name)?.points ?? [],
      maturity: result.maturity[taskIndex.indexOf(task.name)] ?? [],
    })),
    curve: history.map(({ records, eventTimeMs, tasks }) => ({
      events: records,
      eventTimeMs,
      tasks: tasks.filter(line => isShown.has(line.task) || isNextItem(line.task)),
    })),
    weights: {
      steps: history.map(point => point.step),
      weights: Object.fromEntries(
        shown.map(({ name }) => [name, history.map(point => point.taskWeights[taskIndex.indexOf(name)] ?? 0)]),
      ),
    },
    throughput: throughputOf(result.throughput),
    loss: { steps: history.map(point => point.step), loss: history.map(point => point.loss) },
    counts: {
      events: { ...result.counts.events },
      drops: { ...result.counts.drops },
      rejects: { ...result.counts.rejects },
      outputs: {},
    },
    alarms: result.alarms.map(({ records, ...alarm }) => ({ events: records, ...alarm })),
    tableRows: { ...metrics.tables },
    ...(findings?.sampled && { sampled: findings.sampled }),
    ...(findings?.policy && { policy: findings.policy }),
  }
}

function confusionOf({ confusion }: SessionResult['metrics'], task: string): Pick<ReportedTask, 'confusion'> {
  const own = confusion?.find(one => one.task === task)
  return own === undefined ? {} : { confusion: own }
}

function missingOf(missingLabels: number | undefined): { missingLabels?: number } {
  return missingLabels ? { missingLabels } : {}
}

function isNextItem(task: string): boolean {
  return task === RETRIEVAL_TASK || task.startsWith(`${RETRIEVAL_TASK}.`)
}

function throughputOf(points: SessionResult['throughput']): ThroughputPoint[] {
  return points.map(({ records, elapsedMs }, index) => {
    const before = points[index - 1] ?? { records: 0, elapsedMs: 0 }
    return {
      events: records,
      elapsedMs,
      eventsPerSecond: ((records - before.records) * 1000) / Math.max(1, elapsedMs - before.elapsedMs),
    }
  })
}
