/** Dead letters that are put back: `replay --from-dlq` on a real broker, judged by Kafka's own console consumer. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { createDeadLetterOutput } from '../../src/sink/kafka-dead-letter.js'
import { packageRoot } from '../../src/std/package-root.js'
import { readFirst } from '../helpers/console-consumer.js'
import { type Broker, kafkaSkip, startBroker } from '../helpers/kafka.js'
import { messageOf, producerTo } from '../helpers/kafka-source.js'
import { millrace } from '../helpers/process.js'
import { smallConfig, Workspace } from '../helpers/workspace.js'

const TOPIC = 'letters.events'
const DLQ = 'letters.dlq'
const TIME_MS = 1_704_067_260_000
let broker: Broker
const space = new Workspace()
const toMessage = createDeadLetterOutput(DLQ, 'small')

interface Replayed {
  letters: number
  replayed: number
  before: number
  failing: Record<string, number>
  others: number
  foreign: number
}

async function replay(...flags: string[]): Promise<Replayed> {
  const { code, stdout, stderr } = await millrace(['replay', 'millrace.yaml', '--from-dlq', '--json', ...flags], {
    cwd: space.folder,
  })
  assert.equal(code, 0, stderr)
  const { letters, replayed, before, failing, others, foreign } = JSON.parse(stdout) as Replayed
  return { letters, replayed, before, failing, others, foreign }
}

const good = (id: string) => messageOf({ eventId: id, eventTime: TIME_MS }, 0).value

/** As the learner writes it. */
function letter(partition: string, reason: string, value: Buffer, headers: Record<string, Buffer | Buffer[]> = {}) {
  const original = { key: Buffer.from(`key ${reason}`), value, headers, timestampMs: TIME_MS }
  const about = { offset: '5', reason, stage: 'decode', message: 'as it was', schema: null, eventTime: null }
  return toMessage.toMessage({ partition, ...about, payload: value, original }, 1)
}

describe('dead letters', { skip: kafkaSkip }, () => {
  before(async () => {
    broker = await startBroker()
    space.configure({
      ...smallConfig,
      kafka: { brokers: broker.brokers },
      source: {
        kafka: { topics: [TOPIC], framing: 'bare', schema: join(packageRoot(), 'schemas/rating.avsc'), group: 'live' },
      },
      outputs: { path: 'out', kafka: { deadLetters: DLQ, transactionalId: 'letters' } },
    })
    await broker.createTopic(TOPIC, { partitions: 2, config: { 'retention.ms': '-1' } })
    await broker.createTopic(DLQ, { config: { 'retention.ms': '-1' } })
    const producer = await producerTo(broker.brokers)
    const messages = [
      letter(`${TOPIC}/1`, 'schema-incompatible', good('a'), { trace: Buffer.from('t1') }),
      letter(`${TOPIC}/0`, 'undecodable', Buffer.from([1, 2, 3])),
      letter('another.topic/0', 'schema-incompatible', good('b')),
      letter(`${TOPIC}/0`, 'too-large', good('c')),
    ]
    await producer.send({ topic: DLQ, messages: messages as never })
    await producer.disconnect()
  })
  after(() => broker?.stop())

  test('a dry run says what would become of each, and changes nothing', async () => {
    const expected = { letters: 4, replayed: 2, before: 0, failing: { undecodable: 1 }, others: 0, foreign: 1 }
    assert.deepEqual(await replay('--dry-run'), expected)
    const admin = await broker.admin()
    assert.ok(!(await admin.listTopics()).includes(`${DLQ}.replayed`))
    assert.deepEqual(
      (await admin.fetchTopicOffsets(TOPIC)).map(({ high }) => high),
      ['0', '0'],
    )
  })

  test('those that are chosen go back, then the rest, and none goes back twice', async () => {
    const chosen = await replay('--reason', 'too-large', '--partition', '0')
    assert.deepEqual([chosen.replayed, chosen.others], [1, 2])
    const rest = await replay()
    assert.deepEqual([rest.replayed, rest.before, rest.failing], [1, 1, { undecodable: 1 }])
    const again = await replay()
    assert.deepEqual([again.replayed, again.before], [0, 2])
  })

  test('a letter comes back byte for byte to its partition, with its own headers and where it was', async () => {
    const records = await readFirst(broker.brokers, TOPIC, { count: 2 })
    const seen = records
      .map(({ partition, key, value, timestampMs, headers }) => ({
        ...{ partition, key: key?.toString(), timestampMs, headers, value: value?.toString('hex') },
      }))
      .sort((a, b) => a.partition - b.partition)
    assert.deepEqual(seen, [
      {
        ...{ partition: 0, key: 'key too-large', timestampMs: TIME_MS, value: good('c').toString('hex') },
        headers: `millrace.replayed.from:${DLQ}/0/3`,
      },
      {
        ...{ partition: 1, key: 'key schema-incompatible', timestampMs: TIME_MS, value: good('a').toString('hex') },
        headers: `trace:t1,millrace.replayed.from:${DLQ}/0/0`,
      },
    ])
  })

  test('what failed again after it was put back bears both marks', async () => {
    const producer = await producerTo(broker.brokers)
    const once = { 'millrace.replayed.from': Buffer.from(`${DLQ}/0/0`) }
    await producer.send({ topic: DLQ, messages: [letter(`${TOPIC}/1`, 'invalid-number', good('d'), once)] as never })
    await producer.disconnect()
    assert.equal((await replay()).replayed, 1)
    const headers = (await readFirst(broker.brokers, TOPIC, { count: 3 })).map(record => record.headers)
    assert.ok(
      headers.includes(`millrace.replayed.from:${DLQ}/0/0,millrace.replayed.from:${DLQ}/0/4`),
      headers.join('\n'),
    )
  })
})
