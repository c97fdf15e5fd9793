import { Command, InvalidArgumentError } from 'commander'
import type { Admin } from 'kafkajs'
import { loadChecked } from '../app/load-checked.js'
import { asyncapiYaml } from '../config/asyncapi.js'
import type { LoadedConfig } from '../config/load.js'
import type { Config } from '../config/schema.js'
import { inputPartitions, neededBytes, type TopicFacts, type TopicFinding } from '../config/topic-check.js'
import type { TopicPlan } from '../config/topic-plan.js'
import { MillraceError } from '../domain/errors.js'
import type { Survey } from './topics-admin.js'

/** Loading the client takes a tenth of a second, which the other commands need not wait for. */
const loadAdmin = () => import('./topics-admin.js')
const DEFAULT_PARTITIONS = 4

interface Options {
  set?: string[]
  json?: true
}

interface CreateOptions extends Options {
  inputs?: true
  partitions?: number
  replication?: number
}

export function topicsCommand(): Command {
  const command = new Command('topics').description('Create, check or describe the Kafka topics of a configuration.')
  const add = (name: string, description: string) =>
    command
      .command(name)
      .description(description)
      .argument('<file>', 'the YAML configuration')
      .option('--set <key=value...>', 'change keys, such as --set outputs.kafka.journal=my.journal')
      .option('--json', 'print the result as JSON')

  add('create', 'Create the output topics that are missing; what is there already is left as it is.')
    .option('--inputs', 'create missing input topics too: those that are named, not those that a pattern would match')
    .option(
      '--partitions <n>',
      `of new topics keyed by user; default: as the input has, or ${DEFAULT_PARTITIONS}`,
      whole,
    )
    .option('--replication <n>', 'replicas of new topics; default: as the broker is set', whole)
    .action((file: string, options: CreateOptions) => create(loadKafka(file, options), options))
  add('check', 'Say what is missing or not as it should be: partitions, clean-up, message size, permissions.').action(
    (file: string, options: Options) => check(loadKafka(file, options), options),
  )
  add('describe', 'Show the topics that are read and written, their settings and how much they hold.').action(
    (file: string, options: Options) => describe(loadKafka(file, options), options),
  )
  command
    .command('asyncapi')
    .description('Print an AsyncAPI 3 document of the topics: what is read and published, in which schemas.')
    .argument('<file>', 'the YAML configuration')
    .option('--set <key=value...>', 'change keys')
    .action((file: string, options: Options) => {
      process.stdout.write(asyncapiYaml(loadKafka(file, options).config))
    })
  return command
}

function loadKafka(file: string, options: Options): LoadedConfig {
  const loaded = loadChecked(file, options)
  if (loaded.config.source.kafka !== undefined) return loaded
  throw new MillraceError('CONFIG_INVALID', `${file}: there is no source.kafka`)
}

async function create({ config, folder }: LoadedConfig, options: CreateOptions): Promise<void> {
  const { surveyTopics, withAdmin } = await loadAdmin()
  const { created, findings } = await withAdmin(config.kafka, folder, async admin => {
    const before = await surveyTopics(admin, config)
    const keyed = options.partitions ?? inputPartitions(factsOf(before)) ?? (options.inputs && DEFAULT_PARTITIONS)
    const missing = before.outputs.filter(({ state }) => state.kind !== 'there').map(({ plan }) => plan)
    // Before the first topic is created: half a set of topics helps nobody.
    if (keyed === undefined && missing.some(({ partitions }) => partitions === 'as-input'))
      throw new MillraceError(
        'KAFKA_TOPIC',
        'no input topic is there yet, and topics keyed by user need as many partitions as it has: add --inputs to create it too, or --partitions N',
      )
    const sizes = { partitions: keyed ?? 1, replication: options.replication }
    const inputs = options.inputs ? await createInputs(admin, before, sizes) : []
    const facts = factsOf(inputs.length > 0 ? await surveyTopics(admin, config) : before)
    const outputs = await createOutputs(admin, missing, facts, sizes)
    return { created: [...inputs, ...outputs], findings: (await surveyTopics(admin, config)).findings }
  })
  const lines = created.map(({ topic, partitions }) => `created  ${topic} (partitions: ${partitions})`)
  report(options, { created, findings }, lines.length === 0 ? ['nothing was missing'] : lines, findings)
}

interface Created {
  topic: string
  partitions: number
}

interface Sizes {
  partitions: number
  replication: number | undefined
}

const factsOf = ({ inputs }: Survey): TopicFacts[] =>
  inputs.flatMap(({ state }) => (state.kind === 'there' ? [state.facts] : []))

