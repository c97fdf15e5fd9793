/** `replay --from-dlq`: puts dead letters back where they came from, after whatever was wrong has been mended. */
import type { Command } from 'commander'
import { createLetterChoice, type LetterFlags } from '../app/letter-choice.js'
import { loadChecked } from '../app/load-checked.js'
import type { LettersReplayed } from '../app/replay-letters.js'
import type { LoadedConfig } from '../config/load.js'
import { createLog } from '../observe/log.js'

export interface LetterOptions extends LetterFlags {
  fromDlq?: true
  dryRun?: true
  set?: string[]
  json?: true
}

export function addLetterFlags(command: Command): Command {
  return command
    .option(
      '--from-dlq',
      'put dead letters that can be used by now back, as new records of the log they came from; each only once. With --from and --until: ISO times of the records',
    )
    .option('--reason <reason...>', 'dead letters: only those with this reason')
    .option('--stage <stage...>', 'dead letters: only those of this stage, such as decode')
    .option('--topic <topic...>', 'dead letters: only those that came from this topic')
    .option('--partition <number...>', 'dead letters: only those that came from this partition')
    .option('--dry-run', 'dead letters: only say what would become of them')
}

export async function replayFromDeadLetters(file: string, options: LetterOptions): Promise<void> {
  const choice = createLetterChoice(options)
  const loaded = loadChecked(file, { set: options.set ?? [] })
  const logger = createLog(loaded.config.name, loaded.config.log.level)
  const dryRun = options.dryRun === true
  const { replayLetters } = await import('../app/replay-letters.js')
  const hasLedger = await prepareLedger(loaded, dryRun)
  const result = await replayLetters({ loaded, choice, dryRun, hasLedger, logger })
  process.stdout.write(options.json === true ? `${JSON.stringify({ dryRun, ...result })}\n` : textOf(result, dryRun))
}

/** The topic that says what was put back: made when it is first needed. */
async function prepareLedger({ config, folder }: LoadedConfig, dryRun: boolean): Promise<boolean> {
  const { createTopic, withAdmin } = await import('./topics-admin.js')
  const { ledgerTopic } = await import('../app/replay-letters.js')
  const { kafka } = config.outputs
  if (kafka === undefined) return false
  const topic = ledgerTopic(kafka.deadLetters)
  return withAdmin(config.kafka, folder, async admin => {
    if ((await admin.listTopics()).includes(topic)) return true
    if (dryRun) return false
    const settings = { 'cleanup.policy': 'compact' }
    await createTopic(admin, { topic, partitions: 1, replication: undefined, settings })
    return true
  })
}

function textOf({ letters, replayed, before, failing, others, foreign }: LettersReplayed, dryRun: boolean): string {
  const rows: [count: number, what: string][] = [
    [replayed, dryRun ? 'would be put back' : 'put back: they are new records of their log'],
    [before, 'were put back before'],
    ...Object.entries(failing).map(([reason, count]): [number, string] => [count, `would fail again: ${reason}`]),
    [others, 'were not chosen'],
    [foreign, 'are not of what this configuration reads'],
  ]
  const lines = rows.filter(([count]) => count > 0).map(([count, what]) => `  ${count.toLocaleString('en')} ${what}`)
  return `${letters.toLocaleString('en')} dead letters\n${lines.join('\n')}${lines.length > 0 ? '\n' : ''}`
}
