/** The topics of a configuration as an AsyncAPI 3 document: where events come in, what goes out, in which schemas. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { packageRoot } from '../std/package-root.js'
import { readSchemaFile } from '../std/schema-file.js'
import type { Config } from './schema.js'
import { predictionSchema } from './task-classes.js'
import { planTopics, type TopicOutput, type TopicPlan } from './topic-plan.js'

type Json = Record<string, unknown>

const BINDING = { bindingVersion: '0.5.0' }
const AVRO = 'application/vnd.apache.avro;version=1.9.0'
const EVENTS = ['impression', 'click', 'buy', 'rating', 'item', 'user', 'score-request', 'erase']
const RECORDS: Record<Exclude<TopicOutput, 'deadLetters'>, { schema: string; key: string | undefined }> = {
  predictions: { schema: 'prediction', key: 'The user.' },
  recommendations: { schema: 'recommendation', key: 'The user.' },
  metrics: { schema: 'metric', key: 'The task.' },
  snapshots: { schema: 'snapshot', key: 'Version, part and chunk, so that compaction keeps them apart.' },
  journal: { schema: 'journal', key: undefined },
}
/** Headers of Kafka Connect's dead letter queues (KIP-298), after those of the original record. */
const DEAD_LETTER_HEADERS: Record<string, string> = {
  topic: 'Topic of the original record.',
  partition: 'Its partition.',
  offset: 'Its offset.',
  'connector.name': 'Name of the learner that could not use it.',
  'task.id': 'Always 0.',
  stage: 'Where it was found out, such as decode or join.',
  'class.name': 'Always millrace.',
  'exception.class.name': 'Why, one of a fixed list; see schemas/dead-letter.avsc.',
  'exception.message': 'Why, for people.',
}
/** The settings that AsyncAPI's Kafka binding has words for. */
const BOUND_SETTINGS = ['retention.ms', 'retention.bytes', 'max.message.bytes']

export function asyncapiYaml(config: Config): string {
  return stringify(asyncapiDocument(config), { aliasDuplicateObjects: false, lineWidth: 120 })
}

function asyncapiDocument(config: Config): Json {
  const plans = planTopics(config).filter(({ output }) => output !== 'predictions' || config.outputs.predictions)
  const inputs = (config.source.kafka?.topics ?? []).map((topic, i) => ({ id: `input${i + 1}`, topic }))
  const publishes = new Set(plans.map(({ output }) => output))
  return {
    asyncapi: '3.0.0',
    info: info(config),
    defaultContentType: 'application/vnd.apache.avro',
    servers: servers(config),
    channels: {
      ...entries(inputs, ({ id, topic }) => [id, inputChannel(topic)]),
      ...entries(plans, plan => [plan.output, outputChannel(plan)]),
    },
    operations: {
      ...entries(inputs, ({ id }) => [`learnFrom${capital(id)}`, learning(config, id)]),
      ...(publishes.has('recommendations')
        ? entries(inputs, ({ id }) => [`answerRequestsOf${capital(id)}`, answering(config, id)])
        : {}),
      ...entries(plans, ({ output }) => [
        `publish${capital(output)}`,
        { action: 'send', channel: reference('channels', output) },
      ]),
    },
    components: {
      messages: {
        ...(inputs.length > 0 ? entries(EVENTS, name => [messageId(name), eventMessage(config, name)]) : {}),
        ...entries(plans, ({ output }) => [messageOf(output), outputMessage(config, output)]),
      },
      ...securitySchemes(config),
    },
  }
}

function info({ name }: Config): Json {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }
  return {
    title: `Millrace: ${name}`,
    version,
    description: 'Events that the learner reads, and what it publishes. Written by `millrace topics asyncapi`.',
    license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
  }
}

function servers({ kafka: { brokers, tls, sasl, registry } }: Config): Json {
  const security = [sasl && camel(sasl.mechanism), tls?.cert === undefined ? undefined : 'clientCertificate']
  const schemes = security.filter(one => one !== undefined).map(one => reference('components/securitySchemes', one))
  return entries(brokers, (host, i) => [
    `broker${i + 1}`,
    {
      host,
      protocol: tls === undefined && sasl === undefined ? 'kafka' : 'kafka-secure',
      ...(schemes.length === 0 ? {} : { security: schemes }),
      ...(registry === undefined
        ? {}
        : {
            bindings: {
              kafka: { schemaRegistryUrl: bare(registry.url), schemaRegistryVendor: 'confluent', ...BINDING },
            },
          }),
    },
  ])
}

