/** Delivery to a real broker, judged by what Kafka's own consumer reads. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { MillraceError } from '../../src/domain/errors.js'
import type { Delivery } from '../../src/sink/delivery.js'
import type { DeadLetterRecord } from '../../src/sink/output-records.js'
import { partitionOf } from '../../src/std/murmur2.js'
import { deliveryContract } from '../contract/delivery.js'
import { type Broker, kafkaSkip, startBroker } from '../helpers/kafka.js'
import {
  createOutputTopics,
  journalEntry,
  openDelivery,
  prediction,
  type TestDelivery,
  TOPICS,
  topicOf,
} from '../helpers/kafka-delivery.js'
import { API, type Fault, FaultySockets } from '../helpers/kafka-faults.js'
import { type Allowed, allow } from '../helpers/kafka-security.js'
import { pythonSkip, type ReadRecord, readTopic } from '../helpers/read-topic.js'

const skip = kafkaSkip === false ? pythonSkip : kafkaSkip
let broker: Broker

before(async () => {
  if (skip !== false) return
  broker = await startBroker({ secured: true, config: { 'message.max.bytes': 200_000 } })
})

after(async () => {
  await broker?.stop()
})

deliveryContract('Kafka', skip, async () => {
  const prefix = await place()
  let instances = 0
  return {
    partition: `${prefix}.events/0`,
    keepsOffsets: true,
    open: () => openDelivery(broker.brokers, { prefix, instance: `i${instances++}` }),
  }
})

let places = 0

/** Topics of their own, with the events that the offsets are of. */
async function place(options: { partitions?: number; config?: Record<string, string> } = {}): Promise<string> {
  const prefix = `place${places++}`
  await createOutputTopics(broker, prefix, options)
  await broker.createTopic(`${prefix}.events`, { partitions: 2 })
  return prefix
}

async function openActive(options: TestDelivery): Promise<Delivery> {
  const delivery = await openDelivery(broker.brokers, options)
  await delivery.recover(0)
  return delivery
}

const offsetsOf = (prefix: string, next: number) => [
  { partition: `${prefix}.events/0`, next: BigInt(next) },
  { partition: `${prefix}.events/1`, next: BigInt(next * 2) },
]

const idsOf = (records: readonly ReadRecord[]) =>
  records.map(({ value }) => Number(JSON.parse(String(value)).eventId.slice('event-'.length))).sort((a, b) => a - b)

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

const rejectsWith =
  (code: string, text = /./) =>
  (error: unknown) =>
    error instanceof MillraceError && error.code === code && text.test(error.message)

test('what was appended before a commit is readable once, and the next instance finds offsets and journal', {
  skip,
}, async () => {
  const prefix = await place()
  const delivery = await openActive({ prefix, instance: 'a' })
  for (let commit = 0; commit < 3; commit++) {
    for (const index of numbers(commit * 1000, commit * 1000 + 1000))
      delivery.outputs.predictions.append(prediction(index))
    delivery.outputs.journal.append(journalEntry(commit))
    await delivery.commit(offsetsOf(prefix, commit + 1))
  }
  delivery.outputs.predictions.append(prediction(9999))
  await delivery.close()

  const records = await readTopic(broker.brokers, topicOf(prefix, 'predictions'), { settled: true })
  assert.deepEqual(idsOf(records), numbers(0, 3000))
  for (const { key, partition } of records) assert.equal(partition, partitionOf(String(key), 4))

  const next = await openDelivery(broker.brokers, { prefix, instance: 'b' })
  const { offsets, journal } = await next.recover(1)
  await next.close()
  assert.deepEqual(offsets, new Map(offsetsOf(prefix, 3).map(({ partition, next }) => [partition, next])))
  assert.deepEqual(journal, [journalEntry(1), journalEntry(2)])
})

const appendPredictions = (delivery: Delivery, from: number, to: number) => {
  for (const index of numbers(from, to)) delivery.outputs.predictions.append(prediction(index))
}

const readPredictions = async (prefix: string, isolation: 'read_committed' | 'read_uncommitted' = 'read_committed') =>
  idsOf(await readTopic(broker.brokers, topicOf(prefix, 'predictions'), { isolation, settled: true }))

