/**
 * The pipeline's view of the learning worker: commands go in, answers come back in the same order. Because the worker
 * handles commands strictly one after another, the sequence of commands decides every score and every weight; when the
 * answers arrive does not matter.
 *
 * score: predict rows with the model as it is then; the scores are written into the rows' columns and come back.
 * learn: one step. Rows carry labels [n, tasks] and a mask (which labels count: domain/example.ts). `fresh[i] = 1` says that row i has
 *        not been scored before: the step's own prediction, made before the update, is its score (a rating is scored and
 *        learned in one step). What progressive validation judges is always the score, never a later prediction.
 * erase: a step too, which takes rows away.
 * With the fast part on, a score command is a list of operations in the order of the log: row i is scored (fresh[i] = 1),
 * learned by the fast part (its mask is not empty), or both in this order. Its learn commands have no fresh rows.
 * A row may be named by several learn commands (one per matured label) but its features are the same each time.
 */
import type { Id } from '../domain/event.js'
import type { NamedPart, SnapshotKind } from '../domain/state.js'
import type { Standing } from '../evaluate/contest/comparison.js'
import type { DriftAlarm } from '../evaluate/drift/drift.js'
import type { CalibrationPoint } from '../evaluate/metrics/calibration.js'
import type { Confusion } from '../evaluate/metrics/class-metrics.js'
import type { ExperienceMetrics, TaskMetrics } from '../evaluate/metrics/task-metrics.js'
import type { TableStats } from '../features/table/slot-tables.js'
import type { PublishedPart } from '../snapshot/publication.js'

export interface ScoreCommand {
  rows: Int32Array
  eventTimeMs: number
  /** For the fast part; without it every row is scored. */
  operations?: { fresh: Uint8Array; labels: Float32Array; mask: Uint8Array }
}

export interface ScoreAnswer {
  /** [n, tasks]; of rows that were only learned: the scores that they had. */
  values: Float32Array
  /** [n, classes] probabilities of the categorical tasks' classes, side by side. Absent: there are no such tasks. */
  classes?: Float32Array
  /** Steps learned before these scores. */
  modelVersion: number
}

export interface LearnCommand {
  rows: Int32Array
  /** [n, tasks] natural units */
  labels: Float32Array
  /** [n, tasks] see domain/example.ts */
  mask: Uint8Array
  /** [n] */
  fresh: Uint8Array
  eventTimeMs: number
  /** Event time of each row's impression. [n] */
  impressionTimesMs: Float64Array
  /** Totals leave out rows whose impression is earlier. */
  countFromMs: number
}

export interface LearnAnswer {
  /** The number of this step; the model's version from now on. */
  step: number
  /** Joint loss of the batch before the update. */
  loss: number
  /** [n, tasks] the scores that count for these rows (fresh rows: made in this step). */
  values: Float32Array
  /** [n, classes] beside them, as of a score. */
  classes?: Float32Array
  /** Per task: mean loss, weight used. */
  taskLosses: Float32Array
  taskWeights: Float32Array
  /** Tasks whose losses rose. */
  alarms: readonly DriftAlarm[]
}

export interface MetricsAnswer {
  step: number
  /** Since the last answer, one entry a task. */
  window: TaskMetrics[]
  /** All splits. */
  totals: TaskMetrics[]
  /** The totals by how many events the ids had had. */
  byExperience: ExperienceMetrics[]
  /** Of categorical tasks, over the totals. Absent: there are none. */
  confusion?: Confusion[]
  /** Mean joint loss a step since the last answer; 0 if there was none. */
  loss: number
  taskWeights: number[]
  /** By task, how much it takes of each expert, of the examples seen last; undefined: there are no experts. No part of the history. */
  gates?: number[][] | undefined
  tables: TableStats
  /** How often the network was started afresh because its loss was no number. */
  deepRestarts: number
  /** Who learns beside it, where somebody does. */
  challengers?: readonly ChallengerFigures[]
}

/** How a challenger does. */
export interface ChallengerFigures {
  name: string
  /** Of its configuration. */
  hash: string
  /** Its own; undefined: it has failed. */
  figures: MetricsAnswer | undefined
  /** Against what answers. */
  standing: Standing
  /** Why it learns no more. */
  failure: string | undefined
}

export interface EraseAnswer {
  /** Rows of the network, and records of the fast part, that were the user's. */
  rows: number
  fast: number
}

/** Reliability of a binary task's predictions. */
export interface CalibrationCurve {
  task: string
  points: CalibrationPoint[]
}

/** A file of a checkpoint: one part's state, and how to know that it is whole. */
export interface PartFile {
  name: string
  bytes: number
  sha256: string
}

/** A version to publish: its encoded parts, and how well it does so far: 'TASK.METRIC' over all that was judged. */
export interface SnapshotAnswer {
  parts: PublishedPart[]
  metrics: Record<string, number>
}

export interface LearnerPort {
  addSlab(buffer: SharedArrayBuffer): void
  score(command: ScoreCommand): Promise<ScoreAnswer>
  learn(command: LearnCommand): Promise<LearnAnswer>
  /** Forgets a user's rows. A step of its own, in which nothing is learned: there is a version without them. */
  erase(user: Id): Promise<EraseAnswer>
  /** Metrics since the last call, and totals; begins a new window. */
  metrics(): Promise<MetricsAnswer>
  calibration(): Promise<CalibrationCurve[]>
  /**
   * What scoring needs, without optimiser state: all of it, or what changed since the last snapshot of either kind; beside
   * it `parts`, which the caller owns no longer.
   */
  snapshot(kind: SnapshotKind, parts: readonly NamedPart[]): Promise<SnapshotAnswer>
  /** Writes everything that the worker owns into the folder, one file a part. */
  save(folder: string): Promise<PartFile[]>
  /** Before the first score or learn. */
  load(folder: string, parts: readonly PartFile[]): Promise<void>
  close(): Promise<void>
}

/** A learner of several that share columns and checkpoints: names of its part files begin with the prefix. */
export interface LanePort extends LearnerPort {
  readonly backend: string
  /** Instead of load(): it has learned nothing, and counts on from the steps that others have learned. */
  begin(step: number): Promise<void>
  save(folder: string, prefix?: string): Promise<PartFile[]>
  load(folder: string, parts: readonly PartFile[], prefix?: string): Promise<void>
}
