import { Command, InvalidArgumentError } from 'commander'
import { loadChecked } from '../app/load-checked.js'
import { serveModel } from '../app/serve-model.js'

export function serveCommand(): Command {
  return new Command('serve')
    .description(
      'Follow what the learner of a configuration publishes, from its folder or topic, and answer over HTTP: scores, lists, explanations.',
    )
    .argument('<file>', "the learner's YAML configuration")
    .option('--set <key=value...>', 'change keys, such as --set http.port=8080')
    .option('--snapshots <folder>', 'follow this folder of snapshots instead of the configured output')
    .option('--pin <version>', 'stay at this version instead of the newest one', versionOf)
    .addHelpText('after', '\nExample: millrace serve examples/shop.yaml')
    .action((file: string, options: { set?: string[]; snapshots?: string; pin?: number }) =>
      serveModel(loadChecked(file, options), options),
    )
}

function versionOf(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('expected the number of a version, such as 2000')
  return Number(text)
}
