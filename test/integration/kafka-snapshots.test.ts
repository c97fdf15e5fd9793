/**
 * Snapshots on a real topic that is compacted while the learner writes it, read by somebody who comes late; and score
 * requests that are answered on topics. The learner is killed in the middle.
 */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import avro from 'avsc'
import { Kafka, logLevel } from 'kafkajs'
import { stringify } from 'yaml'
import { kafkaConnection } from '../../src/config/kafka-connection.js'
import { configSchema } from '../../src/config/schema.js'
import { planTopics } from '../../src/config/topic-plan.js'
import { registerSchema } from '../../src/decode/register-schemas.js'
import { SchemaRegistry } from '../../src/decode/registry.js'
import type { EventKind } from '../../src/domain/event.js'
import { follow, type ScoreAnswer } from '../../src/index.js'
import { silentLog } from '../../src/observe/log.js'
import { createFramedEncoder } from '../../src/sink/framed-encoder.js'
import type { LogWriter } from '../../src/sink/sink.js'
import { readWholeTopic, type TopicMessage } from '../../src/source/kafka-topic.js'
import { systemClock } from '../../src/std/clock.js'
import { readSchemaFile } from '../../src/std/schema-file.js'
import { type Broker, kafkaSkip, type Registry, startBroker, startRegistry, until } from '../helpers/kafka.js'
import { millrace, type Running, start } from '../helpers/process.js'
import { START_MS, smallConfig, Workspace, writePlainLog } from '../helpers/workspace.js'

const EVENTS = 'shop.events'
const SNAPSHOTS = 'shop.snapshots'
const workspace = new Workspace()
const file = workspace.path('millrace.yaml')
let broker: Broker
let registry: Registry
let send: (pages: number) => Promise<void>
let disconnect: (() => Promise<void>) | undefined
let sent = 0

before(async () => {
  if (kafkaSkip !== false) return
  broker = await startBroker({ config: { 'log.cleaner.backoff.ms': 200, 'log.retention.check.interval.ms': 500 } })
  registry = await startRegistry()
  const config = {
    ...smallConfig,
    kafka: { brokers: broker.brokers, registry: { url: registry.url } },
    source: { kafka: { topics: [EVENTS], group: 'shop', sessionTimeout: '6s' } },
    batch: { maxExamples: 64, tick: '1h', linger: '50ms' },
    checkpoint: { path: 'checkpoints', everyEvents: 400 },
    outputs: {
      path: 'out',
      snapshotEverySteps: 8,
      deltaEvery: '100ms',
      kafka: {
        ...{ predictions: 'shop.predictions', recommendations: 'shop.recommendations', metrics: 'shop.metrics' },
        ...{ snapshots: SNAPSHOTS, journal: 'shop.journal', deadLetters: 'shop.dlq', transactionalId: 'shop' },
        commitEvery: '50ms',
        // Parts need several messages.
        maxMessageBytes: 24_000,
      },
    },
  }
  writeFileSync(file, stringify(config))
  await broker.createTopic(EVENTS)
  for (const { topic, settings } of planTopics(configSchema.parse(config))) {
    // The cleaner leaves alone what is younger or in the segment that is written to.
    const eager = { 'segment.ms': '500', 'min.cleanable.dirty.ratio': '0.01', 'delete.retention.ms': '100' }
    await broker.createTopic(topic, { config: topic === SNAPSHOTS ? { ...settings, ...eager } : settings })
  }
  send = await feed()
})
after(async () => {
  await disconnect?.()
  await broker?.stop()
  await registry?.stop()
})

/** Sends pages of the plain log, and behind each page a request to rank five items for its user. */
async function feed(): Promise<(pages: number) => Promise<void>> {
  const lookup = new SchemaRegistry({ url: registry.url, clock: systemClock })
  const encoders = new Map<EventKind, (record: unknown) => Buffer>()
  for (const kind of ['impression', 'click', 'buy', 'rating', 'item', 'score-request'] as const) {
    const id = await registerSchema(lookup.http, `${EVENTS}-${kind}`, JSON.stringify(readSchemaFile(kind)))
    encoders.set(kind, createFramedEncoder(kind, id))
  }
  lookup.close()
  const kafka = new Kafka({ brokers: broker.brokers, logLevel: logLevel.NOTHING, retry: { retries: 20 } })
  const producer = kafka.producer()
  await producer.connect()
  disconnect = () => producer.disconnect()
  let page = 0
  return async pages => {
    const messages: { key: string; value: Buffer }[] = []
    const write = (_: number, kind: EventKind, record: object) =>
      void messages.push({ key: 'k', value: Buffer.from(encoders.get(kind)?.(record) ?? '') })
    for (const end = page + pages; page < end; page++) {
      writePlainLog({ write } as unknown as LogWriter, 1, page)
      const eventTime = START_MS + page * 60_000 + 40_000
      const candidates = Array.from({ length: 5 }, (_, item) => `i${(page + item * 4) % 20}`)
      write(0, 'score-request', {
        eventId: `q${page}`,
        eventTime,
        requestId: `ask${page}`,
        user: `u${page % 10}`,
        candidates,
      })
    }
    await producer.send({ topic: EVENTS, messages })
    sent += messages.length
  }
}

async function topicMessages(topic: string): Promise<TopicMessage[]> {
  const found: TopicMessage[] = []
  const connection = kafkaConnection({ brokers: broker.brokers, clientId: 'test' }, '.', silentLog)
  const take = (message: TopicMessage) =>
    void found.push({ ...message, value: message.value && Buffer.from(message.value) })
  await readWholeTopic({ connection, topic, groupId: `test-${topic}-${systemClock.monotonicMs()}` }, take)
  return found
}

