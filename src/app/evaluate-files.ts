/** `evaluate`: one or several configurations over their logs, nothing written but the report. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, relative, resolve } from 'node:path'
import { environment, type LoadedConfig } from '../config/load.js'
import { renderHtml } from '../evaluate/report/html.js'
import type { RunReport, SeedRun } from '../evaluate/report/report.js'
import { createLog, type Log } from '../observe/log.js'
import { createProgress } from '../observe/progress.js'
import { diskFault } from '../snapshot/disk-fault.js'
import { systemClock } from '../std/clock.js'
import { onLog } from './beside-live.js'
import { loadChecked } from './load-checked.js'
import { prepareLog } from './prepare-log.js'
import { reportsOf } from './report-of.js'
import { learnLog } from './session.js'
import { untilSignal } from './signals.js'
import { printReports } from './terminal.js'
import { variantsOf } from './variants.js'

export interface EvaluateOptions {
  set: string[]
  compare: boolean
  report: string | undefined
  json: boolean
  /** Runs of each configuration, with model.seed, model.seed + 1, …; 1 = once. */
  seeds: number
  /** Folder of another log than the configured ones. */
  log?: string | undefined
}

export interface Entrant {
  name: string
  file: string
  changes: Record<string, unknown>
  loaded: LoadedConfig
}

export async function evaluateFiles(files: readonly string[], options: EvaluateOptions): Promise<void> {
  const set = [...options.set, 'source.follow=false']
  const entrants = files.flatMap((file): Entrant[] => {
    const loaded = onLog(loadChecked(file, { set }), options.log)
    const variants = options.compare
      ? variantsOf(file, set, loaded).map(variant => ({ ...variant, loaded: onLog(variant.loaded, options.log) }))
      : []
    return [{ name: loaded.config.name, file, changes: {}, loaded }, ...variants.map(variant => ({ ...variant, file }))]
  })
  const [first] = entrants
  if (first === undefined) return
  const logger = createLog(first.loaded.config.name, first.loaded.config.log.level)
  const reports = await evaluateAll(uniquelyNamed(entrants), logger, options.seeds)

  const target = options.report ?? resolve(first.loaded.folder, first.loaded.config.evaluate.report)
  await writeReport(target, reports as [RunReport, ...RunReport[]])
  printReports(reports as [RunReport, ...RunReport[]], {
    json: options.json,
    env: environment(),
    next: [{ label: 'report', target: relative(process.cwd(), target) }],
  })
}

/** One after another; one that is stopped is the last. */
export async function evaluateAll(entrants: readonly Entrant[], logger: Log, seeds = 1): Promise<RunReport[]> {
  const reports: RunReport[] = []
  for (const entrant of entrants) {
    const { reports: found, stopped } = await evaluateOne(entrant, logger)
    reports.push(...found)
    if (stopped) break
    if (seeds > 1 && (await evaluateSeeds(found[0], entrant, seeds, logger))) break
  }
  return reports
}

/** The same with the seeds after its own, for the figures alone. Returns whether it was stopped: then there are fewer. */
async function evaluateSeeds(report: RunReport, entrant: Entrant, seeds: number, logger: Log): Promise<boolean> {
  const { loaded } = entrant
  const { model, evaluate } = loaded.config
  const runs = [figuresOf(report, model.seed)]
  report.seeds = runs
  for (let seed = model.seed + 1; seed < model.seed + seeds; seed++) {
    const { policy, ...judging } = evaluate
    const config = {
      ...loaded.config,
      model: { ...model, seed },
      evaluate: { ...judging, interval: 'none' as const, baselines: false },
    }
    const name = `${entrant.name}, seed ${seed}`
    const other = await evaluateOne({ ...entrant, name, loaded: { ...loaded, config, challengers: [] } }, logger)
    // Half a log is no run of the same kind.
    if (other.stopped) return true
    runs.push(figuresOf(other.reports[0], seed))
  }
  return false
}

function figuresOf({ tasks }: RunReport, seed: number): SeedRun {
  const figures = tasks.map(({ name, totals }) => [name, totals.find(({ split }) => split === 'all')?.values ?? {}])
  return { seed, figures: Object.fromEntries(figures) }
}

/** Learns the log without writing anything and says what came of it. */
async function evaluateOne(
  { name, file, changes, loaded }: Entrant,
  logger: Log,
): Promise<{ reports: [RunReport, ...RunReport[]]; stopped: boolean }> {
  const terminal = process.stderr.isTTY === true
  const making = createProgress('preparing the log', terminal, logger, systemClock)
  const log = await prepareLog(loaded, (records, share) => making.update(records, share)).finally(() => making.stop())
  const progress = createProgress(`evaluating ${name}`, terminal, logger, systemClock)
  const onProgress = (records: number, share: number | undefined) => progress.update(records, share)
  const session = { loaded, log, outputs: 'discard', resume: false, logger, clock: systemClock, onProgress } as const
  const { value, stopped } = await untilSignal(logger, stop => learnLog(session, stop)).finally(() => progress.stop())
  const names = { name, configuration: file, log: relative(process.cwd(), log), changes }
  return { reports: reportsOf(names, loaded, value), stopped }
}

export async function writeReport(file: string, reports: readonly [RunReport, ...RunReport[]]): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, renderHtml(reports))
  } catch (cause) {
    throw diskFault(cause, `the report ${file} can not be written`)
  }
}

/** Two configurations of one name get the file's name beside it. */
function uniquelyNamed(entrants: readonly Entrant[]): Entrant[] {
  const seen = new Map<string, number>()
  for (const { name } of entrants) seen.set(name, (seen.get(name) ?? 0) + 1)
  return entrants.map(entrant =>
    (seen.get(entrant.name) ?? 0) > 1 ? { ...entrant, name: `${entrant.name} (${entrant.file})` } : entrant,
  )
}
