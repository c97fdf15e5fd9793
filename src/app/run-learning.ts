/** `run` and `replay`: learn and publish; the result as a table, and as a report beside the configured comparisons. */
import { relative, resolve } from 'node:path'
import { environment } from '../config/load.js'
import type { RunReport } from '../evaluate/report/report.js'
import { createLog } from '../observe/log.js'
import { createProgress } from '../observe/progress.js'
import { systemClock } from '../std/clock.js'
import { besideLive, onLog } from './beside-live.js'
import { evaluateAll, writeReport } from './evaluate-files.js'
import { loadChecked } from './load-checked.js'
import { prepareLog } from './prepare-log.js'
import { reportOf } from './report-of.js'
import { learnLog } from './session.js'
import { untilSignal } from './signals.js'
import { printReports } from './terminal.js'
import { variantsOf } from './variants.js'

export interface RunOptions {
  file: string
  set: string[]
  resume: boolean
  /** Of a finite log, for comparison: whatever the configuration says, outputs go to files and nothing live is touched. */
  replay: boolean
  /** A replay: learn again what a live run has learned from topics, as its journal says. */
  followJournal?: boolean
  /** A replay: folder of another log than the configured one. */
  log?: string | undefined
  /** Afterwards evaluate the variants of evaluate.compare too, for the report. */
  compare: boolean
  json: boolean
}

export async function runLearning(options: RunOptions): Promise<void> {
  const checked = loadChecked(options.file, { set: options.set })
  const loaded = options.replay ? onLog(besideLive(checked), options.log) : checked
  const { config, folder } = loaded
  const logger = createLog(config.name, config.log.level)
  const terminal = process.stderr.isTTY === true
  const making = createProgress('preparing the log', terminal, logger, systemClock)
  const log = await prepareLog(loaded, (records, share) => making.update(records, share)).finally(() => making.stop())
  const progress = createProgress('learning', terminal, logger, systemClock)
  const onProgress = (records: number, share: number | undefined) => progress.update(records, share)
  const session = {
    loaded,
    log,
    outputs: options.replay ? 'files' : 'configured',
    resume: options.resume,
    followJournal: options.followJournal === true,
    logger,
    clock: systemClock,
    onProgress,
  } as const
  const { value: result, stopped } = await untilSignal(logger, stop => learnLog(session, stop)).finally(() =>
    progress.stop(),
  )
  if (result.records === 0)
    logger.info({ records: result.position.records }, 'the log has no new records; --fresh learns it anew')
  const names = { name: config.name, configuration: options.file, log: relative(process.cwd(), log), changes: {} }
  const reports: [RunReport, ...RunReport[]] = [reportOf(names, loaded, result)]
  if (options.compare && !stopped) {
    const variants = variantsOf(options.file, options.set, loaded)
    const entrants = variants.map(variant => ({ ...variant, file: options.file }))
    reports.push(...(await evaluateAll(entrants, logger)))
  }
  const target = resolve(folder, config.evaluate.report)
  await writeReport(target, reports)
  const shown = (path: string) => relative(process.cwd(), resolve(folder, path))
  printReports(reports, {
    json: options.json,
    env: environment(),
    next: [
      { label: 'report', target: relative(process.cwd(), target) },
      { label: 'outputs', target: shown(config.outputs.path) },
      { label: 'checkpoints', target: shown(config.checkpoint.path) },
    ],
  })
}
