import { Command, InvalidArgumentError, Option } from 'commander'
import { evaluateFiles } from '../app/evaluate-files.js'
import { addRange, type RangeOptions, rangeSettings } from './range.js'

interface Options extends RangeOptions {
  log?: string
  compare?: true
  interval?: 'user' | 'day'
  baselines?: true
  policy?: string
  seeds: number
  report?: string
  json?: true
}

export function evaluateCommand(): Command {
  const command = new Command('evaluate')
    .description(
      'Replay a log and judge every score when its label matures (progressive validation). Nothing is written but the report.',
    )
    .argument('<files...>', 'YAML configurations; several make a leaderboard, the first is the baseline')
    .option('--set <key=value...>', 'change keys in all of them, such as --set model.architecture=mmoe')
    .option('--compare', 'also the variants of evaluate.compare')
    .addOption(
      new Option(
        '--interval <unit>',
        'an interval beside each figure and each difference, by resampling users or days',
      ).choices(['user', 'day']),
    )
    .option(
      '--seeds <number>',
      'runs of each configuration, with one seed after the other; means and their intervals',
      count,
      1,
    )
    .option('--baselines', 'simple learners beside the model, on the same examples')
    .option(
      '--policy <task>',
      'what the log would have got with its pages in the order of the rank score; the label of this task is the reward',
    )
    .option('--report <file>', 'where the HTML report goes (default: evaluate.report of the first configuration)')
    .option('--json', 'print the result as JSON')
  return addRange(command)
    .option('--log <folder>', 'read this log instead of the configured source, such as an export of its topics')
    .addHelpText('after', '\nExample: millrace evaluate examples/ml-100k.yaml --json')
    .action(async (files: string[], options: Options) => {
      const ranges = new Set(files.flatMap(file => rangeSettings(file, options)))
      await evaluateFiles(files, {
        set: [
          ...(options.set ?? []),
          ...ranges,
          ...(options.baselines === true ? ['evaluate.baselines=true'] : []),
          ...(options.policy === undefined ? [] : [`evaluate.policy.reward=${options.policy}`]),
          ...(options.interval === undefined ? [] : [`evaluate.interval=${options.interval}`]),
        ],
        log: options.log,
        compare: options.compare === true,
        report: options.report,
        json: options.json === true,
        seeds: options.seeds,
      })
    })
}

function count(text: string): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number from 1 on')
  return value
}
