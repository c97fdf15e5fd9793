import { Command } from 'commander'
import { stringify } from 'yaml'
import { loadChecked } from '../app/load-checked.js'
import { configMarkdown } from '../config/describe.js'
import { configAsWritten } from '../config/print.js'

export function configCommand(): Command {
  const command = new Command('config').description('Check, show or explain the configuration.')
  command
    .command('lint')
    .description('Check a configuration file; every fault is printed with its place.')
    .argument('<file>', 'the YAML file')
    .option('--json', 'print the result as JSON')
    .action((file: string, options: { json?: true }) => {
      const { hash } = loadChecked(file, {})
      process.stdout.write(
        options.json
          ? `${JSON.stringify({ file, valid: true, hash })}\n`
          : `${file}: valid (model configuration ${hash})\n`,
      )
    })
  command
    .command('print')
    .description('Show the configuration with all defaults, as it is used.')
    .argument('<file>', 'the YAML file')
    .option('--set <key=value...>', 'change keys, such as --set weights.method=gradnorm')
    .option('--json', 'print it as JSON')
    .action((file: string, options: { json?: true; set?: string[] }) => {
      const config = configAsWritten(loadChecked(file, options).config)
      process.stdout.write(options.json ? `${JSON.stringify(config, null, 2)}\n` : stringify(config))
    })
  command
    .command('docs')
    .description('Print the reference of every key.')
    .action(() => {
      process.stdout.write(configMarkdown())
    })
  return command
}
