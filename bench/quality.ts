/** What one pass over a real log comes to: `evaluate` of an example, as a user would call it. Needs the log's data. */
import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { loadChecked } from '../src/app/load-checked.js'
import { prepareLog } from '../src/app/prepare-log.js'
import type { RunSummary } from '../src/evaluate/report/summary.js'
import { packageRoot } from '../src/std/package-root.js'
import { millrace } from './program.js'
import { type Context, type Measured, NotMeasured } from './row.js'
import type { Figure } from './verdict.js'

/** By example. */
const logs = new Map<string, Promise<string>>()

export async function measureMovieLens({ say }: Context): Promise<Measured> {
  say('evaluating examples/ml-100k.yaml')
  const summary = await evaluate('examples/ml-100k.yaml')
  const { rmse = Number.NaN, mae = Number.NaN } = summary.tasks.rating ?? {}
  return {
    figures: [
      score('RMSE', rmse, { better: 'lower', reach: 0.922, strive: 0.915 }),
      score('MAE', mae, { better: 'lower', reach: 0.727, strive: 0.72 }),
    ],
    details: summary,
  }
}

export async function measureTmall({ say }: Context): Promise<Measured> {
  say('evaluating examples/tmall.yaml')
  const summary = await evaluate('examples/tmall.yaml')
  const auc = (task: string) => summary.tasks[task]?.auc ?? Number.NaN
  return {
    figures: [
      score('click AUC', auc('click'), { better: 'higher', reach: 0.8 }),
      score('buy AUC', auc('buy'), { better: 'higher', reach: 0.85 }),
    ],
    details: summary,
  }
}

/**
 * set: keys to change, as --set takes them. Intervals by user change nothing else, but take up to a third of the time of a
 * run: where there are several seeds, those of the first will do.
 */
export async function evaluate(
  example: string,
  set: readonly string[] = [],
  withIntervals = true,
): Promise<RunSummary> {
  await findLog(example)
  return JSON.parse(
    (
      await millrace(
        ...['evaluate', example, '--json', ...(withIntervals ? ['--interval', 'user'] : [])],
        ...(set.length > 0 ? ['--set', ...set] : []),
      )
    ).stdout,
  ) as RunSummary
}

/**
 * The example's log is there afterwards: runs at the same time would import it at the same time, into one folder.
 * NotMeasured where there is neither the log nor what it is imported from.
 */
export function findLog(example: string): Promise<string> {
  const log = logs.get(example) ?? importLog(example)
  logs.set(example, log)
  return log
}

async function importLog(example: string): Promise<string> {
  const loaded = loadChecked(join(packageRoot(), example), {})
  const { config, folder } = loaded
  const data = resolve(folder, config.source.import?.file ?? '')
  if (!existsSync(data) && !existsSync(resolve(folder, config.source.log)))
    throw new NotMeasured(`${basename(data)} is not in the folder of the data (MILLRACE_DATA)`)
  return prepareLog(loaded, () => {})
}

function score(name: string, value: number, limit: Figure['limit']): Figure {
  return { name, format: 'score', value, limit }
}