async function createInputs(admin: Admin, survey: Survey, { partitions, replication }: Sizes): Promise<Created[]> {
  const { createTopic } = await loadAdmin()
  const created: Created[] = []
  for (const { topic, state } of survey.inputs) {
    if (state.kind === 'there') continue
    // The model is a function of the log: what is to be learned again must still be there.
    const settings = { 'retention.ms': '-1' }
    if (await createTopic(admin, { topic, partitions, replication, settings })) created.push({ topic, partitions })
  }
  return created
}

async function createOutputs(
  admin: Admin,
  plans: readonly TopicPlan[],
  inputs: readonly TopicFacts[],
  { partitions: keyed, replication }: Sizes,
): Promise<Created[]> {
  const { createTopic } = await loadAdmin()
  const created: Created[] = []
  for (const { topic, partitions: wanted, messageBytes, settings } of plans) {
    const partitions = wanted === 'as-input' ? keyed : wanted
    const room =
      'beyondInput' in messageBytes ? { 'max.message.bytes': String(neededBytes(messageBytes, inputs)) } : undefined
    if (await createTopic(admin, { topic, partitions, replication, settings: { ...room, ...settings } }))
      created.push({ topic, partitions })
  }
  return created
}

async function check({ config, folder }: LoadedConfig, options: Options): Promise<void> {
  const { surveyTopics, withAdmin } = await loadAdmin()
  const { findings, inputs, outputs } = await withAdmin(config.kafka, folder, admin => surveyTopics(admin, config))
  const fine = findings.length > 0 ? [] : [`${inputs.length + outputs.length} topics are as they should be`]
  report(options, { findings }, fine, findings)
}

/** Prints all; errors also end the command with their exit code, warnings do not. */
function report(options: Options, result: object, lines: readonly string[], findings: readonly TopicFinding[]): void {
  const found = findings.map(({ severity, topic, message }) => `${severity.padEnd(7)}  ${topic}: ${message}`)
  const text = [...lines, ...found].join('\n')
  process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : `${text}\n`)
  const errors = findings.filter(({ severity }) => severity === 'error')
  if (errors.length > 0)
    throw new MillraceError('KAFKA_TOPIC', errors.map(({ topic, message }) => `${topic}: ${message}`).join('\n  '))
}

async function describe({ config, folder }: LoadedConfig, options: Options): Promise<void> {
  const { withAdmin } = await loadAdmin()
  const topics = await withAdmin(config.kafka, folder, admin => describeAll(admin, config))
  if (options.json) process.stdout.write(`${JSON.stringify({ topics }, null, 2)}\n`)
  else process.stdout.write(table([HEAD, ...topics.map(cells)]))
}

interface Row extends Partial<TopicFacts> {
  role: string
  topic: string
  state: string
  /** Decimal text; null: this user may not know. */
  records?: string | null
}

async function describeAll(admin: Admin, config: Config): Promise<Row[]> {
  const { countRecords, surveyTopics } = await loadAdmin()
  const { inputs, outputs } = await surveyTopics(admin, config)
  const all = [
    ...inputs.map(({ topic, state }) => ({ role: 'input', topic, state })),
    ...outputs.map(({ plan, state }) => ({ role: plan.output, topic: plan.topic, state })),
  ]
  return Promise.all(
    all.map(async ({ role, topic, state }): Promise<Row> => {
      if (state.kind !== 'there') return { role, topic, state: state.kind }
      const records = (await countRecords(admin, topic))?.toString() ?? null
      return { ...state.facts, role, state: state.kind, records }
    }),
  )
}

const HEAD = ['', 'topic', 'partitions', 'replicas', 'records', 'clean-up', 'retention.ms', 'max.message.bytes']

function cells({ role, topic, state, partitions, replicas, records, settings }: Row): string[] {
  if (state !== 'there') return [role, topic, state]
  const setting = (name: string) => settings?.[name] ?? '?'
  const counts = [String(partitions), String(replicas), records ?? '?']
  return [role, topic, ...counts, setting('cleanup.policy'), setting('retention.ms'), setting('max.message.bytes')]
}

function table(rows: readonly string[][]): string {
  const width = (column: number) => Math.max(...rows.map(row => row[column]?.length ?? 0))
  return rows
    .map(
      row =>
        `${row
          .map((cell, i) => cell.padEnd(width(i)))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}

function whole(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value) && value > 0) return value
  throw new InvalidArgumentError('expected a whole number above 0')
}
