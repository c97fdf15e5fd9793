import { Command } from 'commander'
import { exportTopics } from '../app/export-topics.js'
import { loadChecked } from '../app/load-checked.js'
import { makeLog } from '../app/prepare-log.js'
import type { MessageLogManifest } from '../domain/message-log.js'
import { createLog } from '../observe/log.js'
import { createProgress } from '../observe/progress.js'
import { systemClock } from '../std/clock.js'
import { newLog } from './new-log.js'
import { addRange, type RangeOptions, rangeSettings } from './range.js'

interface Options extends RangeOptions {
  to: string
  force?: true
  json?: true
}

export function exportCommand(): Command {
  const command = new Command('export')
    .description(
      "Write a range of the configuration's topics into a log of Avro files, byte for byte: keys, values, headers, timestamps, the order of each partition, and the schemas. `replay --log` learns it, `import kafka` puts it onto topics.",
    )
    .argument('<file>', 'the YAML configuration')
    .requiredOption('--to <folder>', 'folder of the new log')
    .option('--set <key=value...>', 'change keys, such as --set source.kafka.topics=[shop.events.v1]')
  return addRange(command)
    .option('--force', 'replace the log that is there')
    .option('--json', 'print the manifest of the log as JSON')
    .addHelpText(
      'after',
      '\nExample: millrace export examples/shop-kafka.yaml --from 2026-01-01T00:00:00Z --until 2026-01-08T00:00:00Z --to .data/week',
    )
    .action(async (file: string, options: Options) => {
      const loaded = loadChecked(file, { set: [...(options.set ?? []), ...rangeSettings(file, options)] })
      const logger = createLog(loaded.config.name, loaded.config.log.level)
      const progress = createProgress('export', process.stderr.isTTY === true, logger, systemClock)
      const { path, made } = await newLog(options.to, options.force === true, target =>
        makeLog(target, partial => exportTopics({ loaded, logger, onProgress: progress.update }, partial)),
      ).finally(() => progress.stop())
      process.stdout.write(options.json === true ? `${JSON.stringify({ log: path, ...made })}\n` : textOf(path, made))
    })
}

function textOf(path: string, { partitions, schemas }: MessageLogManifest): string {
  const messages = partitions.reduce((sum, one) => sum + one.messages, 0)
  const known = Object.keys(schemas).length
  const lines = [
    `${path}: ${messages.toLocaleString('en')} messages of ${partitions.length} partitions${known === 0 ? '' : `, ${known} schemas`}`,
    ...partitions.map(
      ({ folder, topic, partition, from, until, messages: count }) =>
        `  ${folder}  ${topic}/${partition}, offsets ${from} to before ${until}: ${count.toLocaleString('en')}`,
    ),
  ]
  return `${lines.join('\n')}\n`
}
