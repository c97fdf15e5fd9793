/** What a broker refuses is one clear error each, and no secret is ever said. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { kafkaConnection } from '../../src/config/kafka-connection.js'
import { configSchema } from '../../src/config/schema.js'
import type { MillraceError } from '../../src/domain/errors.js'
import type { Log } from '../../src/observe/log.js'
import { readAll } from '../contract/source.js'
import { type Broker, kafkaSkip, startBroker } from '../helpers/kafka.js'
import { allow, type Secured } from '../helpers/kafka-security.js'
import { messageOf, minutes, producerTo, sourceOf } from '../helpers/kafka-source.js'

const TOPIC = 'guarded'
const GROUP = 'guarded-group'
let broker: Broker
let security: Secured
const said: string[] = []
const note = (details: Record<string, unknown>, message: string) =>
  void said.push(`${message} ${JSON.stringify(details)}`)
const logger: Log = { debug: note, info: note, warn: note, error: note }

before(async () => {
  if (kafkaSkip !== false) return
  broker = await startBroker({ heap: '320m', secured: true })
  security = broker.security!
  await broker.createTopic(TOPIC)
  const producer = await producerTo(broker.brokers)
  await producer.send({ topic: TOPIC, messages: minutes(3).map(written => messageOf(written, 0)) })
  await producer.disconnect()
  const admin = await broker.admin()
  for (const principal of ['User:millrace', 'User:CN=millrace']) {
    await allow(admin, principal, 'topic', TOPIC, ['read', 'describe'])
    await allow(admin, principal, 'group', GROUP, ['read'])
  }
  await allow(admin, 'User:stranger', 'topic', TOPIC, ['describe'])
})
after(async () => {
  await broker?.stop()
})

function guarded(kafka: Record<string, unknown>, group = GROUP) {
  const connection = kafkaConnection(configSchema.shape.kafka.parse(kafka), '.', logger)
  return sourceOf([], [TOPIC], { connection, group, until: 'latest', logger })
}

async function refused(kafka: Record<string, unknown>, expected: RegExp, group = GROUP): Promise<void> {
  await assert.rejects(readAll(guarded(kafka, group)), (error: MillraceError) => {
    assert.equal(error.code, 'KAFKA_REFUSED', error.message)
    assert.match(error.message, expected)
    return true
  })
}

const saslAs = (username: string, password: string, mechanism = 'scram-sha-256') => ({
  brokers: security.brokers.sasl,
  sasl: { mechanism, username, password },
})

test('records come over every kind of secured connection', { skip: kafkaSkip }, async () => {
  const { users, brokers, ca, client } = security
  const ways = [
    saslAs('millrace', users.millrace, 'plain'),
    saslAs('millrace', users.millrace, 'scram-sha-256'),
    { ...saslAs('millrace', users.millrace, 'scram-sha-512'), brokers: brokers['sasl-tls'], tls: { ca } },
    { brokers: brokers.mtls, tls: { ca, ...client } },
  ]
  for (const way of ways) assert.equal((await readAll(guarded(way))).length, 3)
})

test('a wrong password is refused', { skip: kafkaSkip }, async () => {
  for (const mechanism of ['plain', 'scram-sha-256', 'scram-sha-512']) {
    await refused(saslAs('millrace', 'not-the-password', mechanism), /authentication|credentials/i)
  }
})

test('a missing permission names what is missing', { skip: kafkaSkip }, async () => {
  const { users } = security
  await refused(saslAs('millrace', users.millrace), /access group/, 'another-group')
  await refused(saslAs('stranger', users.stranger), /access group/)
  await allow(await broker.admin(), 'User:stranger', 'group', GROUP, ['read'])
  await refused(saslAs('stranger', users.stranger), /access topic/)
})

test('certificates that are expired or not trusted are refused', { skip: kafkaSkip }, async () => {
  const { brokers, ca, strangeCa, expiredClient, strangeClient } = security
  await refused({ brokers: brokers.expired, tls: { ca } }, /expired/)
  await refused({ brokers: brokers.tls, tls: { ca: strangeCa } }, /certificate/)
  await refused({ brokers: brokers.mtls, tls: { ca, ...expiredClient } }, /expired/)
  await refused({ brokers: brokers.mtls, tls: { ca, ...strangeClient } }, /certificate/)
  await refused({ brokers: brokers.mtls, tls: { ca } }, /certificate/)
})

test('no secret was ever logged', { skip: kafkaSkip }, () => {
  assert.ok(said.length > 0)
  for (const secret of [...Object.values(security.users), 'not-the-password', 'PRIVATE KEY']) {
    assert.ok(!said.some(line => line.includes(secret)))
  }
})
