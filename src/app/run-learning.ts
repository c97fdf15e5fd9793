/** `run` and `replay`: learn and publish; the result as a table, and as a report beside the configured comparisons. */
import { relative, resolve } from 'node:path'
import { environment, type LoadedConfig } from '../config/load.js'
import { createLog, type Log } from '../observe/log.js'
import { createProgress } from '../observe/progress.js'
import { systemClock } from '../std/clock.js'
import { besideLive, onLog } from './beside-live.js'
import { type Dashboard, isWatched, openBrowser, openDashboard } from './dashboard.js'
import { evaluateAll, writeReport } from './evaluate-files.js'
import { loadChecked } from './load-checked.js'
import { prepareLog } from './prepare-log.js'
import { reportsOf } from './report-of.js'
import { learnLog } from './session.js'
import type { SessionOptions } from './session-options.js'
import { nextSignal, untilSignal } from './signals.js'
import { printReports } from './terminal.js'
import { variantsOf } from './variants.js'

export interface RunOptions {
  file: string
  set: string[]
  resume: boolean
  /** Of a finite log, for comparison: whatever the configuration says, outputs go to files and nothing live is touched. */
  replay: boolean
  /** A replay: learn again what a live run has learned, as its journal says. */
  followJournal?: boolean
  /** A replay: folder of another log than the configured one. */
  log?: string | undefined
  /** Afterwards evaluate the variants of evaluate.compare too, for the report. */
  compare: boolean
  json: boolean
  /** Show the dashboard in a browser, if somebody sits there. */
  open?: boolean
}

export async function runLearning(options: RunOptions): Promise<void> {
  const checked = loadChecked(options.file, { set: options.set })
  const loaded = options.replay ? onLog(besideLive(checked, options.followJournal), options.log) : checked
  const logger = createLog(loaded.config.name, loaded.config.log.level)
  const dashboard = options.replay ? undefined : await openDashboard(loaded, logger, systemClock)
  try {
    if (dashboard !== undefined) announce(dashboard, logger, options.open === true)
    const folder = resolve(checked.folder, checked.config.outputs.path, 'journal')
    const followJournal = options.followJournal === true ? { folder } : undefined
    const stopped = await learnAndReport({ ...options, followJournal }, loaded, logger, dashboard)
    if (dashboard === undefined || stopped || options.json || !isWatched()) return
    process.stderr.write(`\nThe dashboard stays at ${dashboard.url} until Ctrl-C.\n`)
    await nextSignal()
  } finally {
    await dashboard?.close()
  }
}

function announce({ url }: Dashboard, logger: Log, open: boolean): void {
  if (isWatched()) process.stderr.write(`\nDashboard: ${url}\n\n`)
  else logger.info({ url }, 'the dashboard')
  if (open) openBrowser(url)
}

/** Returns whether it was stopped before its end. */
async function learnAndReport(
  options: Omit<RunOptions, 'followJournal'> & Pick<SessionOptions, 'followJournal'>,
  loaded: LoadedConfig,
  logger: Log,
  dashboard: Dashboard | undefined,
): Promise<boolean> {
  const { config, folder } = loaded
  const terminal = process.stderr.isTTY === true
  const making = createProgress('preparing the log', terminal, logger, systemClock)
  let made = 0
  dashboard?.say('preparing', 'the log is being made', () => made)
  const log = await prepareLog(loaded, (records, share) => {
    making.update(records, share)
    made = share
  }).finally(() => making.stop())
  if (dashboard !== undefined && config.http.ingest) {
    // It brings kafkajs along, which nobody else needs who reads files.
    const { openIngest } = await import('./open-ingest.js')
    await openIngest(dashboard.ingest, loaded, log, logger)
  }
  const progress = createProgress('learning', terminal, logger, systemClock)
  const onProgress = (records: number, share: number | undefined) => progress.update(records, share)
  const session = {
    loaded,
    log,
    outputs: options.replay ? 'files' : 'configured',
    resume: options.resume,
    followJournal: options.followJournal,
    logger,
    clock: systemClock,
    telemetry: dashboard?.telemetry,
    board: dashboard?.board,
    ingest: dashboard?.ingest,
    onProgress,
  } as const
  const { value: result, stopped } = await untilSignal(logger, stop => learnLog(session, stop)).finally(() =>
    progress.stop(),
  )
  if (result.records === 0)
    logger.info({ records: result.position.records }, 'the log has no new records; --fresh learns it anew')
  const names = { name: config.name, configuration: options.file, log: relative(process.cwd(), log), changes: {} }
  const reports = reportsOf(names, loaded, result)
  if (options.compare && !stopped) {
    const variants = variantsOf(options.file, options.set, loaded)
    if (variants.length > 0)
      dashboard?.say('comparing', 'variants are learned beside the configuration, for the report')
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
  if (!stopped) dashboard?.say('finished', 'the log has been learned to its end', () => 1)
  return stopped
}
