import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import kafkajs from 'kafkajs'
import type { MillraceError } from '../../src/domain/errors.js'
import { silentLog } from '../../src/observe/log.js'
import type { KafkaSource } from '../../src/source/kafka.js'
import type { MergeDecision, SourceRecord } from '../../src/source/source.js'
import { bodyOf, place, readAll, sourceContract, type Written } from '../contract/source.js'
import { type Broker, kafkaSkip, startBroker, until } from '../helpers/kafka.js'
import { messageOf, minutes, producerTo, sourceOf } from '../helpers/kafka-source.js'

let broker: Broker
let topics = 0

before(async () => {
  if (kafkaSkip === false) broker = await startBroker({ heap: '320m' })
})
after(async () => {
  await broker?.stop()
})

/** A topic of these partitions. */
async function topicOf(log: readonly (readonly Written[])[], name = `events-${topics++}`): Promise<string> {
  await broker.createTopic(name, { partitions: log.length })
  const messages = log.flatMap((records, partition) => records.map(written => messageOf(written, partition)))
  const producer = await producerTo(broker.brokers)
  if (messages.length > 0) await producer.send({ topic: name, messages })
  await producer.disconnect()
  return name
}

/** Of the heads the earliest, ties by partition; what has no time follows at once; what is far looks behind it. */
function merged(partitions: readonly (readonly Written[])[]): string[] {
  const next = partitions.map(() => 0)
  const order: string[] = []
  const timeOf = (written: Written) => (written.bad ? Number.NEGATIVE_INFINITY : written.eventTime)
  for (;;) {
    const heads = partitions.flatMap((records, partition) => {
      const sight = records.slice(next[partition], next[partition]! + 4)
      return sight.length > 0 ? [{ partition, sight: sight.map(timeOf) }] : []
    })
    if (heads.length === 0) return order
    const base = Math.min(...heads.map(({ sight }) => sight[0]!).filter(Number.isFinite))
    let best: { partition: number; placeMs: number } | undefined
    for (const { partition, sight } of heads) {
      const near = sight.find((time, ahead) => (ahead === 0 || Number.isFinite(time)) && time <= base + 3_600_000)
      const placeMs = near ?? sight[0]!
      if (best === undefined || placeMs < best.placeMs) best = { partition, placeMs }
    }
    order.push(`${best!.partition}:${next[best!.partition]!++}`)
  }
}

if (kafkaSkip === false) {
  sourceContract('Kafka', async () => {
    let topic = ''
    return {
      merged,
      write: async log => {
        topic = await topicOf(log)
      },
      source: () => sourceOf(broker.brokers, [topic], { until: 'latest' }),
    }
  })
}

test('a record has its message byte for byte beside its body', { skip: kafkaSkip }, async () => {
  const [written] = minutes(1) as [Written]
  const topic = await topicOf([[]])
  const producer = await producerTo(broker.brokers)
  const message = { ...messageOf(written, 0), headers: { trace: Buffer.from([1, 2]), many: ['a', 'b'] } }
  await producer.send({ topic, messages: [message] })
  await producer.disconnect()
  const [record] = await readAll(sourceOf(broker.brokers, [topic], { until: 'latest' }))
  const { original } = record!
  assert.deepEqual(Buffer.from(original!.key!), Buffer.from('key e0'))
  assert.deepEqual(Buffer.from(original!.value!), message.value)
  assert.equal(original!.timestampMs, written.eventTime)
  assert.deepEqual(original!.headers, {
    trace: Buffer.from([1, 2]),
    many: [Buffer.from('a'), Buffer.from('b')],
  })
  assert.deepEqual(bodyOf(record!), message.value)
})

const ids = (records: readonly SourceRecord[]) =>
  records.map(({ outcome }) => (outcome.kind === 'ok' ? outcome.value.eventId : outcome.kind))

/** next() until so many records are there. */
async function take(source: KafkaSource, count: number, into: SourceRecord[] = []): Promise<SourceRecord[]> {
  const wanted = into.length + count
  await until(`${wanted} records came`, async () => {
    into.push(...((await source.next()) ?? []))
    return into.length >= wanted
  })
  assert.equal(into.length, wanted)
  return into
}

async function send(topic: string, partition: number, written: readonly Written[]): Promise<void> {
  const producer = await producerTo(broker.brokers)
  await producer.send({ topic, messages: written.map(one => messageOf(one, partition)) })
  await producer.disconnect()
}

