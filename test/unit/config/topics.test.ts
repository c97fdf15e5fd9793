import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configSchema } from '../../../src/config/schema.js'
import { checkTopics, type TopicFacts } from '../../../src/config/topic-check.js'
import { planTopics, type TopicOutput } from '../../../src/config/topic-plan.js'
import { smallConfig } from '../../helpers/workspace.js'

const plans = planTopics(configSchema.parse({ ...smallConfig, outputs: { kafka: {} } }))
const plan = (output: TopicOutput) => plans.find(one => one.output === output)!
const MEBIBYTE = '1048588'

function facts(topic: string, partitions: number, settings: Record<string, string> = {}): TopicFacts {
  return { topic, partitions, replicas: 1, leaderless: 0, settings: { 'max.message.bytes': MEBIBYTE, ...settings } }
}

/** Findings for one output as it is planned, but for `change`, beside an input of 6 partitions. */
function findings(output: TopicOutput, change: Partial<TopicFacts> = {}, input = facts('in', 6)): string[] {
  const { topic, partitions, settings } = plan(output)
  const asPlanned = facts(topic, partitions === 'as-input' ? 6 : partitions, settings)
  const room = output === 'deadLetters' ? { 'max.message.bytes': '2000000' } : {}
  const own = { ...asPlanned, settings: { ...asPlanned.settings, ...room }, ...change }
  return checkTopics({
    inputs: [{ topic: 'in', state: { kind: 'there', facts: input } }],
    outputs: [{ plan: plan(output), state: { kind: 'there', facts: own } }],
    brokers: 1,
  }).map(({ severity, topic: of, message }) => `${severity} ${of}: ${message}`)
}

test('a topic that is as planned has no findings', () => {
  for (const { output } of plans) assert.deepEqual(findings(output), [], output)
})

test('the journal has one partition, is never compacted, and warns when it forgets', () => {
  assert.match(findings('journal', { partitions: 3 }).join(), /^error millrace\.journal\.v1: has 3 partitions; .* 1/)
  const compacted = { 'cleanup.policy': 'compact,delete', 'retention.ms': '-1' }
  assert.match(findings('journal', { settings: compacted }).join(), /^error .* cleanup\.policy is compact,delete/)
  const short = { ...plan('journal').settings, 'retention.ms': '1000' }
  assert.match(findings('journal', { settings: short }).join(), /^warning .* forgets .*retention\.ms is 1000/)
  const old = findings('deadLetters', { settings: { 'retention.ms': '1000' } })
  assert.match(old.join(), /^warning .*as old as the record it was/)
})

test('snapshots that retention would cut, and messages that would not fit, are errors', () => {
  const cut = { ...plan('snapshots').settings, 'cleanup.policy': 'delete' }
  assert.match(findings('snapshots', { settings: cut }).join(), /^error .* cleanup\.policy is delete/)
  const small = { ...plan('snapshots').settings, 'max.message.bytes': '500000' }
  assert.match(findings('snapshots', { settings: small }).join(), /^error .*is 500000; it must be at least 916384/)
})

test('a dead letter must fit whatever the input allows', () => {
  const wide = facts('in', 6, { 'max.message.bytes': '5000000' })
  assert.match(findings('deadLetters', {}, wide).join(), /^error .*is 2000000; it must be at least 5016384/)
})

test('predictions that do not lie beside their input are a warning', () => {
  assert.match(findings('predictions', { partitions: 4 }).join(), /^warning .* has 4 partitions, the input has 6/)
})

test('a topic that can not be written or led is an error, settings out of sight are a warning', () => {
  const strict = { ...plan('metrics').settings, 'min.insync.replicas': '2' }
  assert.match(findings('metrics', { settings: strict }).join(), /^error .*min\.insync\.replicas is 2, but there are 1/)
  assert.match(findings('metrics', { leaderless: 1 }).join(), /^error .*1 of its partitions have no leader/)
  assert.match(findings('metrics', { settings: undefined }).join(), /^warning .*DescribeConfigs/)
})

test('inputs that do not agree, are not there or hide are found', () => {
  const of = checkTopics({
    inputs: [
      { topic: 'a', state: { kind: 'there', facts: facts('a', 2) } },
      { topic: 'b', state: { kind: 'there', facts: facts('b', 4) } },
      { topic: 'c', state: { kind: 'missing' } },
      { topic: 'd', state: { kind: 'hidden' } },
    ],
    outputs: [],
    brokers: 1,
  })
  assert.deepEqual(
    of.map(({ severity, topic }) => `${severity} ${topic}`),
    ['error c', 'error d', 'warning a'],
  )
})

test('without outputs on Kafka nothing is planned', () => {
  assert.deepEqual(planTopics(configSchema.parse(smallConfig)), [])
})