test('commits that are asked for at once happen one after another, each with what was appended before it', {
  skip,
}, async () => {
  const prefix = await place()
  const delivery = await openActive({ prefix, instance: 'a' })
  const commits = numbers(0, 20).map(commit => {
    appendPredictions(delivery, commit * 10, commit * 10 + 10)
    return delivery.commit(offsetsOf(prefix, commit + 1))
  })
  assert.equal(delivery.outputs.predictions.pendingBytes, 0)
  await Promise.all(commits)
  await delivery.close()
  assert.deepEqual(await readPredictions(prefix), numbers(0, 200))
})

const lost: Record<string, Fault[]> = {
  'the answer to a batch': [{ api: API.produce, lose: 'answer', times: 1 }],
  'a batch': [{ api: API.produce, lose: 'request', times: 1 }],
  'the answer to the commit': [{ api: API.endTransaction, lose: 'answer', times: 1 }],
  'the commit': [{ api: API.endTransaction, lose: 'request', times: 1 }],
  'everything for a while': [
    { api: API.produce, lose: 'answer', times: 2 },
    { api: API.addPartitions, lose: 'answer', times: 1 },
    { api: API.endTransaction, lose: 'answer', times: 2 },
  ],
}
for (const [what, faults] of Object.entries(lost)) {
  test(`${what} is lost on the network: nothing is missing, and nothing is there twice`, { skip }, async () => {
    const prefix = await place()
    const sockets = new FaultySockets()
    const delivery = await openActive({ prefix, instance: 'a', client: { socketFactory: sockets.create } })
    for (const commit of numbers(0, 6)) {
      appendPredictions(delivery, commit * 100, commit * 100 + 100)
      if (commit === 2) sockets.arm(...faults.map(fault => ({ ...fault })))
      await delivery.commit(offsetsOf(prefix, commit + 1))
    }
    await delivery.close()
    assert.equal(
      sockets.happened,
      faults.reduce((sum, { times }) => sum + times, 0),
    )
    assert.deepEqual(await readPredictions(prefix), numbers(0, 600))
  })
}

test('a younger instance ends the older one, which publishes nothing more', { skip }, async () => {
  const prefix = await place()
  const older = await openActive({ prefix, instance: 'a' })
  appendPredictions(older, 0, 10)
  await older.commit(offsetsOf(prefix, 1))
  const younger = await openDelivery(broker.brokers, { prefix, instance: 'b' })
  // Standing by disturbs nobody.
  appendPredictions(older, 10, 20)
  await older.commit(offsetsOf(prefix, 2))
  const { offsets } = await younger.recover(0)
  assert.equal(offsets.get(`${prefix}.events/0`), 2n)

  appendPredictions(older, 20, 30)
  await assert.rejects(older.commit(offsetsOf(prefix, 3)), rejectsWith('KAFKA_FENCED'))
  await assert.rejects(older.commit(offsetsOf(prefix, 3)), rejectsWith('KAFKA_FENCED'))
  appendPredictions(younger, 30, 40)
  await younger.commit(offsetsOf(prefix, 4))
  await Promise.all([older.close(), younger.close()])
  assert.deepEqual(await readPredictions(prefix), [...numbers(0, 20), ...numbers(30, 40)])
})

test('an older instance that loses its connection while it is replaced finds out before it publishes', {
  skip,
}, async () => {
  const prefix = await place()
  const sockets = new FaultySockets()
  const older = await openActive({ prefix, instance: 'a', client: { socketFactory: sockets.create } })
  appendPredictions(older, 0, 10)
  await older.commit(offsetsOf(prefix, 1))
  const younger = await openActive({ prefix, instance: 'b' })
  // It never hears that its epoch is over, and takes a new one.
  sockets.arm(
    { api: API.addPartitions, lose: 'request', times: 1 },
    { api: API.endTransaction, lose: 'request', times: 1 },
  )
  appendPredictions(older, 10, 20)
  await assert.rejects(
    older.commit(offsetsOf(prefix, 2)),
    rejectsWith('KAFKA_FENCED', /another instance has committed/),
  )
  await Promise.all([older.close(), younger.close()])
  assert.deepEqual(await readPredictions(prefix), numbers(0, 10))
})

