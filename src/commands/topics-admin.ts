/** What `millrace topics` asks of a cluster, and what the answers mean. */
import kafkajs, { type Admin, type KafkaConfig } from 'kafkajs'
import { kafkaConnection, kafkaFault } from '../config/kafka-connection.js'
import type { Config } from '../config/schema.js'
import { checkTopics, type TopicFinding, type TopicState } from '../config/topic-check.js'
import { planTopics, type TopicPlan } from '../config/topic-plan.js'
import { MillraceError } from '../domain/errors.js'
import { silentLog } from '../observe/log.js'
import { topicMatcher } from '../source/kafka-topics.js'

// A CommonJS module whose names Node can not see from outside.
const { ConfigResourceTypes, Kafka } = kafkajs
const LEADER_WAITS = 200
const LEADER_WAIT_MS = 50

/** Runs `use` with a connected client. Rejects with KAFKA_UNREACHABLE or KAFKA_REFUSED where that is the trouble. */
export async function withAdmin<T>(
  config: Config['kafka'],
  folder: string,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  const admin = new Kafka(kafkaConnection(config, folder, silentLog) as KafkaConfig).admin()
  try {
    await admin.connect()
    return await use(admin)
  } catch (error) {
    throw kafkaFault(error, `asking ${config.brokers.join(', ')}`)
  } finally {
    await admin.disconnect()
  }
}

export interface Survey {
  inputs: { topic: string; state: TopicState }[]
  outputs: { plan: TopicPlan; state: TopicState }[]
  findings: TopicFinding[]
}

/** All topics of a configuration as they are now, and what is wrong with them. */
export async function surveyTopics(admin: Admin, config: Config): Promise<Survey> {
  const visible = new Set(await admin.listTopics())
  const plans = planTopics(config)
  const own = new Set(plans.map(({ topic }) => topic))
  const source = config.source.kafka
  const { names, matches } = topicMatcher(source?.topics ?? [])
  const matched = [...visible].filter(topic => matches(topic) && !own.has(topic))
  const topics = [...new Set([...names, ...matched.sort()])]
  const inputs = await Promise.all(
    topics.map(async topic => ({ topic, state: await describeTopic(admin, topic, visible) })),
  )
  const outputs = await Promise.all(
    plans.map(async plan => ({ plan, state: await describeTopic(admin, plan.topic, visible) })),
  )
  const { brokers } = await admin.describeCluster()
  const findings = checkTopics({ inputs, outputs, brokers: brokers.length })
  if (source === undefined) return { inputs, outputs, findings }
  const error = (topic: string, message: string) => findings.push({ severity: 'error', topic, message })
  if (topics.length === 0) error(source.topics.join(', '), 'no topic matches')
  if (!(await mayUseGroup(admin, source.group))) error(`group ${source.group}`, 'this user needs an ACL for Read on it')
  return { inputs, outputs, findings }
}

async function describeTopic(admin: Admin, topic: string, visible: ReadonlySet<string>): Promise<TopicState> {
  const settings = await settingsOf(admin, topic)
  if (settings === 'unknown') return { kind: 'missing' }
  if (!visible.has(topic)) return { kind: 'hidden' }
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  const partitions = topics[0]?.partitions ?? []
  return {
    kind: 'there',
    facts: {
      topic,
      partitions: partitions.length,
      replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
      leaderless: partitions.filter(({ leader }) => leader < 0).length,
      settings: settings === 'denied' ? undefined : settings,
    },
  }
}

/** This request never creates a topic, and tells a missing one from a forbidden one where the user may know. */
async function settingsOf(admin: Admin, topic: string): Promise<Record<string, string> | 'unknown' | 'denied'> {
  try {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    })
    const entries = resources[0]?.configEntries ?? []
    return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]))
  } catch (error) {
    const type = protocolType(error)
    if (type === 'UNKNOWN_TOPIC_OR_PARTITION') return 'unknown'
    if (type === 'TOPIC_AUTHORIZATION_FAILED') return 'denied'
    throw error
  }
}

export interface NewTopic {
  topic: string
  partitions: number
  /** Undefined: as the broker is set. */
  replication: number | undefined
  settings: Readonly<Record<string, string>>
}

/** False if it was there already. Resolves when all its partitions have leaders. */
export async function createTopic(
  admin: Admin,
  { topic, partitions, replication = -1, settings }: NewTopic,
): Promise<boolean> {
  const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }))
  const created = await admin
    .createTopics({
      // On clusters it throws where a broker's metadata are a little behind: the loop below does not.
      waitForLeaders: false,
      topics: [{ topic, numPartitions: partitions, replicationFactor: replication, configEntries }],
    })
    .catch((error: unknown) => {
      const { type, message } = innermost(error)
      if (type === undefined) throw error
      const code = type.endsWith('AUTHORIZATION_FAILED') ? 'KAFKA_REFUSED' : 'KAFKA_TOPIC'
      throw new MillraceError(code, `topic ${topic} can not be created: ${message} (${type})`, { cause: error })
    })
  for (let round = 0; round < LEADER_WAITS && !(await isLed(admin, topic, partitions, created)); round++)
    await new Promise(resolve => setTimeout(resolve, LEADER_WAIT_MS))
  return created
}

async function isLed(admin: Admin, topic: string, partitions: number, created: boolean): Promise<boolean> {
  try {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const found = topics[0]?.partitions ?? []
    return (!created || found.length === partitions) && found.every(({ leader }) => leader >= 0)
  } catch (error) {
    if (['UNKNOWN_TOPIC_OR_PARTITION', 'LEADER_NOT_AVAILABLE'].includes(protocolType(error))) return false
    throw error
  }
}

/** Records of a topic by its offsets, markers of transactions included; undefined where the user may not know. */
export async function countRecords(admin: Admin, topic: string): Promise<bigint | undefined> {
  try {
    const offsets = await admin.fetchTopicOffsets(topic)
    return offsets.reduce((sum, { high, low }) => sum + BigInt(high) - BigInt(low), 0n)
  } catch (error) {
    if (protocolType(error) === 'TOPIC_AUTHORIZATION_FAILED') return undefined
    throw error
  }
}

/** False where an ACL is missing. */
async function mayUseGroup(admin: Admin, group: string): Promise<boolean> {
  try {
    await admin.describeGroups([group])
    return true
  } catch (error) {
    // Where the ACL is missing the client hears that it may not ask for the coordinator, but says it found none.
    const { name, type } = innermost(error)
    if (type === 'GROUP_AUTHORIZATION_FAILED' || name === 'KafkaJSGroupCoordinatorNotFound') return false
    throw error
  }
}

interface ClientError {
  name?: string
  type?: string
  message?: string
  errors?: unknown
  cause?: unknown
}

/** The broker's own error; those around it only say that it was tried again, or for which of several topics. */
function innermost(error: unknown): ClientError {
  const { errors, cause } = error as ClientError
  if (Array.isArray(errors) && errors.length > 0) return innermost(errors[0])
  return cause instanceof Error ? innermost(cause) : (error as ClientError)
}

const protocolType = (error: unknown): string => innermost(error).type ?? ''

/** retention.ms of topics; those that this user may not ask about are left out. */
export async function retentionOf(admin: Admin, topics: readonly string[]): Promise<Map<string, number>> {
  const retention = new Map<string, number>()
  for (const topic of topics) {
    const settings = await settingsOf(admin, topic)
    if (typeof settings === 'object' && settings['cleanup.policy']?.includes('delete') !== false)
      retention.set(topic, Number(settings['retention.ms'] ?? -1))
  }
  return retention
}
