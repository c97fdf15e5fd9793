/** Instances of one group, and brokers that go away while one of them reads. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type Log, silentLog } from '../../src/observe/log.js'
import type { KafkaRole, KafkaSource } from '../../src/source/kafka.js'
import type { SourceRecord } from '../../src/source/source.js'
import { place } from '../contract/source.js'
import { type Broker, kafkaSkip, startBroker, until } from '../helpers/kafka.js'
import { messageOf, minutes, producerTo, sourceOf } from '../helpers/kafka-source.js'

let broker: Broker
let count = 0

before(async () => {
  if (kafkaSkip === false) broker = await startBroker({ heap: '320m' })
})
after(async () => {
  await broker?.stop()
})

async function topicOf(records: number): Promise<string> {
  const topic = `failover-${count++}`
  await broker.createTopic(topic, { partitions: 2 })
  await send(topic, 0, records)
  return topic
}

/** Records from this number on, to both partitions in turn. */
async function send(topic: string, first: number, records: number): Promise<void> {
  const producer = await producerTo(broker.brokers)
  const messages = minutes(records, first).map((written, index) => messageOf(written, index % 2))
  await producer.send({ topic, messages })
  await producer.disconnect()
}

/** Another process of the group, and what it says. */
function startMember(topic: string, group: string): { child: ChildProcess; lines: string[] } {
  const extension = import.meta.url.slice(-3)
  const script = fileURLToPath(new URL(`../helpers/kafka-member${extension}`, import.meta.url))
  const child = spawn(process.execPath, [...process.execArgv, script, broker.brokers[0]!, topic, group], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => lines.push(...text.trim().split('\n')))
  return { child, lines }
}

function warnings(): { logger: Log; lines: string[] } {
  const lines: string[] = []
  const warn = (details: Record<string, unknown>, message: string) => void lines.push(`${details.code} ${message}`)
  return { lines, logger: { ...silentLog, warn } }
}

/** next() until this many records are there. */
async function readTo(source: KafkaSource, wanted: number, records: SourceRecord[]): Promise<SourceRecord[]> {
  await until(`${wanted} records came`, async () => {
    records.push(...((await source.next()) ?? []))
    return records.length >= wanted
  })
  return records
}

test('one of a group reads, the other stands by and takes over after kill -9', { skip: kafkaSkip }, async t => {
  const topic = await topicOf(20)
  const first = startMember(topic, 'pair')
  t.after(() => void first.child.kill('SIGKILL'))
  await until('the first reads', () => first.lines.includes('0:9') && first.lines.includes('1:9'))

  const roles: KafkaRole[] = []
  const second = sourceOf(broker.brokers, [topic], { group: 'pair', onRole: role => void roles.push(role) })
  t.after(() => second.close())
  let isActive = false
  const joined = second.join().then(() => {
    isActive = true
  })
  await until('the second is a member', () => second.joins > 0)
  assert.equal(second.role, 'standby')
  await send(topic, 20, 2)
  await until('the first goes on reading', () => first.lines.includes('0:10') && first.lines.includes('1:10'))
  assert.equal(isActive, false)
  assert.deepEqual(
    first.lines.filter(line => line.startsWith('s')),
    [],
    'it was never told to stand by',
  )

  const killedMs = performance.now()
  first.child.kill('SIGKILL')
  await joined
  t.diagnostic(`took over ${Math.round(performance.now() - killedMs)} ms after kill -9`)
  assert.deepEqual(roles, ['active'])
  assert.equal(new Set(first.lines.filter(line => line !== 'active')).size, 22)
  await second.open([6n, 6n])
  const records = await readTo(second, 10, [])
  assert.deepEqual(records.map(place).sort(), ['0:10', '0:6', '0:7', '0:8', '0:9', '1:10', '1:6', '1:7', '1:8', '1:9'])
})

test('an instance that leaves in order is followed at once', { skip: kafkaSkip }, async t => {
  const topic = await topicOf(2)
  const first = sourceOf(broker.brokers, [topic], { group: 'orderly' })
  await first.open([])
  const second = sourceOf(broker.brokers, [topic], { group: 'orderly' })
  t.after(() => second.close())
  const joined = second.join()
  await until('the second is a member', () => second.joins > 0)
  await first.close()
  await joined
  assert.equal(second.role, 'active')
})

