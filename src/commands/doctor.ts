import { Command } from 'commander'
import { probeBackends } from '../backend/choose.js'
import { tensorflowEnvironment } from '../backend/tensorflow-environment.js'
import { setEnvironment } from '../config/load.js'

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('Say which numeric backends work on this machine, which one is used, and why.')
    .option('--json', 'print the result as JSON')
    .action(async (options: { json?: true }) => {
      setEnvironment(tensorflowEnvironment(1))
      const backends = await probeBackends({ threads: 1 })
      const system = { node: process.version, platform: `${process.platform} ${process.arch}` }
      if (options.json) {
        process.stdout.write(`${JSON.stringify({ ...system, backends }, null, 2)}\n`)
        return
      }
      const lines = backends.map(
        ({ kind, available, chosen, detail }) =>
          `  ${chosen ? '→' : ' '} ${kind.padEnd(14)} ${available ? 'works' : 'absent'}  ${detail}`,
      )
      process.stdout.write(
        `Node ${system.node} on ${system.platform}\n\nBackends (→ is what 'auto' takes)\n${lines.join('\n')}\n`,
      )
    })
}
