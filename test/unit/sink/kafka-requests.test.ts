import assert from 'node:assert/strict'
import { test } from 'node:test'
import kafkajs, { type Message, type RecordMetadata, type TopicMessages } from 'kafkajs'
import { UnacknowledgedError } from '../../../src/sink/kafka-faults.js'
import { planRequests, sendGuarded, type TopicContent } from '../../../src/sink/kafka-requests.js'

const { CompressionTypes } = kafkajs
const messages = (partition: number, count: number, bytes = 10): Message[] =>
  Array.from({ length: count }, (_, index) => ({ key: null, value: Buffer.alloc(bytes, index), partition }))
const topic = (name: string, counts: number[], bytes?: number): TopicContent => ({
  topic: name,
  messages: counts.map((count, partition) => messages(partition, count, bytes)),
})
const shape = (request: TopicMessages[]) =>
  request.map(({ topic, messages }) => `${topic}:${messages.map(message => message.partition).join('')}`)

test('each request goes to one leader, and the first one to one partition', () => {
  const content = [topic('a', [2, 1, 1]), topic('b', [1, 0, 2])]
  const requests = planRequests(content, 1000, (_, partition) => partition % 2)
  assert.deepEqual(requests.map(shape), [['a:00'], ['a:2', 'b:022'], ['a:1']])
})

test('nothing to send makes no request', () => {
  assert.deepEqual(
    planRequests([topic('a', [0, 0])], 1000, () => 1),
    [],
  )
})

test('batches stay below the limit, in order, and a message above it goes alone', () => {
  const list = [...messages(0, 3, 400), ...messages(0, 1, 5000), ...messages(0, 2, 400)]
  const requests = planRequests([{ topic: 'a', messages: [list] }], 1000, () => 1)
  const sent = requests.map(request => request.flatMap(one => one.messages))
  assert.deepEqual(
    sent.map(batch => batch.length),
    [2, 1, 1, 2],
  )
  assert.deepEqual(sent.flat(), list)
})

test('many small messages are cut as well, because the client is slow with large groups', () => {
  const requests = planRequests([topic('a', [1201])], 1_000_000, () => 1)
  assert.deepEqual(
    requests.map(request => request[0]?.messages.length),
    [500, 500, 201],
  )
})

const request = [{ topic: 'a', messages: [...messages(0, 1), ...messages(3, 1)] }]
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
