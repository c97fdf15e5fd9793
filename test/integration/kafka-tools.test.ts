/** The tools around Kafka on a real one: what tests start and stop it with, its security, and `millrace topics`. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import kafkajs, { type Admin, type KafkaConfig } from 'kafkajs'
import { stringify } from 'yaml'
import { ERRORS } from '../../src/domain/errors.js'
import { readFirst } from '../helpers/console-consumer.js'
import { type Broker, kafkaSkip, type Registry, startBroker, startRegistry, until } from '../helpers/kafka.js'
import { allow, type Listener } from '../helpers/kafka-security.js'
import { millrace } from '../helpers/process.js'
import { smallConfig } from '../helpers/workspace.js'

const { Kafka, logLevel, Partitioners } = kafkajs
const QUIET = { logLevel: logLevel.NOTHING, retry: { initialRetryTime: 50, retries: 8 } }
const files = mkdtempSync(join(tmpdir(), 'millrace-topics-'))
after(() => rmSync(files, { recursive: true, force: true }))

let broker: Broker
before(async () => {
  if (kafkaSkip === false) broker = await startBroker({ secured: true })
})
after(() => broker?.stop())

describe('a broker for tests', { skip: kafkaSkip }, () => {
  test('shows the console consumer what is committed, byte for byte, and nothing of what is not', async () => {
    await broker.createTopic('bytes', { partitions: 3 })
    const producer = new Kafka({ ...QUIET, brokers: broker.brokers }).producer({
      transactionalId: 'bytes',
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    const send = async (key: string, value: Buffer | null, end: 'commit' | 'abort') => {
      const transaction = await producer.transaction()
      await transaction.send({ topic: 'bytes', messages: [{ key, value, partition: 1, headers: { reason: 'none' } }] })
      await transaction[end]()
    }
    const value = Buffer.from([0, 10, 13, 255, 0x3c, 0x7c])
    await send('first', value, 'commit')
    await send('never', value, 'abort')
    await send('tombstone', null, 'commit')
    await producer.disconnect()

    const records = await readFirst(broker.brokers, 'bytes', { count: 2 })
    assert.deepEqual(
      records.map(record => [record.partition, record.key?.toString(), record.value, record.headers]),
      [
        [1, 'first', value, 'reason:none'],
        [1, 'tombstone', null, 'reason:none'],
      ],
    )
    const all = await readFirst(broker.brokers, 'bytes', { count: 3, isolation: 'read_uncommitted' })
    assert.deepEqual(
      all.map(({ key }) => key?.toString()),
      ['first', 'never', 'tombstone'],
    )
  })

  test('comes back from a kill -9 with its data on its port', async () => {
    await broker.createTopic('kept')
    await broker.kill9(0)
    await broker.restart(0)
    const admin = await broker.admin()
    await until('the topic is back', async () => (await admin.listTopics()).includes('kept'))
  })
})

describe('a secured broker', { skip: kafkaSkip }, () => {
  type Attempt = Omit<KafkaConfig, 'brokers'>
  const pem = (file: string) => readFileSync(file, 'utf8')
  const withCa = () => ({ ca: [pem(broker.security!.ca)] })
  const identity = ({ cert, key }: { cert: string; key: string }) => ({ cert: pem(cert), key: pem(key) })

  /** The topics this client may see, or why it may not. */
  async function attempt(listener: Listener, options: Attempt): Promise<string[]> {
    const brokers = broker.security!.brokers[listener]
    const admin = new Kafka({ ...QUIET, connectionTimeout: 20_000, retry: { retries: 0 }, brokers, ...options }).admin()
    try {
      await admin.connect()
      return (await admin.listTopics()).filter(topic => topic === 'guarded')
    } finally {
      await admin.disconnect()
    }
  }

  before(async () => {
    await broker.createTopic('guarded')
    const admin = await broker.admin()
    await allow(admin, 'User:millrace', 'topic', 'guarded', ['read'])
    await allow(admin, 'User:CN=millrace', 'topic', 'guarded', ['read'])
  })

  test('proves who it is, and not to those who trust another authority or see a certificate of the past', async () => {
    assert.deepEqual(await attempt('tls', { ssl: withCa() }), ['guarded'])
    await assert.rejects(attempt('tls', { ssl: { ca: [pem(broker.security!.strangeCa)] } }), /certificate/)
    await assert.rejects(attempt('expired', { ssl: withCa() }), /certificate has expired/)
  })

  test('wants a certificate of its clients: none, an expired one and a stranger are refused', async () => {
    const { client, expiredClient, strangeClient } = broker.security!
    assert.deepEqual(await attempt('mtls', { ssl: { ...withCa(), ...identity(client) } }), ['guarded'])
    await assert.rejects(attempt('mtls', { ssl: withCa() }), /alert bad certificate/)
    await assert.rejects(attempt('mtls', { ssl: { ...withCa(), ...identity(expiredClient) } }), /alert certificate/)
    await assert.rejects(attempt('mtls', { ssl: { ...withCa(), ...identity(strangeClient) } }), /alert certificate/)
  })

  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512'] as const)
    test(`knows its users by ${mechanism}, and shows them only what an ACL allows`, async () => {
      const { users } = broker.security!
      const sasl = (username: 'millrace' | 'stranger', password = users[username]) =>
        ({ sasl: { mechanism, username, password } }) as Attempt
      assert.deepEqual(await attempt('sasl', sasl('millrace')), ['guarded'])
      assert.deepEqual(await attempt('sasl-tls', { ssl: withCa(), ...sasl('millrace') }), ['guarded'])
      assert.deepEqual(await attempt('sasl', sasl('stranger')), [])
      await assert.rejects(attempt('sasl', sasl('millrace', 'wrong')), /[Aa]uthentication failed/)
    })
})

