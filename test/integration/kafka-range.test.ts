/** Ranges of real topics: replayed, exported to a log and put back, beside whoever is live. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { readContainers } from '../contract/read-containers.js'
import { type Broker, kafkaSkip, type Registry, startBroker, startRegistry } from '../helpers/kafka.js'
import { producerTo } from '../helpers/kafka-source.js'
import { millrace } from '../helpers/process.js'
import { digests, smallConfig, Workspace } from '../helpers/workspace.js'

const TOPIC = 'range.events'
const EVENTS = 3000
let broker: Broker
let registry: Registry
const space = new Workspace()

const { source: _, outputs: small, ...learner } = smallConfig
const configOf = (topic: string) => ({
  ...learner,
  kafka: { brokers: broker.brokers, registry: { url: registry.url } },
  source: { kafka: { topics: [topic], group: 'live' } },
  outputs: { ...small, kafka: { predictions: 'range.predictions' } },
})

async function run(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await millrace(args, { cwd: space.folder })
  assert.equal(code, 0, `${args.join(' ')}\n${stderr}`)
  return stdout
}

interface Manifest {
  partitions: { folder: string; from: string; until: string; messages: number }[]
  schemas: Record<string, string>
}
const exported = async (to: string, ...args: string[]): Promise<Manifest> =>
  JSON.parse(await run('export', 'millrace.yaml', '--to', to, '--json', ...args))
const counts = ({ partitions }: Manifest) => partitions.map(({ messages }) => messages)
/** The partitions' files; the manifest says where they came from. */
const partitionsOf = (folder: string) =>
  Object.fromEntries(Object.entries(digests(space.path(folder))).filter(([file]) => file !== 'messages.json'))

