import type { LoadedConfig } from '../config/load.js'
import type { Config } from '../config/schema.js'
import type { Log } from '../observe/log.js'
import type { LearnerPort } from '../pipeline/learner.js'
import type { PipelineParts } from '../pipeline/pipeline.js'
import type { Telemetry } from '../serve/telemetry/telemetry.js'
import type { Clock } from '../std/clock.js'
import type { Board } from './board.js'
import type { Ingest } from './ingest.js'

export interface SessionOptions {
  loaded: LoadedConfig
  /** Folder of the event log. */
  log: string
  /** Outputs as configured, to files whatever is configured, or nothing but the result. Without outputs no checkpoints. */
  outputs: 'configured' | 'files' | 'discard'
  /** Go on from the newest checkpoint, or remove the checkpoints and begin with the log's first record. */
  resume: boolean
  /** Learn again what a live run has learned, as its journal says; nothing else. folder: of the journal, unless that is a topic. */
  followJournal?: { folder: string } | undefined
  logger: Log
  clock: Clock
  /** Is told what the dashboard shows. Absent: there is none. */
  telemetry?: Telemetry | undefined
  /** Is told who learns, and promotes. Absent: nobody does by hand. */
  board?: Board | undefined
  /** Counts what is posted. Absent: nothing is. */
  ingest?: Pick<Ingest, 'counts'> | undefined
  onProgress(records: number, share: number | undefined): void
  /** Another learner than the worker thread, such as one that answers at once: what does the main thread cost alone? */
  startLearner?(config: Config): Promise<StartedLearner>
  /** The wired parts, before the first record; for measuring what each of them holds. */
  onWired?(parts: PipelineParts): void
}

interface StartedLearner extends LearnerPort {
  /** What it computes with. */
  readonly backend: string
}
