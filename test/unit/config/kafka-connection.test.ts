import assert from 'node:assert/strict'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type KafkaLogEntry, kafkaConnection, kafkaFault } from '../../../src/config/kafka-connection.js'
import { configSchema } from '../../../src/config/schema.js'
import { MillraceError } from '../../../src/domain/errors.js'
import { type Log, silentLog } from '../../../src/observe/log.js'

const kafka = (input: object) => configSchema.shape.kafka.parse(input)

test('certificates are read from files beside the configuration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
  for (const name of ['ca', 'cert', 'key']) writeFileSync(join(folder, `${name}.pem`), name)
  const config = kafka({ tls: { ca: 'ca.pem', cert: 'cert.pem', key: 'key.pem', passphrase: 'p' } })
  const { ssl, sasl } = kafkaConnection(config, folder, silentLog)
  assert.deepEqual(ssl, { ca: ['ca'], cert: 'cert', key: 'key', passphrase: 'p' })
  assert.equal(sasl, undefined)
})

test("an empty tls section is TLS with the system's authorities, none is none", () => {
  assert.deepEqual(kafkaConnection(kafka({ tls: {} }), '.', silentLog).ssl, {})
  assert.equal(kafkaConnection(kafka({}), '.', silentLog).ssl, undefined)
})

test('a certificate that is not there is an error of the configuration', () => {
  assert.throws(
    () => kafkaConnection(kafka({ tls: { ca: 'no-such.pem' } }), '.', silentLog),
    (error: MillraceError) => error.code === 'CONFIG_INVALID' && error.message.includes('no-such.pem'),
  )
})

test("of the client's log entries only harmless fields are kept, and the noise of retries is for debugging", () => {
  const lines: [string, Record<string, unknown>, string][] = []
  const log =
    (level: string) =>
    (details: Record<string, unknown>, message: string): void =>
      void lines.push([level, details, message])
  const logger: Log = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  const write = kafkaConnection(kafka({}), '.', logger).logCreator()
  const entry = (namespace: string, more: object): KafkaLogEntry => ({
    namespace,
    level: 1,
    log: { message: 'm', ...more },
  })
  write(entry('ConsumerGroup', { topic: 't', partition: 1, password: 'secret', payload: { sasl: 'secret' } }))
  write(entry('Connection', { broker: 'b', error: new Error('refused') }))
  assert.deepEqual(lines, [
    ['warn', { kafka: 'ConsumerGroup', topic: 't', partition: 1 }, 'm'],
    ['debug', { kafka: 'Connection', broker: 'b', error: 'refused' }, 'm'],
  ])
})

test('errors of the client are told apart by their causes', () => {
  const caused = (cause: object) => Object.assign(new Error('retries exceeded'), { cause })
  const protocol = (type: string) => Object.assign(new Error('said the broker'), { name: 'KafkaJSProtocolError', type })
  const cases: [unknown, string][] = [
    [caused(protocol('TOPIC_AUTHORIZATION_FAILED')), 'KAFKA_REFUSED'],
    [caused(protocol('SASL_AUTHENTICATION_FAILED')), 'KAFKA_REFUSED'],
    [Object.assign(new Error('wrong'), { name: 'KafkaJSSASLAuthenticationError' }), 'KAFKA_REFUSED'],
    [caused(Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' })), 'KAFKA_REFUSED'],
    [new Error('ssl3_read_bytes: SSL alert number 46\n'), 'KAFKA_REFUSED'],
    [protocol('INVALID_PRODUCER_EPOCH'), 'KAFKA_FENCED'],
    [Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }), 'KAFKA_UNREACHABLE'],
    ['not even an error', 'KAFKA_UNREACHABLE'],
    [new MillraceError('KAFKA_TOPIC', 'ours'), 'KAFKA_TOPIC'],
  ]
  for (const [error, code] of cases) assert.equal(kafkaFault(error, 'testing').code, code)
  assert.match(kafkaFault(new Error('SSL alert number 116'), 'testing').message, /certificate.*there is none/)
})