describe('millrace topics', { skip: kafkaSkip }, () => {
  const prefix = 'shop.out.'
  const kafka = {
    predictions: `${prefix}predictions`,
    recommendations: `${prefix}recommendations`,
    metrics: `${prefix}metrics`,
    snapshots: `${prefix}snapshots`,
    journal: `${prefix}journal`,
    deadLetters: `${prefix}dlq`,
  }
  let admin: Admin
  before(async () => {
    admin = await broker.admin()
  })

  function write(name: string, own: Record<string, unknown>, topics = ['shop.events', '/^shop\\.more\\./']): string {
    const file = join(files, `${name}.yaml`)
    const config = {
      ...smallConfig,
      source: { kafka: { topics } },
      outputs: { kafka },
      kafka: { brokers: broker.brokers, ...own },
    }
    writeFileSync(file, stringify(config))
    return file
  }
  const topics = async (...args: string[]) => {
    const { code, stdout, stderr } = await millrace(['topics', ...args])
    return {
      code,
      stdout,
      stderr,
      json: () => JSON.parse(stdout) as { findings: { topic: string; message: string }[] },
    }
  }

  test('check finds what is missing, create makes it, and then check has nothing to say', async () => {
    const file = write('plain', {})
    const missing = await topics('check', file, '--json')
    assert.equal(missing.code, 9)
    assert.deepEqual(
      missing
        .json()
        .findings.map(({ topic, message }) => `${topic} ${message}`)
        .sort(),
      [...['shop.events', ...Object.values(kafka)].map(topic => `${topic} is not there`).sort()],
    )

    const early = await topics('create', file)
    assert.equal(early.code, 9)
    assert.match(early.stderr, /KAFKA_TOPIC: no input topic is there yet/)
    assert.ok(!(await admin.listTopics()).includes(kafka.journal), 'nothing is created by halves')

    await broker.createTopic('shop.more.clicks', { partitions: 6 })
    const made = await topics('create', file, '--inputs')
    assert.equal(made.code, 0, made.stdout + made.stderr)
    const metadata = await admin.fetchTopicMetadata({ topics: ['shop.events', ...Object.values(kafka)] })
    assert.deepEqual(
      Object.fromEntries(metadata.topics.map(({ name, partitions }) => [name.replace(prefix, ''), partitions.length])),
      { 'shop.events': 6, predictions: 6, recommendations: 6, metrics: 1, snapshots: 1, journal: 1, dlq: 1 },
    )
    const check = await topics('check', file)
    assert.equal(check.stdout, '8 topics are as they should be\n')
    assert.equal(check.code, 0)
    assert.equal((await topics('create', file)).stdout, 'nothing was missing\n')
  })

  test('describe shows settings and how much a topic holds', async () => {
    const producer = new Kafka({ ...QUIET, brokers: broker.brokers }).producer({
      createPartitioner: Partitioners.DefaultPartitioner,
    })
    await producer.connect()
    await producer.send({ topic: 'shop.events', messages: [{ value: 'a' }, { value: 'b' }] })
    await producer.disconnect()
    const { stdout } = await topics('describe', join(files, 'plain.yaml'))
    assert.match(stdout, /^input +shop\.events +6 +1 +2 +delete/m)
    assert.match(stdout, /^snapshots +shop\.out\.snapshots +1 +1 +0 +compact/m)
    assert.match(stdout, /^journal .* -1 /m)
  })

  test('check says so when somebody has changed a topic for the worse', async () => {
    const set = (name: string, config: string, value: string) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [{ type: kafkajs.ConfigResourceTypes.TOPIC, name, configEntries: [{ name: config, value }] }],
      })
    await set(kafka.journal, 'cleanup.policy', 'compact')
    await set(kafka.snapshots, 'max.message.bytes', '20000')
    const { code, json } = await topics('check', join(files, 'plain.yaml'), '--json')
    assert.equal(code, 9)
    const messages = json().findings.map(({ topic, message }) => `${topic} ${message}`)
    assert.ok(
      messages.some(text => text.startsWith(`${kafka.journal} cleanup.policy is compact`)),
      messages.join('\n'),
    )
    assert.ok(messages.some(text => text.startsWith(`${kafka.snapshots} max.message.bytes is 20000`)))
  })

  test('wrong passwords, missing ACLs and certificates are one clear error each, and no secret is printed', async () => {
    const { security } = broker
    const sasl = (username: string, password: string) => ({
      brokers: security!.brokers.sasl,
      sasl: { mechanism: 'scram-sha-512', username, password },
    })
    const wrong = await topics('check', write('wrong', sasl('millrace', 'not-the-password')))
    assert.equal(wrong.code, 9)
    assert.match(wrong.stderr, /KAFKA_REFUSED: .*[Aa]uthentication failed/)
    assert.doesNotMatch(wrong.stdout + wrong.stderr, /not-the-password/)

    const stranger = write('stranger', sasl('stranger', security!.users.stranger), ['shop.events'])
    const denied = await topics('check', stranger, '--json')
    assert.equal(denied.code, 9)
    const found = denied.json().findings.map(({ topic, message }) => `${topic} ${message}`)
    assert.equal(found.length, 8)
    assert.ok(
      found.every(text => text.includes('needs an ACL')),
      found.join('\n'),
    )
    assert.ok(found.some(text => text.startsWith('group millrace ')))

    const past = { brokers: security!.brokers.expired, tls: { ca: security!.ca } }
    const expired = await topics('check', write('expired', past))
    assert.match(expired.stderr, /KAFKA_REFUSED: .*certificate has expired/)
    assert.equal(expired.stderr.split('\n').filter(Boolean).length, 2, 'the error and its remedy')
  })

  test('a broker that is not there is an error of its own', async () => {
    const { code, stderr } = await topics('check', write('away', { brokers: ['127.0.0.1:9'] }))
    assert.equal(code, 9)
    assert.match(stderr, /KAFKA_UNREACHABLE: .*127\.0\.0\.1:9/)
  })
})