function securitySchemes({ kafka: { tls, sasl } }: Config): Json {
  if (sasl === undefined && tls?.cert === undefined) return {}
  const type = sasl && camel(sasl.mechanism)
  return {
    securitySchemes: {
      ...(type === undefined ? {} : { [type]: { type } }),
      ...(tls?.cert === undefined ? {} : { clientCertificate: { type: 'X509' } }),
    },
  }
}

function inputChannel(topic: string): Json {
  const isPattern = topic.length > 2 && topic.startsWith('/') && topic.endsWith('/')
  return {
    address: isPattern ? null : topic,
    title: isPattern ? `Events of all topics that match ${topic}` : 'Events',
    description: 'Events in any mixture. A topic keyed by user keeps the order of what a user does.',
    messages: entries(EVENTS, name => [messageId(name), reference('components/messages', messageId(name))]),
    bindings: { kafka: { ...(isPattern ? {} : { topic }), ...BINDING } },
  }
}

function outputChannel({ output, topic, partitions, cleanup, settings }: TopicPlan): Json {
  const bound = BOUND_SETTINGS.flatMap(name => (settings[name] === undefined ? [] : [[name, Number(settings[name])]]))
  const id = messageOf(output)
  return {
    address: topic,
    title: capital(output),
    ...(partitions === 'as-input' ? { description: 'As many partitions as the input has.' } : {}),
    messages: { [id]: reference('components/messages', id) },
    bindings: {
      kafka: {
        topic,
        ...(partitions === 'as-input' ? {} : { partitions }),
        topicConfiguration: { 'cleanup.policy': [cleanup], ...Object.fromEntries(bound) },
        ...BINDING,
      },
    },
  }
}

function learning(config: Config, channel: string): Json {
  return { action: 'receive', channel: reference('channels', channel), bindings: consumerBinding(config) }
}

function answering(config: Config, channel: string): Json {
  return {
    action: 'receive',
    channel: reference('channels', channel),
    summary: 'Candidates of a request come back scored, best first, with the id of the request.',
    messages: [reference(`channels/${channel}/messages`, messageId('score-request'))],
    bindings: consumerBinding(config),
    reply: { channel: reference('channels', 'recommendations') },
  }
}

function consumerBinding({ source, kafka }: Config): Json {
  const constant = (value: string) => ({ type: 'string', enum: [value] })
  const groupId = constant(source.kafka?.group ?? '')
  return { kafka: { groupId, clientId: constant(kafka.clientId), ...BINDING } }
}

function eventMessage({ source }: Config, name: string): Json {
  const framing = source.kafka?.framing ?? 'confluent'
  return { ...avroMessage(name), bindings: { kafka: { ...schemaId(framing === 'confluent'), ...BINDING } } }
}

function outputMessage({ tasks }: Config, output: TopicOutput): Json {
  if (output === 'deadLetters') return deadLetterMessage()
  const { key } = RECORDS[output]
  const schema = output === 'predictions' ? predictionSchema(tasks) : RECORDS[output].schema
  const keyed = key === undefined ? {} : { key: { type: 'string', description: key } }
  return { ...avroMessage(schema), bindings: { kafka: { ...keyed, ...schemaId(true), ...BINDING } } }
}

function avroMessage(name: string): Json {
  const schema = readSchemaFile(name) as { name: string; doc?: string }
  return {
    name: schema.name,
    title: schema.doc ?? schema.name,
    payload: { schemaFormat: AVRO, schema },
  }
}

function deadLetterMessage(): Json {
  const properties = Object.entries(DEAD_LETTER_HEADERS).map(([name, description]) => [
    `__connect.errors.${name}`,
    { type: 'string', description },
  ])
  return {
    name: 'DeadLetter',
    title: 'A record that could not be used, byte for byte, with the reason in headers.',
    contentType: 'application/octet-stream',
    headers: { type: 'object', properties: Object.fromEntries(properties) },
    bindings: { kafka: BINDING },
  }
}

const schemaId = (isConfluent: boolean): Json =>
  isConfluent
    ? { schemaIdLocation: 'payload', schemaIdPayloadEncoding: 'confluent', schemaLookupStrategy: 'TopicNameStrategy' }
    : {}

/** An address is for everybody, user name and password in it are not. */
function bare(url: string): string {
  const parsed = new URL(url)
  parsed.username = ''
  parsed.password = ''
  return parsed.href
}

const reference = (where: string, name: string): Json => ({ $ref: `#/${where}/${name}` })
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
const camel = (text: string) => text.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
const messageId = camel
const messageOf = (output: TopicOutput) => (output === 'deadLetters' ? 'deadLetter' : RECORDS[output].schema)
const entries = <T>(list: readonly T[], entry: (one: T, index: number) => [string, Json]): Json =>
  Object.fromEntries(list.map(entry))