async function deleteBefore(topic: string, offset: number): Promise<void> {
  const admin = await broker.admin()
  await admin.fetchTopicOffsets(topic) // loads the metadata that the next call needs
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: String(offset) }] })
}

const codeOf = (code: string) => (error: MillraceError) => {
  assert.equal(error.code, code, error.message)
  return true
}

test('the order of a live reading, idle partitions and all, is repeated from its decisions', {
  skip: kafkaSkip,
}, async () => {
  const topic = await topicOf([minutes(30), minutes(5, 0, 'f'), []])
  const decisions: MergeDecision[] = []
  const live = sourceOf(broker.brokers, [topic], { onDecision: one => void decisions.push(one), idleTimeout: 300 })
  await live.open([])
  const records = await take(live, 35)
  await send(topic, 1, minutes(20, 5, 'f'))
  await take(live, 20, records)
  await send(topic, 0, minutes(5, 30))
  await take(live, 5, records)
  const reached = live.nextOffsets
  assert.ok(decisions.length >= 3, 'the clock had a say')
  await live.close()

  const again = sourceOf(broker.brokers, [topic], { onDecision: () => assert.fail('nothing is decided anew') })
  again.resume({ partitions: live.partitions, records: 0, decisions, until: reached })
  await again.open([0n, 0n, 0n])
  assert.deepEqual((await take(again, 60)).map(place), records.map(place))
  await again.close()
})

test('reading begins at the end, or at a time, when it should', { skip: kafkaSkip }, async () => {
  const topic = await topicOf([minutes(10)])
  const timed = sourceOf(broker.brokers, [topic], { from: new Date(1_600_000_000_000 + 6.5 * 60_000).toISOString() })
  await timed.open([])
  assert.deepEqual(timed.nextOffsets, [7n])
  assert.deepEqual(ids(await take(timed, 3)), ['e7', 'e8', 'e9'])
  await timed.close()
  const latest = sourceOf(broker.brokers, [topic], { from: 'latest' })
  await latest.open([])
  assert.deepEqual(latest.nextOffsets, [10n])
  await send(topic, 0, minutes(1, 10))
  assert.deepEqual(ids(await take(latest, 1)), ['e10'])
  await latest.close()
})

test('a finite reading ends at a time', { skip: kafkaSkip }, async () => {
  const topic = await topicOf([minutes(10), minutes(3)])
  const source = sourceOf(broker.brokers, [topic], { until: new Date(1_600_000_000_000 + 5 * 60_000).toISOString() })
  assert.equal((await readAll(source)).length, 5 + 3)
})

test('what a transaction aborted is not read, and its markers hold nothing up', { skip: kafkaSkip }, async () => {
  const topic = await topicOf([minutes(2), []])
  const producer = new kafkajs.Kafka({
    brokers: broker.brokers,
    logLevel: kafkajs.logLevel.NOTHING,
    retry: { retries: 20 },
  }).producer({
    transactionalId: `tx-${topic}`,
    maxInFlightRequests: 1,
    idempotent: true,
  })
  await producer.connect()
  for (const [name, isCommitted] of [
    ['no', false],
    ['yes', true],
    ['never', false],
  ] as const) {
    const transaction = await producer.transaction()
    const messages = [0, 1].map(partition => messageOf({ eventId: name, eventTime: 1_600_000_500_000 }, partition))
    await transaction.send({ topic, messages })
    await (isCommitted ? transaction.commit() : transaction.abort())
  }
  await producer.disconnect()
  const records = await readAll(sourceOf(broker.brokers, [topic], { until: 'latest' }))
  assert.deepEqual(ids(records), ['e0', 'e1', 'yes', 'yes'])
})

test('a tombstone is dropped, and an empty topic is none of a problem', { skip: kafkaSkip }, async () => {
  const topic = await topicOf([minutes(1)])
  const empty = await topicOf([[], []])
  const producer = await producerTo(broker.brokers)
  await producer.send({ topic, messages: [{ key: 'gone', value: null, partition: 0 }] })
  await producer.disconnect()
  const records = await readAll(sourceOf(broker.brokers, [topic, empty], { until: 'latest' }))
  assert.deepEqual(ids(records), ['e0', 'drop'])
})

test('fifty partitions are read in order, with full lanes paused and resumed', { skip: kafkaSkip }, async () => {
  const log = Array.from({ length: 50 }, (_, partition) => minutes(100, 0, `p${partition}-`))
  const topic = await topicOf(log)
  const source = sourceOf(broker.brokers, [topic], { until: 'latest', laneMessages: 10 })
  const records = await readAll(source)
  assert.deepEqual(source.partitions.slice(9, 11), [`${topic}/9`, `${topic}/10`])
  assert.deepEqual(records.map(place), merged(log))
})