test('a message that the topic does not take ends the instance with a clear error, and nothing of its commit is seen', {
  skip,
}, async () => {
  const prefix = await place()
  const delivery = await openActive({ prefix, instance: 'a' })
  appendPredictions(delivery, 0, 100)
  const huge = { ...prediction(100), item: 'x'.repeat(300_000) }
  delivery.outputs.predictions.append(huge)
  await assert.rejects(delivery.commit(offsetsOf(prefix, 1)), rejectsWith('KAFKA_TOO_LARGE'))
  appendPredictions(delivery, 101, 102)
  await assert.rejects(delivery.commit(offsetsOf(prefix, 2)), rejectsWith('KAFKA_TOO_LARGE'))
  await delivery.close()
  assert.deepEqual(await readPredictions(prefix), [])
  const next = await openDelivery(broker.brokers, { prefix, instance: 'b' })
  assert.deepEqual(await next.recover(0), { offsets: new Map(), journal: [] })
  await next.close()
})

for (const compression of ['gzip', 'snappy', 'zstd'] as const) {
  test(`others read what was compressed with ${compression}`, { skip }, async () => {
    const prefix = await place()
    const delivery = await openActive({ prefix, instance: 'a', compression })
    appendPredictions(delivery, 0, 2000)
    delivery.outputs.journal.append(journalEntry(0))
    await delivery.commit(offsetsOf(prefix, 1))
    await delivery.close()
    assert.deepEqual(await readPredictions(prefix), numbers(0, 2000))
    // So do we.
    const next = await openDelivery(broker.brokers, { prefix, instance: 'b' })
    assert.deepEqual((await next.recover(0)).journal, [journalEntry(0)])
    await next.close()
  })
}

test('a dead letter is the message as it was, with the headers of Connect behind its own', { skip }, async () => {
  const prefix = await place()
  const key = Buffer.from([0, 1, 0xff])
  const value = Buffer.from([0, 0, 0, 0, 7, 0xfe, 0xff])
  const letter: DeadLetterRecord = {
    partition: `${prefix}.events/1`,
    offset: '42',
    reason: 'undecodable',
    stage: 'decode',
    message: 'too short',
    schema: null,
    payload: value.subarray(5),
    eventTime: null,
    original: {
      key,
      value,
      timestampMs: 1_600_000_000_123,
      headers: { trace: Buffer.from('t-1'), '__connect.errors.topic': Buffer.from('first'), twice: ['a', 'b'] },
    },
  }
  const delivery = await openActive({ prefix, instance: 'a' })
  delivery.outputs.deadLetters.append(letter)
  const { original, ...fromFile } = letter
  delivery.outputs.deadLetters.append({ ...fromFile, partition: 'partition-3' })
  delivery.outputs.deadLetters.append({ ...letter, original: { ...letter.original!, value: null, key: null } })
  await delivery.commit(offsetsOf(prefix, 1))
  await delivery.close()

  const records = await readTopic(broker.brokers, topicOf(prefix, 'deadLetters'), { settled: true })
  const whole = records.find(record => record.key !== null)
  const bare = records.find(record => record.key === null && record.value !== null)
  const tombstone = records.find(record => record.value === null)
  assert.equal(records.length, 3)
  assert.deepEqual([whole?.key, whole?.value, whole?.timestampMs], [key, value, 1_600_000_000_123])
  const errors = (name: string, text: string) => [`__connect.errors.${name}`, text]
  const common = [
    errors('connector.name', 'test-learner'),
    errors('task.id', '0'),
    errors('stage', 'decode'),
    errors('class.name', 'millrace'),
    errors('exception.class.name', 'undecodable'),
    errors('exception.message', 'too short'),
  ]
  assert.deepEqual(whole?.headers, [
    ['trace', 't-1'],
    errors('topic', 'first'),
    errors('topic', `${prefix}.events`),
    ['twice', 'a'],
    ['twice', 'b'],
    errors('partition', '1'),
    errors('offset', '42'),
    ...common,
  ])
  assert.deepEqual(bare?.value, value.subarray(5))
  assert.deepEqual(bare?.headers, [
    errors('topic', 'partition-3'),
    errors('partition', '0'),
    errors('offset', '42'),
    ...common,
  ])
  assert.equal(tombstone?.timestampMs, 1_600_000_000_123)
})