test('an instance that stands by can be told to stop', { skip: kafkaSkip }, async t => {
  const topic = await topicOf(2)
  const first = sourceOf(broker.brokers, [topic], { group: 'stopped' })
  await first.open([])
  t.after(() => first.close())
  const second = sourceOf(broker.brokers, [topic], { group: 'stopped' })
  const stop = new AbortController()
  const joined = second.join(stop.signal)
  await until('the second is a member', () => second.joins > 0)
  stop.abort()
  await joined
  assert.equal(second.role, 'standby')
  await second.close()
})

test('members coming and going in the middle lose and repeat nothing', { skip: kafkaSkip }, async t => {
  const topic = await topicOf(2000)
  const reader = sourceOf(broker.brokers, [topic], { group: 'busy', laneMessages: 50 })
  t.after(() => reader.close())
  await reader.open([])
  const records: SourceRecord[] = []
  for (let round = 1; round <= 4; round++) {
    const guest = sourceOf(broker.brokers, [topic], { group: 'busy' })
    const joining = guest.join()
    await readTo(reader, 400 * round, records)
    await until('the guest is a member', async () => {
      records.push(...((await reader.next()) ?? []))
      return guest.joins > 0
    })
    await guest.close()
    await joining
  }
  await readTo(reader, 2000, records)
  assert.deepEqual(
    records.map(place),
    Array.from({ length: 2000 }, (_, index) => `${index % 2}:${index >> 1}`),
  )
})

test('a broker that is not there at the start is waited for, and one that restarts is read on', {
  skip: kafkaSkip,
}, async t => {
  const topic = await topicOf(10)
  await broker.shutDown(0)
  const { lines, logger } = warnings()
  const source = sourceOf(broker.brokers, [topic], { logger })
  t.after(() => source.close())
  const opened = source.open([])
  await until('it says so', () => lines.some(line => line.startsWith('KAFKA_UNREACHABLE')))
  await broker.restart(0)
  await opened
  const records = await readTo(source, 10, [])
  await broker.kill9(0)
  for (let round = 0; round < 5; round++) assert.deepEqual(await source.next(), [])
  await broker.restart(0)
  await send(topic, 10, 10)
  await readTo(source, 20, records)
  assert.equal(new Set(records.map(place)).size, 20)
})

test('a consumer that has fallen silent is started anew, and goes on where it was', { skip: kafkaSkip }, async t => {
  const topic = await topicOf(4)
  const source = sourceOf(broker.brokers, [topic])
  t.after(() => source.close())
  await source.open([])
  const records = await readTo(source, 4, [])
  // A broker that neither answers nor closes its connections.
  const pid = Number(readFileSync(join(broker.dir, 'node0', 'pid'), 'utf8'))
  process.kill(pid, 'SIGSTOP')
  try {
    await until('the watchdog has seen it', () => source.restarts > 0)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await send(topic, 4, 4)
  await readTo(source, 8, records)
  assert.equal(new Set(records.map(place)).size, 8)
  assert.equal(records.length, 8)
})

test('of three brokers one dies while its partitions are read: nothing is lost or repeated', {
  skip: kafkaSkip,
}, async t => {
  const cluster = await startBroker({ nodes: 3, heap: '192m' })
  t.after(() => cluster.stop())
  const topic = 'spread'
  await cluster.createTopic(topic, { partitions: 6 })
  const producer = await producerTo(cluster.brokers)
  const write = (first: number, records: number) =>
    producer.send({ topic, messages: minutes(records, first).map((written, index) => messageOf(written, index % 6)) })
  await write(0, 3000)
  const source = sourceOf(cluster.brokers, [topic], { laneMessages: 100 })
  t.after(() => source.close())
  await source.open([])
  const records = await readTo(source, 1000, [])
  const admin = await cluster.admin()
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
  await cluster.kill9(topics[0]!.partitions[0]!.leader - 1)
  await readTo(source, 3000, records)
  await until('the others accept records', async () =>
    (await write(3000, 600)).every(({ errorCode }) => errorCode === 0),
  )
  await producer.disconnect()
  await readTo(source, 3600, records)
  const seen = new Set(records.map(place))
  assert.equal(seen.size, records.length, 'none came twice')
  assert.ok(records.length >= 3600)
})
