/** What the dashboard is told of learning: figures of each window, the past of a restored run, alarms, snapshots. */
import type { AlarmPoint, HistoryPoint } from '../pipeline/history.js'
import type { CalibrationCurve, MetricsAnswer } from '../pipeline/learner.js'
import type { WindowPoint } from '../serve/telemetry/status.js'
import { digits, taskWindow } from '../serve/telemetry/windows.js'
import type { KeyedSnapshot } from '../sink/output-records.js'
import type { Observation } from './observation.js'

/** Called before it is known elsewhere; `labelDeviations` are those of the same window. */
export function observeWindow(
  { telemetry, labelDeviations }: Observation,
  answer: MetricsAnswer,
  records: number,
  eventTimeMs: number,
): void {
  if (telemetry === undefined) return
  const { step, loss, taskWeights, window: tasks, tables, gates } = answer
  const { rows, admitted, evicted, expired, bytes } = tables
  telemetry.window({
    ...windowPoint({ records, eventTimeMs, step, loss, taskWeights, tasks }, labelDeviations),
    tables: { rows, admitted, evicted, expired, bytes },
    gates: gates?.map(task => task.map(digits)) ?? null,
  })
}

/** What a checkpoint brought back. */
export function observeHistory(
  { telemetry }: Observation,
  { points, alarms }: { points: readonly HistoryPoint[]; alarms: readonly AlarmPoint[] },
): void {
  if (points.length === 0 && alarms.length === 0) return
  telemetry?.restore(
    points.map(point => windowPoint(point, undefined)),
    alarms.map(alarmOf),
  )
}

export function observeAlarm({ telemetry }: Observation, alarm: AlarmPoint): void {
  telemetry?.alarm(alarmOf(alarm))
}

/** A version is whole with its manifest. */
export function observeSnapshot({ telemetry }: Observation, { record }: KeyedSnapshot): void {
  const manifest = record?.manifest
  if (telemetry === undefined || record == null || manifest == null) return
  const { version, kind } = record
  const bytes = manifest.parts.reduce((sum, part) => sum + part.bytes, 0)
  const rows = manifest.parts.reduce((sum, part) => sum + (kind === 'delta' ? part.changed : part.rows), 0)
  const { records } = telemetry.now
  const { eventTime, metrics } = manifest
  telemetry.snapshot({ version, kind, eventTime, records, bytes, rows, metrics, verdict: 'published', reason: '' })
}

export function observeCalibration({ telemetry }: Observation, curves: readonly CalibrationCurve[]): void {
  telemetry?.calibration(
    curves.map(({ task, points }) => ({
      task,
      points: points.map(({ meanPrediction, observedRate, count }) => ({
        predicted: digits(meanPrediction),
        observed: digits(observedRate),
        count,
      })),
    })),
  )
}

function windowPoint(
  { records, eventTimeMs, step, loss, taskWeights, tasks }: HistoryPoint,
  deviations: ReadonlyMap<string, number> | undefined,
): WindowPoint {
  return {
    records,
    eventTime: eventTimeMs,
    step,
    loss: digits(loss),
    weights: taskWeights.map(digits),
    tasks: tasks
      .filter(({ split, count }) => split === 'all' && count > 0)
      .map(line => taskWindow(line, deviations?.get(line.task))),
    tables: null,
    gates: null,
  }
}

function alarmOf({ records, eventTimeMs, task, detector, lossBefore, lossNow }: AlarmPoint) {
  return { records, eventTime: eventTimeMs, task, detector, lossBefore, lossNow }
}