describe('a range of topics', { skip: kafkaSkip }, () => {
  before(async () => {
    ;[broker, registry] = await Promise.all([startBroker(), startRegistry()])
    space.configure(configOf(TOPIC))
    await broker.createTopic(TOPIC, { partitions: 2, config: { 'retention.ms': '-1' } })
    await run(
      'simulate',
      '--log',
      'log',
      '--events',
      String(EVENTS),
      '--users',
      '300',
      '--items',
      '100',
      '--malformed',
      '0.01',
    )
    const put = await run('import', 'kafka', 'millrace.yaml', '--log', 'log')
    assert.match(put, /^[\d,]+ messages: range\.events /)
    await odd()
  })
  after(() => Promise.all([broker?.stop(), registry?.stop()]))

  /** What a log must not lose: nothing of it is an event. */
  async function odd(): Promise<void> {
    const timestamp = '1704067300000'
    const producer = await producerTo(broker.brokers)
    await producer.send({
      topic: TOPIC,
      messages: [
        { partition: 0, key: 'tombstone', value: null, timestamp },
        {
          partition: 1,
          key: null,
          value: Buffer.from([0, 0, 0, 0, 99, 255]),
          timestamp: '0',
          headers: { a: '1', b: ['2', '3'] },
        },
        {
          partition: 1,
          key: Buffer.from([255, 0]),
          value: Buffer.alloc(0),
          timestamp,
          headers: { bin: Buffer.from([128, 0]) },
        },
      ],
    })
    await producer.disconnect()
  }

  test('an event log that is on the topic already is not put there again', async () => {
    assert.match(
      await run('import', 'kafka', 'millrace.yaml', '--log', 'log'),
      /nothing was put.*\n.*were there already/,
    )
  })

  test('is learned from an export as from the topics, bit for bit; the live learner is left alone', async () => {
    await run('replay', 'millrace.yaml', '--set', 'outputs.path=topics')
    const manifest = await exported('export')
    assert.equal(counts(manifest).length, 2)
    await run('replay', 'millrace.yaml', '--log', 'export', '--set', 'outputs.path=folder')
    for (const output of ['predictions', 'recommendations', 'metrics']) {
      const [fromTopics, fromFolder] = ['topics-replay', 'folder-replay'].map(path => digests(space.path(path, output)))
      assert.ok(Object.keys(fromTopics!).length > 0, output)
      assert.deepEqual(fromFolder, fromTopics, output)
    }
    const letters = (path: string) =>
      readContainers(readdirSync(space.path(path, 'dead-letters')).map(name => space.path(path, 'dead-letters', name)))
    assert.equal((await letters('folder-replay')).length, (await letters('topics-replay')).length)

    assert.ok(!existsSync(space.path('checkpoints')), 'checkpoints of the live learner')
    const admin = await broker.admin()
    assert.deepEqual(await admin.fetchOffsets({ groupId: 'live' }), [])
    assert.ok(!(await admin.listTopics()).includes('range.predictions'))
  })

  test('goes to a log, to other topics, and to a log again: the same bytes', async () => {
    await broker.createTopic('range.copy', { partitions: 2, config: { 'retention.ms': '-1' } })
    await exported('first')
    await run('import', 'kafka', 'millrace.yaml', '--log', 'first', '--topic', 'range.copy')
    await exported('second', '--set', 'source.kafka.topics=[range.copy]')
    assert.deepEqual(partitionsOf('second'), partitionsOf('first'))
    const [message] = (
      (await readContainers([space.path('second', 'p01', `${'0'.repeat(20)}.avro`)])) as Message[]
    ).slice(-1)
    assert.deepEqual(
      message?.headers.map(({ name, value }) => [name, [...(value ?? [])]]),
      [['bin', [128, 0]]],
    )
    assert.deepEqual([[...(message?.key ?? [])], message?.value?.length], [[255, 0], 0])
  })

  test('begins and ends exactly where it is told to, by offset and by time', async () => {
    const all = await exported('all')
    const [first = 0, second = 0] = counts(all)
    const inner = await exported('inner', '--from', `${TOPIC}/0:10`, '--until', `${TOPIC}/0:25,${TOPIC}/1:7`)
    assert.deepEqual(counts(inner), [15, 7])
    assert.deepEqual(
      inner.partitions.map(({ from, until }) => [from, until]),
      [
        ['10', '25'],
        ['0', '7'],
      ],
    )
    const beyond = await exported('beyond', '--from', `${TOPIC}/1:5`, '--until', `${TOPIC}/1:999999999`)
    assert.deepEqual(counts(beyond), [first, second - 5])

    const middle = '2024-01-15T00:00:00Z'
    const [before, behind] = [await exported('before', '--until', middle), await exported('behind', '--from', middle)]
    const sums = counts(before).map((count, partition) => count + counts(behind)[partition]!)
    assert.deepEqual(sums, [first, second])
    assert.ok(counts(before).every(count => count > 100) && counts(behind).every(count => count > 100))

    const report = JSON.parse(
      await run('evaluate', 'millrace.yaml', '--until', `${TOPIC}/0:25,${TOPIC}/1:7`, '--json', '--report', 'r.html'),
    ) as { runs?: { records: number }[]; records?: number }
    assert.match(JSON.stringify(report), /"records":32\b/)
  })

  test('places that are none, and a configuration without topics, are told at once', async () => {
    const { code, stderr } = await millrace(['export', 'millrace.yaml', '--to', 'x', '--from', 'yesterday'], {
      cwd: space.folder,
    })
    assert.equal(code, 2)
    assert.match(stderr, /--from yesterday: expected earliest, latest, an ISO time, or offsets/)
    const files = new Workspace(smallConfig)
    const none = await millrace(['replay', files.path('millrace.yaml'), '--from', 'earliest'])
    assert.equal(none.code, 2)
    assert.match(none.stderr, /has no source\.kafka/)
  })

  test('who would lose old messages to the topic’s retention is warned', async () => {
    await broker.createTopic('range.short', { partitions: 2, config: { 'retention.ms': '86400000' } })
    const { code, stderr } = await millrace(
      ['import', 'kafka', 'millrace.yaml', '--log', 'log', '--topic', 'range.short'],
      { cwd: space.folder },
    )
    assert.equal(code, 0, stderr)
    assert.match(stderr, /older than the topic keeps them/)
  })

  test('a log whose schemas mean something else in the registry is refused', async t => {
    const other = await startRegistry()
    t.after(() => other.stop())
    const { code, stderr } = await millrace(
      [
        'import',
        'kafka',
        'millrace.yaml',
        '--log',
        'first',
        '--topic',
        'range.copy',
        '--set',
        `kafka.registry.url=${other.url}`,
      ],
      { cwd: space.folder },
    )
    assert.equal(code, 9)
    assert.match(stderr, /REGISTRY_FAILED: .*schema id \d+ of the log is nothing there/)
  })

  test('the manifest has every schema that the messages name, for readers without a registry', () => {
    const { schemas } = JSON.parse(readFileSync(join(space.path('first'), 'messages.json'), 'utf8')) as Manifest
    const names = Object.values(schemas).map(schema => (JSON.parse(schema) as { name: string }).name)
    assert.ok(names.includes('Impression') && names.includes('Click'), names.join())
  })
})

interface Message {
  key: Buffer | null
  value: Buffer | null
  headers: { name: string; value: Buffer | null }[]
}
