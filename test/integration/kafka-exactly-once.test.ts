/**
 * The promise, whole: whatever is killed, every prediction is published once, and the model is the one that the log and the
 * journal make. MILLRACE_SEED makes other choices; the seed is printed. This is a shorter run of what
 * `npm run bench:kafka -- --only faults` does: 20 kills of learners, 5 of brokers, 5 rebalances, 3 outages.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kafkaSkip } from '../helpers/kafka.js'
import { runChaos } from '../helpers/kafka-chaos.js'
import { pythonSkip } from '../helpers/read-topic.js'

const seed = Number(process.env.MILLRACE_SEED ?? 4)
const FEWER = { learnerKills: 7, brokerKills: 2, rebalances: 2, registryOutages: 1, events: 20_000 }

test('learners, brokers and the registry are killed, instances come and go: nothing is lost, nothing is there twice, and the model is that of the journal', {
  skip: kafkaSkip === false ? pythonSkip : kafkaSkip,
  timeout: 1_800_000,
}, async t => {
  const report = await runChaos({ ...FEWER, seed, say: line => t.diagnostic(line) })
  const { takeoversMs, ...rest } = report
  t.diagnostic(JSON.stringify({ ...rest, takeovers: takeoversMs.map(ms => Math.round(ms)) }))
  assert.deepEqual(report.failures, [], 'instances failed')
  assert.ok(report.expected > 5_000)
  assert.deepEqual(report.lost, [], 'predictions are missing')
  assert.deepEqual(report.refused, [], 'sound impressions are dead letters')
  assert.deepEqual(report.doubled, [], 'predictions are there twice')
  assert.deepEqual(report.deadLettersDoubled, [], 'dead letters are there twice')
  assert.ok(report.deadLetters > 5)
  assert.deepEqual(report.journalFaults, [], 'the journal is not whole')
  assert.ok(report.parts > 5)
  assert.deepEqual(report.differing, [], 'a replay along the journal makes something else')
})
