import { Command, Option } from 'commander'
import { simulateLog } from '../app/prepare-log.js'
import { describeLeaves } from '../config/describe.js'
import { configSchema } from '../config/schema.js'
import { MillraceError } from '../domain/errors.js'
import { createLog } from '../observe/log.js'
import { createProgress } from '../observe/progress.js'
import type { SimulateOptions, SimulationSummary } from '../simulate/simulate.js'
import { systemClock } from '../std/clock.js'
import { countsText, newLog } from './new-log.js'

interface Flags extends Partial<Record<keyof SimulateOptions, number>> {
  log: string
  force?: true
  json?: true
}

export function simulateCommand(): Command {
  const command = new Command('simulate')
    .description(
      'Write the event log of a seeded shop, and beside it the true probability of every impression. Same seed, same bytes.',
    )
    .option('--log <folder>', 'folder of the log', '.data/log')
  // The same keys, defaults and words as source.simulate of the configuration.
  for (const { path, description, default: fallback } of describeLeaves(true)) {
    const name = path[2]
    if (path[0] !== 'source' || path[1] !== 'simulate' || name === undefined) continue
    command.addOption(new Option(`--${name} <number>`, description).default(fallback).argParser(numberOf(name)))
  }
  return command
    .option('--force', 'replace the log that is there')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample: millrace simulate --log .data/big --events 1000000 --seed 7')
    .action(async ({ log, force, json, ...given }: Flags) => {
      const options = checked(given)
      const progress = createProgress(
        'simulate',
        process.stderr.isTTY === true,
        createLog('millrace', 'info'),
        systemClock,
      )
      const { path, made: summary } = await newLog(log, force === true, target =>
        simulateLog(options, target, progress.update),
      ).finally(() => progress.stop())
      process.stdout.write(json === true ? `${JSON.stringify({ log: path, ...summary })}\n` : textOf(path, summary))
    })
}

function checked(given: unknown): SimulateOptions {
  const parsed = configSchema.shape.source.safeParse({ simulate: given })
  if (parsed.success && parsed.data.simulate !== undefined) return parsed.data.simulate
  const faults = parsed.error?.issues.map(({ path, message }) => `--${String(path[1])}: ${message}`) ?? []
  throw new MillraceError('USAGE', faults.join('\n'))
}

function numberOf(name: string): (text: string) => number {
  return text => {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    if (Number.isNaN(value)) throw new MillraceError('USAGE', `--${name} ${text}: expected a number`)
    return value
  }
}

function textOf(path: string, { records, byKind, malformed, users, items, oracle }: SimulationSummary): string {
  const percent = (rate: number) => `${(100 * rate).toFixed(2)} %`
  const auc = (value: number | null) => (value === null ? '–' : value.toFixed(3))
  return `${path}: ${records.toLocaleString('en')} records of ${users.toLocaleString('en')} users and ${items.toLocaleString('en')} items
  ${countsText(byKind)}
  malformed: ${countsText(malformed)}
  An oracle would reach: clicks (${percent(oracle.click.rate)} of impressions) AUC ${auc(oracle.click.auc)} · buys within 7 days (${percent(oracle.buy.rate)}) AUC ${auc(oracle.buy.auc)}
`
}
