import { resolve } from 'node:path'
import { Command } from 'commander'
import { type EmbedSummary, embedLog } from '../app/embed-log.js'
import { makeLog } from '../app/prepare-log.js'
import { MillraceError } from '../domain/errors.js'
import { createLog } from '../observe/log.js'
import { createProgress } from '../observe/progress.js'
import { systemClock } from '../std/clock.js'
import { newLog } from './new-log.js'

interface Flags {
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
  return new Command('embed')
    .description(
      'Make an event log of another one in which item profiles have an embedding of their text, by a sentence model in a local folder. Nothing is downloaded.',
    )
    .argument('<folder>', 'the log that is read, such as `import` makes it')
    .requiredOption('--model <folder>', 'folder with model.onnx and tokenizer.json')
    .requiredOption('--log <folder>', 'folder of the new log')
    .option(
      '--text <names>',
      'fields and attributes whose texts are joined, in this order',
      'title,text,category,brand',
    )
    .option('--as <name>', 'its name among the `embeddings` of the items (default: their `embedding`); the others stay')
    .option('--batch <number>', 'texts a run of the model', Number, 32)
    .option('--threads <number>', 'threads of the model', Number, 1)
    .option('--force', 'replace the log that is there')
    .option('--json', 'print the result as JSON')
    .action(embed)
    .addHelpText(
      'after',
      '\nExample: millrace embed .data/shop/log --model ~/models/all-MiniLM-L6-v2 --text title,text --log .data/shop/embedded',
    )
}

async function embed(folder: string, { log, force, json, model, text, as, batch, threads }: Flags): Promise<void> {
  for (const [name, value, most] of [
    ['--batch', batch, 1024],
    ['--threads', threads, 256],
  ] as const) {
    if (!Number.isInteger(value) || value < 1 || value > most)
      throw new MillraceError('USAGE', `${name}: expected a whole number from 1 to ${most}`)
  }
  if (resolve(folder) === resolve(log))
    throw new MillraceError('USAGE', '--log: the log that is read can not be replaced')
  if (as === '') throw new MillraceError('USAGE', '--as: expected a name')
  const fields = text.split(',').map(name => name.trim())
  const progress = createProgress('embed', process.stderr.isTTY === true, createLog('millrace', 'info'), systemClock)
  const work = (target: string) =>
    makeLog(target, partial =>
      embedLog({ log: resolve(folder), model, fields, as, batch, threads, onProgress: progress.update }, partial),
    )
  const { path, made } = await newLog(log, force === true, work).finally(() => progress.stop())
  process.stdout.write(json === true ? `${JSON.stringify({ log: path, ...made })}\n` : textOf(path, made))
}

function textOf(path: string, summary: EmbedSummary): string {
  const { records, items, texts, cut, maxTokens, without, size, rejected } = summary
  const count = (number: number) => number.toLocaleString('en')
  const lines = [
    `${path}: ${count(records)} records, ${count(items)} of them items`,
    `${count(texts)} different texts, embedded as ${count(size)} numbers each`,
  ]
  if (cut > 0) lines.push(`${count(cut)} texts were cut at ${count(maxTokens)} tokens`)
  if (without > 0) lines.push(`${count(without)} items have no text; their embedding is left as it was`)
  for (const [reason, number] of Object.entries(rejected))
    lines.push(`${count(number)} records left out, which can not be read: ${reason}`)
  return `${lines.join('\n  ')}\n`
}