test('at-least-once: outputs are readable without transactions, and the offsets follow them', { skip }, async () => {
  const prefix = await place()
  const sockets = new FaultySockets()
  const client = { socketFactory: sockets.create }
  const delivery = await openActive({ prefix, instance: 'a', delivery: 'at-least-once', client })
  appendPredictions(delivery, 0, 1000)
  await delivery.commit(offsetsOf(prefix, 1))
  sockets.arm({ api: API.produce, lose: 'answer', times: 1 })
  appendPredictions(delivery, 1000, 2000)
  await delivery.commit(offsetsOf(prefix, 2))
  await delivery.close()
  assert.deepEqual([...new Set(await readPredictions(prefix, 'read_uncommitted'))], numbers(0, 2000))
  const next = await openDelivery(broker.brokers, { prefix, instance: 'b' })
  assert.equal((await next.recover(0)).offsets.get(`${prefix}.events/0`), 2n)
  await next.close()
})

test('the journal is found from any entry on, also far back, behind aborted entries and after a fresh start', {
  skip,
}, async () => {
  const prefix = await place({ partitions: 1 })
  const sockets = new FaultySockets()
  const delivery = await openActive({ prefix, instance: 'a', client: { socketFactory: sockets.create } })
  const write = async (from: number, to: number) => {
    for (const seq of numbers(from, to)) delivery.outputs.journal.append(journalEntry(seq))
    await delivery.commit(offsetsOf(prefix, to))
  }
  await write(0, 7000)
  // An earlier life ends here; the next one counts from 0.
  await write(0, 6000)
  sockets.arm({ api: API.endTransaction, lose: 'request', times: 1 })
  await write(6000, 6003)
  await delivery.commit(offsetsOf(prefix, 6004))
  await delivery.close()
  for (const from of [0, 1, 3999, 6002, 6003]) {
    const next = await openDelivery(broker.brokers, { prefix, instance: `b${from}` })
    const { journal } = await next.recover(from)
    await next.close()
    assert.deepEqual(
      journal.map(entry => entry.seq),
      numbers(from, 6003),
    )
  }
})

test('offsets of a log folder come back with the outputs', { skip }, async () => {
  const prefix = await place()
  const delivery = await openActive({ prefix, instance: 'a' })
  appendPredictions(delivery, 0, 10)
  await delivery.commit([{ partition: 'partition-0', next: 5n }])
  await delivery.commit([{ partition: 'partition-0', next: 9_007_199_254_740_993n }])
  await delivery.close()
  const next = await openDelivery(broker.brokers, { prefix, instance: 'b' })
  assert.deepEqual((await next.recover(0)).offsets, new Map([['partition-0', 9_007_199_254_740_993n]]))
  await next.close()
})

test('topics that are missing or have too many partitions are named at the start', { skip }, async () => {
  await assert.rejects(
    openDelivery(broker.brokers, { prefix: 'nowhere', instance: 'a' }),
    rejectsWith('KAFKA_TOPIC', /nowhere\.journal/),
  )
  await createOutputTopics(broker, 'wide')
  const admin = await broker.admin()
  await admin.createPartitions({ topicPartitions: [{ topic: topicOf('wide', 'journal'), count: 2 }] })
  await assert.rejects(
    openDelivery(broker.brokers, { prefix: 'wide', instance: 'a' }),
    rejectsWith('KAFKA_TOPIC', /wide\.journal has 2 partitions/),
  )
})

