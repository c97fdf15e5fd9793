import { Command } from 'commander'
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
    .addHelpText('after', '\nExample: millrace serve examples/shop.yaml')
    .action((file: string, options: { set?: string[]; snapshots?: string }) =>
      serveModel(loadChecked(file, options), options.snapshots),
    )
}
