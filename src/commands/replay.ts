import { Command } from 'commander'
import { runLearning } from '../app/run-learning.js'
import { addRange, type RangeOptions, rangeSettings } from './range.js'
import { addLetterFlags, type LetterOptions, replayFromDeadLetters } from './replay-letters.js'

interface Options extends RangeOptions, LetterOptions {
  set?: string[]
  log?: string
  resume?: true
  journal?: true
  json?: true
}

export function replayCommand(): Command {
  const command = new Command('replay')
    .description(
      'Learn a finite log from its first record and write all outputs: same log, configuration and backend, same bytes. Of topics: a range of them, to files, beside the learner that is live.',
    )
    .argument('<file>', 'the YAML configuration')
    .option('--set <key=value...>', 'change keys, such as --set outputs.path=/tmp/out')
    .option('--resume', 'go on from the last checkpoint of an interrupted replay')
    .option(
      '--journal',
      'what a live run has learned, in the order and the batches that its journal tells of: the same model, beside the live run',
    )
    .option('--json', 'print the result as JSON')
  return addLetterFlags(addRange(command))
    .option('--log <folder>', 'read this log instead of the configured source, such as an export of its topics')
    .addHelpText(
      'after',
      '\nExamples: millrace replay examples/shop.yaml --set outputs.path=/tmp/replay\n          millrace replay examples/shop-kafka.yaml --from-dlq --reason schema-incompatible --dry-run',
    )
    .action(async (file: string, options: Options) => {
      if (options.fromDlq === true) return replayFromDeadLetters(file, options)
      const set = [...(options.set ?? []), ...rangeSettings(file, options), 'source.follow=false']
      await runLearning({
        file,
        set,
        resume: options.resume === true && options.journal !== true,
        replay: true,
        followJournal: options.journal === true,
        log: options.log,
        compare: false,
        json: options.json === true,
      })
    })
}
