/**
 * What one replay came to, as JSON: the commands fill it, the renderers (terminal, HTML, --json) only read it. Several
 * of them, the configuration first and its variants after it, make a comparison. Arrays are columns, so that a long run
 * stays small; everything is plain JSON and may be written to a file and read back.
 */
import type { TaskConfig } from '../../config/schema.js'
import type { Standing } from '../contest/comparison.js'
import type { CalibrationPoint } from '../metrics/calibration.js'
import type { Confusion } from '../metrics/class-metrics.js'
import type { ExperienceMetrics, MetricValues, TaskMetrics } from '../metrics/task-metrics.js'
import type { PolicyFindings } from '../policy/off-policy.js'
import type { SampledRun } from '../sampling/sampling.js'

export interface RunReport {
  /** Name in the leaderboard: the configuration's name, or the variant's. Unique within a comparison. */
  name: string
  /** The configuration file and the log, as the user wrote them. */
  configuration: string
  log: string
  /** The backend's own description: library, version, device, threads. */
  backend: string
  /** Keys that a variant changed; empty for the configuration itself. */
  changes: Record<string, unknown>

  /** Records read, steps learned. */
  records: number
  steps: number
  /** Events used per second of wall time, from the first record to the last step. */
  eventsPerSecond: number
  /** Wall time by part, in the order to show: total first, then what is known of the parts. */
  durationsMs: Record<string, number>
  firstEventTimeMs: number
  lastEventTimeMs: number
  /** Totals leave out impressions before this event time; null = they count all. */
  countFromMs: number | null

  tasks: ReportedTask[]
  curve: CurvePoint[]
  weights: WeightCurve
  throughput: ThroughputPoint[]
  loss: LossCurve
  /** Drift: when a task's losses rose. */
  alarms: ReportedAlarm[]
  counts: Counts
  /** Embedding rows by table at the end. */
  tableRows: Record<string, number>
  /** Replicates of the figures, where `evaluate.interval` asks for intervals. */
  sampled?: SampledRun
  /** The figures of this run (first) and of the same with other seeds, where several were asked for. */
  seeds?: SeedRun[]
  /** Of a challenger: how it stands against what answers. */
  standing?: Standing
  /** What another order of the pages would have been worth, where `evaluate.policy` asks for it. */
  policy?: PolicyFindings
}

export interface SeedRun {
  seed: number
  /** By task, the split 'all'. */
  figures: Record<string, MetricValues>
}

export interface ReportedAlarm {
  /** Records read by then. */
  events: number
  eventTimeMs: number
  task: string
  detector: string
  /** Labels of the task by then. */
  labels: number
  lossBefore: number
  lossNow: number
}

export interface ReportedTask {
  name: string
  /** top-n: the next item, ranked against the whole catalogue. */
  head: TaskConfig['head'] | 'top-n'
  /** A simple model beside the task of this name, judged on the same examples. Absent: it is the model's own. */
  baselineOf?: string
  /** Events that gave the task no label, since what it comes from was missing. Absent: none. */
  missingLabels?: number
  /** One entry a split. */
  totals: TaskMetrics[]
  /** The totals by how many events the ids had had; empty for the next item. */
  byExperience: ExperienceMetrics[]
  /** Of a categorical task. */
  confusion?: Confusion
  /** Empty for numeric tasks. */
  calibration: CalibrationPoint[]
  /** Rising in age, the window last: which share of the labels has come by then. Empty without a window, or a label. */
  maturity: { ageMs: number; share: number }[]
}

/** One window of progressive validation. */
export interface CurvePoint {
  /** Records read at the window's end. */
  events: number
  eventTimeMs: number
  /** One entry a task. */
  tasks: TaskMetrics[]
}

/** Task weights over steps; the producer thins it to some hundreds of points. */
interface WeightCurve {
  steps: number[]
  /** By task name, one value a step above. */
  weights: Record<string, number[]>
}

/** Joint loss per label, over steps. */
interface LossCurve {
  steps: number[]
  loss: number[]
}

export interface ThroughputPoint {
  /** Records read by then. */
  events: number
  /** Wall time since the start. */
  elapsedMs: number
  /** Since the point before. */
  eventsPerSecond: number
}

export interface Counts {
  /** Events used, by kind. */
  events: Record<string, number>
  /** Records left out by rule, by reason. */
  drops: Record<string, number>
  /** Records that became dead letters, by reason. */
  rejects: Record<string, number>
  /** What else was written, by output name. */
  outputs: Record<string, number>
}
