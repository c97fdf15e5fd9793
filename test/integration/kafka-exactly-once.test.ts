/**
 * The promise, whole: whatever is killed, every prediction is published once, and the model is the one that the log and the
 * journal make. MILLRACE_SEED makes other choices; the seed is printed. `npm run bench:kafka` reports the same run.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kafkaSkip } from '../helpers/kafka.js'
import { runChaos } from '../helpers/kafka-chaos.js'
import { pythonSkip } from '../helpers/read-topic.js'

const seed = Number(process.env.MILLRACE_SEED ?? 4)

test('learners, brokers and the registry are killed, instances come and go: nothing is lost, nothing is there twice, and the model is that of the journal', {
  skip: kafkaSkip === false ? pythonSkip : kafkaSkip,
  timeout: 1_800_000,
}, async t => {
  const report = await runChaos({ seed, say: line => t.diagnostic(line) })
  const { takeoversMs, ...rest } = report
  t.diagnostic(JSON.stringify({ ...rest, takeovers: takeoversMs.map(ms => Math.round(ms)) }))
  assert.deepEqual(report.failures, [], 'instances failed')
  assert.ok(report.expected > 10_000)
  assert.deepEqual(report.lost, [], 'predictions are missing')
  assert.deepEqual(report.doubled, [], 'predictions are there twice')
  assert.deepEqual(report.deadLettersDoubled, [], 'dead letters are there twice')
  assert.ok(report.deadLetters > 10)
  assert.deepEqual(report.journalFaults, [], 'the journal is not whole')
  assert.ok(report.parts > 5)
  assert.deepEqual(report.differing, [], 'a replay along the journal makes something else')
})
