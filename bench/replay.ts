/**
 * How many events a second a whole `replay` process handles, start and end included, and where the time goes. The
 * measurements take turns within a round.
 *
 * In bench/replay.yaml the label windows of clicks (30 minutes) and buys (3 days) differ, so an impression is learned
 * twice, once for each label when it matures. `oneWindow` is the same with one window of a day for both: learned once.
 * There the network learns alone; the default, with the fast part beside it, is measured as well.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RunSummary } from '../src/evaluate/report/summary.js'
import { packageRoot } from '../src/std/package-root.js'
import { benchProgram, type Finished, millrace } from './program.js'
import type { Context, Measured } from './row.js'
import { REPLAY_CONFIG, shopLog } from './shop.js'
import type { StageResult } from './stage.js'
import { spreadOf } from './statistics.js'

const ONE_WINDOW = ['tasks.0.label.window=1d', 'tasks.1.label.window=1d']
const TWO_SPEED = ['fast.enabled=true']
const SCRATCH = '.data/bench/replay'

export async function measureReplay(context: Context): Promise<Measured> {
  const { quick, repeats, say } = context
  const log = await shopLog(quick ? 'log-quick' : 'log', quick ? 100_000 : 1_000_000, context)
  const settings = [
    ...log,
    `outputs.path=../${SCRATCH}/out`,
    `checkpoint.path=../${SCRATCH}/checkpoints`,
    `evaluate.report=../${SCRATCH}/report.html`,
  ]
  const replay = (...more: string[]) => millrace('replay', REPLAY_CONFIG, '--json', '--set', ...settings, ...more)
  const decode: StageResult[] = []
  const main: StageResult[] = []
  const whole: Finished[] = []
  const oneWindow: Finished[] = []
  const twoSpeed: Finished[] = []
  for (let round = 1; round <= repeats; round++) {
    say(`replay: round ${round} of ${repeats}`)
    decode.push(await stage('decode', settings))
    main.push(await stage('main', settings))
    whole.push(await replay())
    oneWindow.push(await replay(...ONE_WINDOW))
    twoSpeed.push(await replay(...TWO_SPEED))
  }
  await rm(join(packageRoot(), SCRATCH), { recursive: true, force: true })
  const everything = replaySummary(whole)
  const withFast = replaySummary(twoSpeed)
  const limit = { better: 'higher', reach: 25_000, strive: 60_000 } as const
  return {
    figures: [
      { name: 'the network alone', format: 'count', value: everything.eventsPerSecond, limit },
      { name: 'with the fast part', format: 'count', value: withFast.eventsPerSecond, limit },
    ],
    details: {
      stages: { readAndDecode: stageSummary(decode), mainThread: stageSummary(main), everything },
      oneWindow: replaySummary(oneWindow),
      twoSpeed: withFast,
    },
  }
}

async function stage(name: string, settings: readonly string[]): Promise<StageResult> {
  return JSON.parse((await benchProgram('stage.js', name, ...settings)).stdout) as StageResult
}

function stageSummary(results: readonly StageResult[]) {
  return {
    records: results[0]?.records,
    eventsPerSecond: spreadOf(results.map(({ records, seconds }) => records / seconds)),
    cpuSeconds: spreadOf(results.map(({ cpuSeconds }) => cpuSeconds)),
  }
}

function replaySummary(results: readonly Finished[]) {
  const summaries = results.map(({ stdout }) => JSON.parse(stdout) as RunSummary)
  const [first] = summaries
  return {
    records: first?.records,
    steps: first?.steps,
    backend: first?.backend,
    /** Of the whole process. */
    eventsPerSecond: spreadOf(results.map(({ seconds }, run) => (summaries[run]?.records ?? Number.NaN) / seconds)),
    /** From the first record to the last checkpoint: without the start of the process and the report. */
    eventsPerSecondWhileLearning: spreadOf(summaries.map(({ eventsPerSecond }) => eventsPerSecond)),
    seconds: spreadOf(results.map(({ seconds }) => seconds)),
    cpuSeconds: spreadOf(results.map(({ cpuSeconds }) => cpuSeconds)),
    maxRssMiB: spreadOf(results.map(({ maxRssBytes }) => maxRssBytes / 2 ** 20)),
  }
}