interface Described {
  version: number
  full: number
  deltas: number
  checksum: string
  isOfConfiguration: boolean
  offsets: { offset: string }[]
  parts: { encoding: string }[]
}

/** What is published; undefined: nothing yet. */
async function describe(): Promise<Described | undefined> {
  const { code, stdout } = await millrace(['snapshots', file, '--json'])
  return code === 0 ? JSON.parse(stdout) : undefined
}

const hasSeenAll = (found: Described | undefined): found is Described => found?.offsets[0]?.offset === String(sent)

/** Until what is published has seen everything that was sent. */
const caughtUp = async () => hasSeenAll(await describe())

test('a late reader reconstructs the newest version from a compacted topic, also after a crash', {
  skip: kafkaSkip,
  timeout: 1_800_000,
}, async t => {
  await send(150)
  const lives: Running[] = []
  const live = (...flags: string[]) => lives[lives.push(start(['run', file, '--json', ...flags])) - 1] as Running
  t.after(() => lives.at(-1)?.kill('SIGKILL'))
  const first = live()
  await until('the first versions are there', async () => (await describe()) !== undefined)
  const early = await follow(file)
  t.after(() => early.close())
  await first.kill('SIGKILL')
  live()
  await send(60)
  await until('all of it is published', caughtUp)
  await send(10)
  await until('what came last is published, by the wall clock', caughtUp)

  // One that has followed all the time, through the crash, and one that comes now.
  const late = await follow(file)
  t.after(() => late.close())
  const question = { user: 'u1', items: ['i1', 'i2', 'i3'] }
  let found = {} as Described
  let answers: ScoreAnswer[] = []
  // The clock decides how many steps there are, of which every eighth makes a full version, and when the last one is.
  await until('both are at the newest version, which rests on deltas', async () => {
    const newest = await describe()
    if (!hasSeenAll(newest)) return false
    found = newest
    if (found.deltas === 0) await send(1)
    answers = [await early.score(question), await late.score(question)]
    const isThere = [early, late].every(follower => follower.model().checksum === found.checksum)
    return isThere && found.deltas > 0 && answers.every(({ version }) => version === found.version)
  })
  assert.deepEqual(answers[0], answers[1])
  assert.ok(found.version > found.full && found.deltas > 0, `rests on ${found.full} and ${found.deltas} deltas`)
  assert.equal(found.isOfConfiguration, true)
  const chunks = (await topicMessages(SNAPSHOTS)).filter(({ value }) => value !== null)
  assert.ok(Math.max(...chunks.map(({ value }) => value?.length ?? 0)) <= 24_000)
  assert.ok(
    chunks.some(({ key }) => key?.endsWith('/1')),
    'parts have several chunks',
  )

  // What is obsolete goes: the topic does not grow with the number of versions.
  await until('the cleaner has been here', async () => {
    await send(1)
    const keys = (await topicMessages(SNAPSHOTS)).map(({ key }) => key)
    return keys.length < chunks.length && new Set(keys.map(key => key?.split('/')[0])).size <= 2
  })
  await until('a late reader still gets the newest', caughtUp)

  // A crash, and then versions are published otherwise: what was published before it does not matter, and no version is in vain.
  await lives.at(-1)?.kill('SIGKILL')
  live('--set', 'outputs.snapshotRows=float16', 'outputs.snapshotEverySteps=0')
  await send(10)
  await until('what came behind the crash is published, and both followers are there too', async () => {
    const newest = await describe()
    if (!hasSeenAll(newest)) return false
    found = newest
    return [early, late].every(follower => follower.model().checksum === found.checksum)
  })
  assert.ok(found.parts.some(({ encoding }) => encoding === 'float16'))
})

test('score requests from a topic are answered on topics, each candidate with its prediction', {
  skip: kafkaSkip,
}, async () => {
  const decode = async (topic: string, schema: string) => {
    const type = avro.Type.forSchema(readSchemaFile(schema) as never)
    return (await topicMessages(topic)).map(({ key, value }) => ({
      key,
      ...type.fromBuffer(value?.subarray(5) ?? Buffer.alloc(0)),
    }))
  }
  const answers = await decode('shop.recommendations', 'recommendation')
  const predictions = await decode('shop.predictions', 'prediction')
  assert.ok(answers.length >= 220)
  assert.equal(new Set(answers.map(({ requestId }) => requestId)).size, answers.length, 'each is answered once')
  for (const { key, requestId, user, modelVersion, items } of answers) {
    assert.equal(key, user)
    const predicted = predictions.filter(
      prediction => prediction.requestId === requestId && prediction.eventId.startsWith('q'),
    )
    assert.equal(predicted.length, 5)
    // The order is that of the fusion; what is said of each item is its prediction.
    const saidOf = (list: { item: string; values: Record<string, number> }[]) =>
      Object.fromEntries(list.map(({ item, values }) => [item, { ...values }]))
    assert.deepEqual(saidOf(items), saidOf(predicted))
    const scores = items.map(({ rankScore }: { rankScore: number }) => rankScore)
    assert.deepEqual(
      scores,
      [...scores].sort((x, y) => y - x),
    )
    assert.ok(predicted.every(one => one.modelVersion === modelVersion && one.user === user))
  }
})