describe('commands on a secured broker', { skip: kafkaSkip }, () => {
  const TOPIC = 'refused.events'
  const outputs = Object.fromEntries(
    ['predictions', 'recommendations', 'metrics', 'snapshots', 'journal', 'deadLetters'].map(output => [
      output,
      `refused.${output}`,
    ]),
  )
  const log = join(files, 'refused-log')
  let registry: Registry
  before(async () => {
    registry = await startRegistry()
    for (const topic of [TOPIC, ...Object.values(outputs)]) await broker.createTopic(topic)
    const { code, stderr } = await millrace(['simulate', '--log', log, '--events', '200', '--users', '20'])
    assert.equal(code, 0, stderr)
  })
  after(() => registry?.stop())

  const sasl = (username: string, password: string) => ({
    brokers: broker.security!.brokers.sasl,
    sasl: { mechanism: 'scram-sha-512', username, password },
  })
  const refusals: [what: string, message: RegExp, connection: () => Record<string, unknown>][] = [
    ['a wrong password', /authentication failed|credentials/i, () => sasl('millrace', 'not-the-password')],
    [
      'a missing permission',
      /not authorized to access (topics|group).*AUTHORIZATION_FAILED/i,
      () => sasl('stranger', broker.security!.users.stranger),
    ],
    [
      'a certificate that has expired',
      /TLS: .*certificate has expired/,
      () => ({ brokers: broker.security!.brokers.expired, tls: { ca: broker.security!.ca } }),
    ],
  ]

  for (const [what, message, connection] of refusals)
    test(`${what} ends run, export and import kafka with one error, and no secret is printed`, async () => {
      const file = join(files, 'refused.yaml')
      const kafka = { registry: { url: registry.url }, ...connection() }
      const source = { kafka: { topics: [TOPIC], group: 'refused' } }
      writeFileSync(file, stringify({ ...smallConfig, kafka, source, outputs: { path: 'out', kafka: outputs } }))
      const commands = [
        ['run', file, '--json'],
        ['export', file, '--to', join(files, 'refused-export'), '--json'],
        ['import', 'kafka', file, '--log', log, '--json'],
      ]
      for (const [command = '', ...args] of commands) {
        const { code, stdout, stderr } = await millrace([command, ...args])
        assert.equal(code, ERRORS.KAFKA_REFUSED.exitCode, `${command}: ${stderr}`)
        const errors = stderr.split('\n').filter(line => line.startsWith('millrace: '))
        assert.equal(errors.length, 1, `${command}: ${stderr}`)
        assert.match(errors[0] ?? '', /^millrace: KAFKA_REFUSED: /, command)
        assert.match(errors[0] ?? '', message, command)
        assert.equal(stdout, '', command)
        assert.doesNotMatch(stderr, /^ +at /m, command)
        for (const secret of [...Object.values(broker.security!.users), 'not-the-password', 'PRIVATE KEY'])
          assert.ok(!stderr.includes(secret), `${command} prints ${secret}`)
      }
    })
})

