import { Command } from 'commander'
import { runLearning } from '../app/run-learning.js'

export function replayCommand(): Command {
  return new Command('replay')
    .description(
      'Learn a finite log from its first record and write all outputs: same log, configuration and backend, same bytes.',
    )
    .argument('<file>', 'the YAML configuration')
    .option('--set <key=value...>', 'change keys, such as --set outputs.path=/tmp/out')
    .option('--resume', 'go on from the last checkpoint of an interrupted replay')
    .option('--journal', 'topics: what a live run has learned, in the order and the batches that its journal tells of')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample: millrace replay examples/shop.yaml --set outputs.path=/tmp/replay')
    .action(async (file: string, options: { set?: string[]; resume?: true; journal?: true; json?: true }) => {
      const set = [...(options.set ?? []), 'source.follow=false']
      await runLearning({
        file,
        set,
        resume: options.resume === true && options.journal !== true,
        followJournal: options.journal === true,
        compare: false,
        json: options.json === true,
      })
    })
}
