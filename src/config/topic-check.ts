/** Compares topics as they are with topics as they must be. Pure: `millrace topics` brings the facts. */
import type { TopicPlan } from './topic-plan.js'

export interface TopicFacts {
  topic: string
  partitions: number
  replicas: number
  /** Partitions that nobody leads: they can be neither read nor written. */
  leaderless: number
  /** Undefined: this user may not see them. */
  settings: Readonly<Record<string, string>> | undefined
}

export type TopicState =
  | { kind: 'there'; facts: TopicFacts }
  | { kind: 'missing' }
  /** The broker tells this user nothing about it, not even whether it is there. */
  | { kind: 'hidden' }

export interface TopicFinding {
  severity: 'error' | 'warning'
  topic: string
  message: string
}

export interface CheckedTopics {
  inputs: readonly { topic: string; state: TopicState }[]
  outputs: readonly { plan: TopicPlan; state: TopicState }[]
  brokers: number
}

export function checkTopics({ inputs, outputs, brokers }: CheckedTopics): TopicFinding[] {
  const readable = inputs.flatMap(({ state }) => (state.kind === 'there' ? [state.facts] : []))
  return [
    ...inputs.flatMap(({ topic, state }) => [...common(topic, state, 'read', brokers)]),
    ...agreement(readable),
    ...outputs.flatMap(({ plan, state }) => [
      ...common(plan.topic, state, 'write', brokers),
      ...(state.kind === 'there' ? fitting(plan, state.facts, readable) : []),
    ]),
  ]
}

/** Partitions that a topic keyed by user needs; undefined while there is no input topic to go by. */
export function inputPartitions(inputs: readonly Pick<TopicFacts, 'partitions'>[]): number | undefined {
  return inputs.length === 0 ? undefined : Math.max(...inputs.map(input => input.partitions))
}

function* common(topic: string, state: TopicState, use: 'read' | 'write', brokers: number): Generator<TopicFinding> {
  const error = (message: string): TopicFinding => ({ severity: 'error', topic, message })
  const warning = (message: string): TopicFinding => ({ severity: 'warning', topic, message })
  if (state.kind === 'missing') yield error('is not there')
  if (state.kind === 'hidden')
    yield error(
      `is not there, or hidden from this user: it needs an ACL for ${use === 'read' ? 'Read' : 'Write'} and DescribeConfigs`,
    )
  if (state.kind !== 'there') return
  const { leaderless, replicas, settings } = state.facts
  if (leaderless > 0) yield error(`${leaderless} of its partitions have no leader`)
  if (settings === undefined) {
    yield warning('its settings can not be checked: this user needs an ACL for DescribeConfigs')
    return
  }
  const inSync = Number(settings['min.insync.replicas'] ?? 1)
  if (use === 'write' && inSync > replicas)
    yield error(`nothing can be written: min.insync.replicas is ${inSync}, but there are ${replicas} replicas`)
  if (use === 'write' && brokers > 1 && replicas === 1)
    yield warning('has one replica: if its broker is lost, so are its records')
}

function* agreement(inputs: readonly TopicFacts[]): Generator<TopicFinding> {
  const wanted = inputPartitions(inputs)
  for (const { topic, partitions } of inputs)
    if (partitions !== wanted)
      yield {
        severity: 'warning',
        topic,
        message: `has ${partitions} partitions, another input has ${wanted}: a user's records do not lie together`,
      }
}

function* fitting(plan: TopicPlan, facts: TopicFacts, inputs: readonly TopicFacts[]): Generator<TopicFinding> {
  const { topic } = plan
  const wanted = plan.partitions === 'as-input' ? inputPartitions(inputs) : plan.partitions
  if (wanted !== undefined && facts.partitions !== wanted)
    yield {
      severity: plan.partitions === 'as-input' || plan.output === 'metrics' ? 'warning' : 'error',
      topic,
      message:
        plan.partitions === 'as-input'
          ? `has ${facts.partitions} partitions, the input has ${wanted}: a user's records do not lie together`
          : `has ${facts.partitions} partitions; it must have ${wanted}, so that its records have one order`,
    }
  const { settings } = facts
  if (settings === undefined) return

  const policies = (settings['cleanup.policy'] ?? 'delete').split(',').map(policy => policy.trim())
  if (policies.some(policy => policy !== plan.cleanup))
    yield {
      severity: 'error',
      topic,
      message: `cleanup.policy is ${policies.join(',')}; with any other than ${plan.cleanup} records are lost that readers need`,
    }
  const retention = Number(settings['retention.ms'] ?? -1)
  if (plan.keptBecause !== undefined && retention >= 0)
    yield {
      severity: 'warning',
      topic,
      message: `forgets records after a time (retention.ms is ${retention}): ${plan.keptBecause}`,
    }

  const limit = Number(settings['max.message.bytes'] ?? Number.POSITIVE_INFINITY)
  const needed = neededBytes(plan.messageBytes, inputs)
  if (limit < needed)
    yield { severity: 'error', topic, message: `max.message.bytes is ${limit}; it must be at least ${needed}` }
}

/** Compressed, the largest input message may be larger than the limit says; nobody can know by how much. */
export function neededBytes(wanted: TopicPlan['messageBytes'], inputs: readonly TopicFacts[]): number {
  if ('atLeast' in wanted) return wanted.atLeast
  const largest = inputs.map(({ settings }) => Number(settings?.['max.message.bytes'] ?? 0))
  return Math.max(0, ...largest) + wanted.beyondInput
}
