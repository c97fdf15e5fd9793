/** The messages between the main thread and the learning worker. Answers come in the order of the commands. */
import type { Config } from '../config/schema.js'
import type { ErrorCode } from '../domain/errors.js'
import type { Id } from '../domain/event.js'
import type { NamedPart, SnapshotKind } from '../domain/state.js'
import type { LearnCommand, PartFile, ScoreCommand } from '../pipeline/learner.js'

export interface WorkerStart {
  config: Config
  /** Its scores and notes in the columns. */
  lane: number
}

export type Command =
  | { kind: 'slab'; buffer: SharedArrayBuffer }
  | { kind: 'score'; command: ScoreCommand }
  | { kind: 'learn'; command: LearnCommand }
  | { kind: 'erase'; user: Id }
  | { kind: 'begin'; step: number }
  | { kind: 'metrics' }
  | { kind: 'calibration' }
  | { kind: 'snapshot'; of: SnapshotKind; parts: readonly NamedPart[] }
  | { kind: 'save'; folder: string; prefix: string }
  | { kind: 'load'; folder: string; parts: readonly PartFile[]; prefix: string }
  | { kind: 'close' }

export type Answer =
  | { kind: 'ready'; backend: string }
  | { kind: 'answer'; value: unknown }
  | { kind: 'failure'; code: ErrorCode; message: string; stack: string | undefined }