describe('a registry for tests', { skip: kafkaSkip }, () => {
  test('wants schemas that old readers can read, and on disk still knows them after a kill', async t => {
    const registry = await startRegistry({ storage: 'disk' })
    t.after(() => registry.stop())
    const schema = (fields: unknown[]) => JSON.stringify({ type: 'record', name: 'Event', fields })
    const post = async (fields: unknown[]) => {
      const response = await fetch(`${registry.url}/subjects/events-value/versions`, {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.schemaregistry.v1+json' },
        body: JSON.stringify({ schema: schema(fields) }),
      })
      return { status: response.status, ...((await response.json()) as { id?: number }) }
    }
    const user = { name: 'user', type: 'string' }
    const { id } = await post([user])
    assert.equal((await post([user, { name: 'item', type: 'string' }])).status, 409)
    await registry.kill()
    await assert.rejects(fetch(registry.url))
    await registry.restart()
    const answer = (await (await fetch(`${registry.url}/schemas/ids/${id}`)).json()) as { schema: string }
    assert.deepEqual(JSON.parse(answer.schema), JSON.parse(schema([user])))
  })

  test('does not outlive a test that is killed', async () => {
    const helper = new URL('../helpers/kafka.js', import.meta.url).href
    const program = `import { startRegistry } from '${helper}'
      const { url } = await startRegistry(); console.log(url); setInterval(() => {}, 1000)`
    const flags = process.execArgv.filter(flag => !flag.startsWith('--test'))
    const child = spawn(process.execPath, [...flags, '--input-type=module', '-e', program], { cwd: process.cwd() })
    const url = await new Promise<string>((resolve, reject) => {
      child.stdout.on('data', data => resolve(String(data).trim()))
      child.on('exit', () => reject(new Error('it ended by itself')))
    })
    assert.ok((await fetch(`${url}/subjects`)).ok)
    child.removeAllListeners('exit')
    child.kill('SIGKILL')
    await until('the registry is gone', () =>
      fetch(url).then(
        () => false,
        () => true,
      ),
    )
  })
})
