import { Command } from 'commander'
import { runLearning } from '../app/run-learning.js'

export function runCommand(): Command {
  return new Command('run')
    .description(
      'Learn from the event log and publish; go on where the last run stopped. If there is no log, it is simulated or imported as configured.',
    )
    .argument('<file>', 'the YAML configuration')
    .option('--set <key=value...>', 'change keys, such as --set weights.method=gradnorm')
    .option('--follow', 'wait for new records at the end of the log')
    .option('--fresh', 'begin with the first record: checkpoints and outputs of earlier runs are removed')
    .option('--open', 'show the dashboard in a browser, when started from a terminal')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample: millrace run examples/shop.yaml')
    .action(
      async (file: string, options: { set?: string[]; follow?: true; fresh?: true; open?: true; json?: true }) => {
        const set = [...(options.set ?? []), ...(options.follow ? ['source.follow=true'] : [])]
        await runLearning({
          file,
          set,
          resume: options.fresh !== true,
          replay: false,
          compare: true,
          json: options.json === true,
          open: options.open === true,
        })
      },
    )
}
