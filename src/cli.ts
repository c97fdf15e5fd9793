#!/usr/bin/env node
/** Picks the command, loads it alone, and maps its errors to exit codes; nothing else. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { ERRORS, type ErrorCode, MillraceError } from './domain/errors.js'
import { packageRoot } from './std/package-root.js'

const { version, description } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
  version: string
  description: string
}

/** In the order of the help. A command brings all that it works with, so only the one that is named is loaded. */
const COMMANDS: Record<string, () => Promise<Command>> = {
  run: async () => (await import('./commands/run.js')).runCommand(),
  replay: async () => (await import('./commands/replay.js')).replayCommand(),
  evaluate: async () => (await import('./commands/evaluate.js')).evaluateCommand(),
  import: async () => (await import('./commands/import.js')).importCommand(),
  embed: async () => (await import('./commands/embed.js')).embedCommand(),
  export: async () => (await import('./commands/export.js')).exportCommand(),
  serve: async () => (await import('./commands/serve.js')).serveCommand(),
  simulate: async () => (await import('./commands/simulate.js')).simulateCommand(),
  topics: async () => (await import('./commands/topics.js')).topicsCommand(),
  snapshots: async () => (await import('./commands/snapshots.js')).snapshotsCommand(),
  config: async () => (await import('./commands/config.js')).configCommand(),
  doctor: async () => (await import('./commands/doctor.js')).doctorCommand(),
}

const program = new Command('millrace')
  .description(description)
  .version(version)
  // Options belong to the command that they follow, also where its parent has one of the same name.
  .enablePositionalOptions()
  .showSuggestionAfterError()
  .showHelpAfterError('(see millrace --help)')
  .addHelpText('after', '\nTry it: millrace run examples/shop.yaml')

const [, , first = ''] = process.argv
const wanted = Object.entries(COMMANDS).filter(([name]) => name === first || !Object.hasOwn(COMMANDS, first))
for (const [, load] of wanted) program.addCommand(await load())

// Commander exits by itself on a usage error; its code becomes ours. Help and version are not errors.
for (const command of [program, ...program.commands, ...program.commands.flatMap(child => child.commands)])
  command.exitOverride()

// `millrace … | head -1`: a reader that has seen enough is no fault, and what runs runs on.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = exitCodeOf(error)
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : ERRORS.USAGE.exitCode
  if (error instanceof MillraceError) {
    process.stderr.write(`millrace: ${error.code}: ${error.message}\n  ${error.remedy}\n`)
    return error.exitCode
  }
  const disk = diskCode(error)
  if (disk !== undefined) return exitCodeOf(new MillraceError(disk, (error as Error).message, { cause: error }))
  const { stack, message } = error instanceof Error ? error : new Error(String(error))
  process.stderr.write(`millrace: INTERNAL: ${stack ?? message}\n  ${ERRORS.INTERNAL.remedy}\n`)
  return ERRORS.INTERNAL.exitCode
}

/** Errors of the operating system that no edge has named: they say the path, and are the disk's fault, not ours. */
function diskCode(error: unknown): ErrorCode | undefined {
  const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'DISK_FULL'
  return code === 'EROFS' || code === 'EACCES' || code === 'EPERM' ? 'OUTPUT_FAILED' : undefined
}
