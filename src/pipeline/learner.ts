/**
 * The pipeline's view of the learning worker: commands go in, answers come back in the same order. Because the worker
 * handles commands strictly one after another, the sequence of commands decides every score and every weight; when the
 * answers arrive does not matter.
 *
 * score: predict rows with the model as it is then; the scores are written into the rows' columns and come back.
 * learn: one step. Rows carry labels [n, tasks] and a mask (1 = this label counts). `fresh[i] = 1` says that row i has
 *        not been scored before: the step's own prediction, made before the update, is its score (a rating is scored and
 *        learned in one step). What progressive validation judges is always the score, never a later prediction.
 * A row may be named by several learn commands (one per matured label) but its features are the same each time.
 */
import type { LoadedState, PartState } from '../domain/state.js'

export interface ScoreCommand {
  rows: Int32Array
  eventTimeMs: number
}

export interface ScoreAnswer {
  /** [n, tasks] */
  values: Float32Array
  /** Steps learned before these scores. */
  modelVersion: number
}

export interface LearnCommand {
  rows: Int32Array
  /** [n, tasks] natural units */
  labels: Float32Array
  /** [n, tasks] 0 or 1 */
  mask: Uint8Array
  /** [n] */
  fresh: Uint8Array
  eventTimeMs: number
  /** Event time of each row's impression, for evaluate.after. [n] */
  impressionTimesMs: Float64Array
}

export interface LearnAnswer {
  /** The number of this step; the model's version from now on. */
  step: number
  /** Joint loss of the batch before the update. */
  loss: number
  /** [n, tasks] the scores that count for these rows (fresh rows: made in this step). */
  values: Float32Array
  /** Per task: mean loss, weight used. */
  taskLosses: Float32Array
  taskWeights: Float32Array
}

export interface LearnerPort {
  addSlab(buffer: SharedArrayBuffer): void
  score(command: ScoreCommand): Promise<ScoreAnswer>
  learn(command: LearnCommand): Promise<LearnAnswer>
  /** Everything the worker owns, by part name. Waits for earlier commands. */
  saveState(): Promise<Record<string, PartState>>
  loadState(parts: Record<string, LoadedState>): Promise<void>
  close(): Promise<void>
}
