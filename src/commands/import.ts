import { join } from 'node:path'
import { Command } from 'commander'
import { importLog, makeLog } from '../app/prepare-log.js'
import { MillraceError } from '../domain/errors.js'
import type { ImportSummary } from '../import/import-csv.js'
import { importMovieLens } from '../import/movielens.js'
import { createLog } from '../observe/log.js'
import { createProgress } from '../observe/progress.js'
import { createLogWriter } from '../sink/log-writer.js'
import { systemClock } from '../std/clock.js'
import { importKafkaCommand } from './import-kafka.js'
import { countsText, newLog } from './new-log.js'

interface Flags {
  log: string
  force?: true
  json?: true
}

type Update = (records: number, share: number) => void

export function importCommand(): Command {
  const command = new Command('import')
    // What follows `movielens` or `kafka` is for it, though they have the same options.
    .enablePositionalOptions()
    .description('Make an event log of a CSV file (gzip or not), by a mapping of its columns to events and profiles.')
    .argument('<file>', 'the CSV file')
    .option('--mapping <file>', 'YAML file that says which columns make which events')
    .action(async (file: string, { mapping, ...flags }: Flags & { mapping?: string }) => {
      if (mapping === undefined)
        throw new MillraceError('USAGE', '--mapping FILE is needed; examples/*.import.yaml are commented examples')
      await importing(flags, (path, update) => importLog(file, mapping, path, update))
    })
    .addHelpText(
      'after',
      '\nExample: millrace import events.csv.gz --mapping examples/tmall.import.yaml --log .data/tmall',
    )
  const movielens = new Command('movielens')
    .description(
      'Make an event log of a MovieLens folder as GroupLens distributes it: ml-100k, ml-1m, ml-latest and its like.',
    )
    .argument('<folder>', 'the unpacked folder')
    .option('--partitions <number>', 'partitions of the log', Number, 1)
    .action(async (folder: string, flags: Flags & { partitions: number }) => {
      const { partitions } = flags
      if (!Number.isInteger(partitions) || partitions < 1 || partitions > 64)
        throw new MillraceError('USAGE', '--partitions: expected a whole number from 1 to 64')
      await importing(flags, (path, onProgress) =>
        makeLog(path, async partial => {
          const writer = createLogWriter({ path: partial, partitions })
          const summary = await importMovieLens({
            folder,
            partitions,
            writer,
            scratch: join(partial, 'scratch'),
            onProgress,
          })
          writer.close()
          return summary
        }),
      )
    })
    .addHelpText('after', '\nExample: millrace import movielens ml-100k --log .data/ml-100k')
  for (const one of [command, movielens]) {
    one
      .option('--log <folder>', 'folder of the log', '.data/log')
      .option('--force', 'replace the log that is there')
      .option('--json', 'print the result as JSON')
  }
  return command.addCommand(movielens).addCommand(importKafkaCommand())
}

async function importing(
  { log, force, json }: Flags,
  work: (path: string, update: Update) => Promise<ImportSummary>,
): Promise<void> {
  const progress = createProgress('import', process.stderr.isTTY === true, createLog('millrace', 'info'), systemClock)
  const { path, made: summary } = await newLog(log, force === true, target => work(target, progress.update)).finally(
    () => progress.stop(),
  )
  process.stdout.write(json === true ? `${JSON.stringify({ log: path, ...summary })}\n` : textOf(path, summary))
}

function textOf(path: string, summary: ImportSummary): string {
  const { records, rows, byKind, users, items, dropped, badRows, examples, reordered, runs } = summary
  const lines = [
    `${path}: ${records.toLocaleString('en')} records of ${rows.toLocaleString('en')} rows, ${users.toLocaleString('en')} users and ${items.toLocaleString('en')} items`,
    countsText(byKind),
  ]
  if (dropped > 0) lines.push(`${dropped.toLocaleString('en')} rows dropped by the mapping`)
  if (reordered > 0)
    lines.push(
      `${reordered.toLocaleString('en')} rows were out of order in time; sorted ${runs === 0 ? 'in memory' : `in ${runs} runs on disk`}`,
    )
  if (badRows > 0)
    lines.push(
      `${badRows.toLocaleString('en')} bad rows left out, such as`,
      ...examples.map(({ line, message }) => `  line ${line}: ${message}`),
    )
  return `${lines.join('\n  ')}\n`
}
