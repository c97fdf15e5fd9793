import { Command } from 'commander'
import { evaluateFiles } from '../app/evaluate-files.js'

export function evaluateCommand(): Command {
  return new Command('evaluate')
    .description(
      'Replay a log and judge every score when its label matures (progressive validation). Nothing is written but the report.',
    )
    .argument('<files...>', 'YAML configurations; several make a leaderboard, the first is the baseline')
    .option('--set <key=value...>', 'change keys in all of them, such as --set model.architecture=mmoe')
    .option('--compare', 'also the variants of evaluate.compare')
    .option('--report <file>', 'where the HTML report goes (default: evaluate.report of the first configuration)')
    .option('--json', 'print the result as JSON')
    .addHelpText('after', '\nExample: millrace evaluate examples/ml-100k.yaml --json')
    .action(async (files: string[], options: { set?: string[]; compare?: true; report?: string; json?: true }) => {
      await evaluateFiles(files, {
        set: options.set ?? [],
        compare: options.compare === true,
        report: options.report,
        json: options.json === true,
      })
    })
}
