import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajs, { type RecordMetadata } from 'kafkajs'
import { UnacknowledgedError } from '../../../src/sink/kafka-faults.js'
import { planRequests, sendGuarded, type TopicBatches, type TopicContent } from '../../../src/sink/kafka-requests.js'
import { RecordBatch } from '../../../src/sink/record-batch.kernel.js'

const { CompressionTypes } = kafkajs

function batchOf(partition: number): RecordBatch {
  const batch = new RecordBatch(partition)
  batch.append({ key: null, value: 'v' })
  return batch
}

/** counts: batches of each partition. */
const topic = (name: string, counts: number[]): TopicContent => ({
  topic: name,
  batches: counts.map((count, partition) => Array.from({ length: count }, () => batchOf(partition))),
})
const shape = (request: TopicBatches[]) =>
  request.map(({ topic, batches }) => `${topic}:${batches.map(batch => batch.partition).join('')}`)

test('each request goes to one leader, and the first one to one partition', () => {
  const content = [topic('a', [1, 1, 1]), topic('b', [1, 0, 1])]
  const requests = planRequests(content, (_, partition) => partition % 2)
  assert.deepEqual(requests.map(shape), [['a:0'], ['a:2', 'b:02'], ['a:1']])
})

test('nothing to send makes no request', () => {
  assert.deepEqual(
    planRequests([topic('a', [0, 0])], () => 1),
    [],
  )
})

test('batches of one partition go one after another, in order', () => {
  const content = [topic('a', [3, 1])]
  const requests = planRequests(content, () => 1)
  assert.deepEqual(requests.map(shape), [['a:0'], ['a:1'], ['a:0'], ['a:0']])
  const sent = requests.flatMap(request => request.flatMap(one => one.batches)).filter(one => one.partition === 0)
  assert.ok(sent.every((batch, index) => batch === content[0]?.batches[0]?.[index]))
})

const request = [{ topic: 'a', batches: [batchOf(0), batchOf(3)] }]
const answer = (partition: number, errorCode = 0, topicName = 'a'): RecordMetadata => ({
  topicName,
  partition,
  errorCode,
})
const sendAnd = (answers: RecordMetadata[]) =>
  sendGuarded({ sendBatch: async () => answers }, request, CompressionTypes.None)

test('a send counts only if every partition is acknowledged without an error', async () => {
  await sendAnd([answer(0), answer(3)])
  for (const answers of [[], [answer(0)], [answer(0), answer(3, 7)], [answer(0), answer(3, 0, 'b')]]) {
    await assert.rejects(sendAnd(answers), UnacknowledgedError)
  }
  await assert.rejects(sendAnd([answer(0)]), /not acknowledged: a\/3$/)
})