test('topics are found by pattern, also one that comes later, and so are new partitions', {
  skip: kafkaSkip,
}, async () => {
  const first = await topicOf([minutes(2)], 'late-1')
  const decisions: MergeDecision[] = []
  const source = sourceOf(broker.brokers, ['/^late-/'], {
    metadataAgeMs: 500,
    onDecision: one => void decisions.push(one),
  })
  await source.open([])
  const records = await take(source, 2)
  await topicOf([minutes(2, 2)], 'late-0')
  await take(source, 2, records)
  await (await broker.admin()).createPartitions({ topicPartitions: [{ topic: first, count: 2 }] })
  await until('the new partition is read', async () => {
    await source.next()
    return source.partitions.length === 3
  })
  await send(first, 1, minutes(2, 4))
  await take(source, 2, records)
  assert.deepEqual(source.partitions, ['late-1/0', 'late-0/0', 'late-1/1'])
  assert.deepEqual(ids(records), ['e0', 'e1', 'e2', 'e3', 'e4', 'e5'])
  const reached = source.nextOffsets
  await source.close()

  const again = sourceOf(broker.brokers, ['/^late-/'])
  again.resume({ partitions: ['late-1/0'], records: 0, decisions, until: reached })
  await again.open([0n])
  assert.deepEqual(again.partitions, source.partitions)
  assert.deepEqual((await take(again, 6)).map(place), records.map(place))
  await again.close()
})

test('records out of retention are an error, or are jumped over and counted', { skip: kafkaSkip }, async () => {
  const topic = await topicOf([minutes(10)])
  await deleteBefore(topic, 4)
  const failing = sourceOf(broker.brokers, [topic])
  await assert.rejects(failing.open([1n]), codeOf('KAFKA_OFFSET_LOST'))
  await failing.close()
  const warnings: Record<string, unknown>[] = []
  const logger = { ...silentLog, warn: (details: Record<string, unknown>) => void warnings.push(details) }
  const jumping = sourceOf(broker.brokers, [topic], { onLostOffset: 'jump', until: 'latest', logger })
  assert.equal((await readAll(jumping, [1n])).length, 6)
  assert.equal(warnings.find(({ code }) => code === 'KAFKA_OFFSET_LOST')?.skipped, 3)
})

test('records that retention takes away while running are noticed', { skip: kafkaSkip }, async () => {
  const topic = await topicOf([minutes(1000)])
  const read = async (onLostOffset: 'fail' | 'jump') => {
    const source = sourceOf(broker.brokers, [topic], { onLostOffset, laneMessages: 4 })
    await source.open([])
    return source
  }
  const producer = await producerTo(broker.brokers)
  const failing = await read('fail')
  await take(failing, 1000)
  // Nothing is fetched while the lane is full: what comes then can be removed before it is wanted.
  await producer.send({ topic, messages: minutes(300, 1000).map(one => messageOf(one, 0)) })
  await until('the lane is full', () => failing.lag()[0]!.records > 4)
  await producer.send({ topic, messages: minutes(300, 1300).map(one => messageOf(one, 0)) })
  await deleteBefore(topic, 1500)
  await assert.rejects(async () => {
    for (;;) await failing.next()
  }, codeOf('KAFKA_OFFSET_LOST'))
  await failing.close()
  await producer.disconnect()
})

test('a topic that was made anew is noticed', { skip: kafkaSkip }, async () => {
  const topic = await topicOf([minutes(10)])
  const source = sourceOf(broker.brokers, [topic])
  await source.open([])
  await take(source, 10)
  const admin = await broker.admin()
  await admin.deleteTopics({ topics: [topic] })
  await until('the topic is gone', async () => !(await admin.listTopics()).includes(topic))
  await topicOf([minutes(3)], topic)
  await assert.rejects(async () => {
    for (;;) await source.next()
  }, codeOf('KAFKA_OFFSET_LOST'))
  await source.close()
  const later = sourceOf(broker.brokers, [topic])
  await assert.rejects(later.open([10n]), codeOf('KAFKA_OFFSET_LOST'))
  await later.close()
})

test('a topic that is not there is an error that names it', { skip: kafkaSkip }, async () => {
  for (const topics of [['no-such-topic'], ['/^no-such-/']]) {
    const source = sourceOf(broker.brokers, topics)
    await assert.rejects(source.open([]), codeOf('KAFKA_TOPIC'))
    await source.close()
  }
})