test('an instance waits for brokers that are not there, and can be told to stop', { skip }, async () => {
  const stop = new AbortController()
  const warnings: string[] = []
  const log = {
    debug() {},
    info() {},
    error() {},
    warn(_: unknown, message: string) {
      warnings.push(message)
      if (warnings.length === 2) stop.abort()
    },
  }
  const opening = openDelivery(['127.0.0.1:1'], { prefix: 'none', instance: 'a', log }, stop.signal)
  await assert.rejects(opening, rejectsWith('KAFKA_UNREACHABLE'))
  assert.match(warnings[0] ?? '', /127\.0\.0\.1:1/)
})

test('what the user may not do is said at once, with the name of what is missing', { skip }, async () => {
  const prefix = await place()
  const admin = await broker.admin()
  const { brokers, users } = broker.security!
  const sasl = (password: string) => ({ mechanism: 'scram-sha-512', username: 'millrace', password }) as const
  const options = { prefix, instance: 'a', client: { sasl: sasl(users.millrace) } }
  const open = () => openDelivery(brokers.sasl, options)
  const may = (resource: 'topic' | 'group' | 'transactional-id', name: string, ...operations: Allowed[]) =>
    allow(admin, 'User:millrace', resource, name, operations)

  const wrong = openDelivery(brokers.sasl, { ...options, client: { sasl: sasl('wrong') } })
  await assert.rejects(wrong, rejectsWith('KAFKA_REFUSED', /authentication failed/i))
  await assert.rejects(open(), rejectsWith('KAFKA_REFUSED', /\.journal.*TOPIC_AUTHORIZATION_FAILED/))
  for (const output of TOPICS) await may('topic', topicOf(prefix, output), 'describe')
  await may('topic', `${prefix}.events`, 'read')
  await assert.rejects(open(), rejectsWith('KAFKA_REFUSED', /-journal-a .*GROUP_AUTHORIZATION_FAILED/))
  await may('group', `${prefix}-group-journal-a`, 'read')
  await may('topic', topicOf(prefix, 'journal'), 'read')
  const delivery = await open()
  await assert.rejects(delivery.recover(0), rejectsWith('KAFKA_REFUSED', /TRANSACTIONAL_ID_AUTHORIZATION_FAILED/))
  await may('transactional-id', `${prefix}-tx`, 'write', 'describe')
  await assert.rejects(delivery.recover(0), rejectsWith('KAFKA_REFUSED', /GROUP_AUTHORIZATION_FAILED/))
  await may('group', `${prefix}-group`, 'read')
  await delivery.recover(0)
  appendPredictions(delivery, 0, 10)
  const unwritable = rejectsWith('KAFKA_REFUSED', /\.predictions.*TOPIC_AUTHORIZATION_FAILED/)
  await assert.rejects(delivery.commit(offsetsOf(prefix, 1)), unwritable)
  for (const output of TOPICS) await may('topic', topicOf(prefix, output), 'write')
  await delivery.recover(0)
  appendPredictions(delivery, 10, 20)
  await delivery.commit(offsetsOf(prefix, 1))
  await delivery.close()
  assert.deepEqual(await readPredictions(prefix), numbers(10, 20))
})

test('messages go out in batches', { skip }, async t => {
  const prefix = await place()
  const delivery = await openActive({ prefix, instance: 'a' })
  const values = numbers(0, 150_000).map(index => prediction(index))
  for (const [index, value] of values.entries()) if (index < 20_000) delivery.outputs.predictions.append(value)
  await delivery.commit(offsetsOf(prefix, 1))
  const beganMs = performance.now()
  const beganCpu = process.cpuUsage()
  const commits: Promise<void>[] = []
  for (const [index, value] of values.entries()) {
    delivery.outputs.predictions.append(value)
    if ((index + 1) % 10_000 === 0) commits.push(delivery.commit(offsetsOf(prefix, index + 2)))
  }
  const appendedMs = performance.now() - beganMs
  await Promise.all(commits)
  const ms = performance.now() - beganMs
  const cpu = process.cpuUsage(beganCpu)
  await delivery.close()
  t.diagnostic(
    `${Math.round(values.length / ms)} thousand messages a second, ${((cpu.user + cpu.system) / values.length).toFixed(1)} us of CPU each, of which ${((appendedMs * 1000) / values.length).toFixed(1)} us in append()`,
  )
})
