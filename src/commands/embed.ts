import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { Command } from 'commander'
import { type EmbedCatalogueSummary, embedCatalogue } from '../app/embed-catalogue.js'
import { type EmbedSummary, embedLog } from '../app/embed-log.js'
import { makeLog } from '../app/prepare-log.js'
import { MillraceError } from '../domain/errors.js'
import { createLog } from '../observe/log.js'
import { createProgress } from '../observe/progress.js'
import { systemClock } from '../std/clock.js'
import {
  addCatalogueOptions,
  type CatalogueFlags,
  catalogueOf,
  givenForCatalogue,
  listOf,
} from './catalogue-options.js'
import { newLog } from './new-log.js'

interface Flags extends CatalogueFlags {
  model: string
  text: string
  as?: string
  log: string
  batch: number
  threads: number
  force?: true
  json?: true
}

export function embedCommand(): Command {
  const command = new Command('embed')
    .description(
      'Make an event log in which item profiles have an embedding of their text, by a sentence model in a local folder: of another log, or of a catalogue of items before there is any log. Nothing is downloaded.',
    )
    .argument(
      '<source>',
      'folder of a log, such as `import` makes it; or a catalogue: a CSV or JSON-lines file, gzip or not',
    )
    .requiredOption('--model <folder>', 'folder with model.onnx and tokenizer.json')
    .requiredOption('--log <folder>', 'folder of the new log')
    .option(
      '--text <names>',
      'fields and attributes of a log, columns or keys of a catalogue, whose texts are joined, in this order',
      'title,text,category,brand',
    )
    .option('--as <name>', 'its name among the `embeddings` of the items (default: their `embedding`); the others stay')
    .option('--batch <number>', 'texts a run of the model', Number, 32)
    .option('--threads <number>', 'threads of the model', Number, 1)
    .option('--force', 'replace the log that is there')
    .option('--json', 'print the result as JSON')
  return addCatalogueOptions(command)
    .action(embed)
    .addHelpText(
      'after',
      '\nExamples: millrace embed .data/shop/log --model ~/models/all-MiniLM-L6-v2 --text title,text --log .data/shop/embedded\n          millrace embed products.csv.gz --id sku --text title,description --attributes brand,colour --numbers price --model ~/models/all-MiniLM-L6-v2 --log .data/shop/log',
    )
}

async function embed(source: string, flags: Flags, command: Command): Promise<void> {
  const { log, force, json, model, text, as, batch, threads } = flags
  for (const [name, value, most] of [
    ['--batch', batch, 1024],
    ['--threads', threads, 256],
  ] as const) {
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw new MillraceError('USAGE', `${name}: expected a whole number from 1 to ${most}`)
  }
  if (resolve(source) === resolve(log))
    throw new MillraceError('USAGE', '--log: the log that is read can not be replaced')
  if (as === '') throw new MillraceError('USAGE', '--as: expected a name')
  const fields = listOf(text)
  if (fields.length === 0) throw new MillraceError('USAGE', '--text: expected names')
  const progress = createProgress('embed', process.stderr.isTTY === true, createLog('millrace', 'info'), systemClock)
  const options = { model, as, batch, threads, onProgress: progress.update }
  const work = workOf()
  const { path, made } = await newLog(log, force === true, target => makeLog(target, work)).finally(() =>
    progress.stop(),
  )
  process.stdout.write(json === true ? `${JSON.stringify({ log: path, ...made })}\n` : textOf(path, made))

  function workOf(): (partial: string) => Promise<EmbedSummary | EmbedCatalogueSummary> {
    const isFile = statSync(source, { throwIfNoEntry: false })?.isFile() === true
    const forCatalogue = givenForCatalogue(flags)
    if (!isFile && forCatalogue !== undefined)
      throw new MillraceError('USAGE', `${forCatalogue} is for a catalogue, and ${source} is no file`)
    if (!isFile) return partial => embedLog({ ...options, log: resolve(source), fields }, partial)
    const given = command.getOptionValueSource('text') !== 'default'
    const catalogue = catalogueOf(source, { names: fields, given }, flags)
    return partial => embedCatalogue({ ...options, catalogue, skipBad: flags.skipBad === true }, partial)
  }
}

function textOf(path: string, summary: EmbedSummary | EmbedCatalogueSummary): string {
  const { records, items, texts, cut, maxTokens, without, size } = summary
  const count = (number: number) => number.toLocaleString('en')
  const left = 'rejected' in summary ? 'their embedding is left as it was' : 'they have no embedding'
  const lines = [
    `${path}: ${count(records)} records, ${count(items)} of them items`,
    `${count(texts)} different texts, embedded as ${count(size)} numbers each`,
  ]
  if (cut > 0) lines.push(`${count(cut)} texts were cut at ${count(maxTokens)} tokens`)
  if (without > 0) lines.push(`${count(without)} items have no text; ${left}`)
  if ('rejected' in summary) {
    for (const [reason, number] of Object.entries(summary.rejected))
      lines.push(`${count(number)} records left out, which can not be read: ${reason}`)
  } else if (summary.badLines > 0) {
    const some = summary.examples.map(({ line, message }) => `  line ${line}: ${message}`)
    lines.push(`${count(summary.badLines)} bad lines left out, such as`, ...some)
  }
  return `${lines.join('\n  ')}\n`
}
