import { resolve } from 'node:path'
import { Command } from 'commander'
import { importTopics, type TopicsImport } from '../app/import-topics.js'
import { loadChecked } from '../app/load-checked.js'
import { untilSignal } from '../app/signals.js'
import { createLog } from '../observe/log.js'
import { createProgress } from '../observe/progress.js'
import { systemClock } from '../std/clock.js'

interface Options {
  log: string
  topic?: string
  again?: true
  set?: string[]
  json?: true
}

export function importKafkaCommand(): Command {
  return new Command('kafka')
    .description(
      'Put a log onto Kafka topics: an export byte for byte, an event log as keyed messages with registered schemas. Interrupted or repeated, it goes on where it stopped and writes nothing twice.',
    )
    .argument('<file>', 'the YAML configuration: brokers, registry and topics')
    .option('--log <folder>', 'folder of the log', '.data/log')
    .option('--topic <name>', 'another topic than the configured one, or than the one exported; of several OLD=NEW')
    .option('--again', 'also what an earlier import of this log has put there')
    .option('--set <key=value...>', 'change keys, such as --set kafka.brokers=[127.0.0.1:9092]')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample: millrace import kafka examples/shop-kafka.yaml --log .data/shop-kafka/log')
    .action(async (file: string, { log, topic, again, set = [], json }: Options) => {
      const loaded = loadChecked(file, { set })
      const { kafka, name, log: logging } = loaded.config
      const logger = createLog(name, logging.level)
      const progress = createProgress('import', process.stderr.isTTY === true, logger, systemClock)
      const { retentionOf, withAdmin } = await import('./topics-admin.js')
      const work = {
        loaded,
        log: resolve(log),
        topic,
        again: again === true,
        retentionMs: (topics: readonly string[]) =>
          withAdmin(kafka, loaded.folder, admin => retentionOf(admin, topics)),
        logger,
        onProgress: progress.update,
      }
      const { value } = await untilSignal(logger, stop => importTopics(work, stop)).finally(() => progress.stop())
      process.stdout.write(json === true ? `${JSON.stringify({ log: work.log, ...value })}\n` : textOf(value))
    })
}

function textOf({ messages, before, corrupt, topics }: TopicsImport): string {
  const lines = [
    messages === 0
      ? 'nothing was put onto topics'
      : `${messages.toLocaleString('en')} messages: ${Object.entries(topics)
          .map(([topic, count]) => `${topic} ${count.toLocaleString('en')}`)
          .join(', ')}`,
  ]
  if (before > 0)
    lines.push(
      `  ${before.toLocaleString('en')} were there already, by an earlier import of this log (--again puts them there once more)`,
    )
  if (corrupt > 0) lines.push(`  ${corrupt.toLocaleString('en')} corrupt stretches of the log left out`)
  return `${lines.join('\n')}\n`
}
