/** What `replay` and `evaluate` do, for a program: no terminal, no signal handlers, no report file. */

import type { RunReport } from '../evaluate/report/report.js'
import { type Log, silentLog } from '../observe/log.js'
import { systemClock } from '../std/clock.js'
import { besideLive } from './beside-live.js'
import { loadChecked } from './load-checked.js'
import { prepareLog } from './prepare-log.js'
import { reportOf } from './report-of.js'
import { learnLog } from './session.js'

export interface ReplayOptions {
  /** Keys to change, such as 'weights.method=gradnorm'; stronger than the environment and the file. */
  set?: readonly string[]
  /** Write outputs and checkpoints where the configuration says. Default: only the report comes back. */
  write?: boolean
  /** With `write`: go on from the newest checkpoint, if there is one, instead of removing it. */
  resume?: boolean
  /** Ends the replay in order: the batch is finished and, with `write`, a checkpoint is made. */
  signal?: AbortSignal
  /** Called now and then with the records read and the share of the log. */
  onProgress?: (records: number, share: number) => void
  logger?: Log
}

/**
 * Learns the log that a configuration file names, from its first record, and returns what came of it. If the log is not
 * there, it is imported or simulated first where the configuration says how. Throws MillraceError; data faults are no
 * errors, they are counted in the report.
 */
export async function replay(file: string, options: ReplayOptions = {}): Promise<RunReport> {
  const { write = false, resume = false, logger = silentLog, onProgress = () => {} } = options
  const loaded = besideLive(loadChecked(file, { set: [...(options.set ?? []), 'source.follow=false'] }))
  const log = await prepareLog(loaded, () => {})
  const result = await learnLog(
    {
      loaded,
      log,
      outputs: write ? 'files' : 'discard',
      resume: write && resume,
      logger,
      clock: systemClock,
      onProgress: (records, share) => onProgress(records, share ?? 0),
    },
    options.signal ?? new AbortController().signal,
  )
  return reportOf({ name: loaded.config.name, configuration: file, log, changes: {} }, loaded, result)
}
