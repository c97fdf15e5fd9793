import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError } from '../../../src/domain/errors.js'
import { silentLog } from '../../../src/observe/log.js'
import { kafkaFault, UnacknowledgedError } from '../../../src/sink/kafka-faults.js'
import { createRetry } from '../../../src/sink/kafka-retry.js'

/** As kafkajs makes them. */
const protocolError = (type: string, retriable = true) =>
  Object.assign(new Error(`message of ${type}`), { name: 'KafkaJSProtocolError', type, retriable })
const named = (name: string, message = name) => Object.assign(new Error(message), { name })
const wrapped = (cause: Error) =>
  Object.assign(new Error(cause.message, { cause }), { name: 'KafkaJSNumberOfRetriesExceeded', retriable: false })

function harness() {
  let nowMs = 0
  const ending = new AbortController()
  const warnings: string[] = []
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }
  const log = { ...silentLog, warn: (_: unknown, message: string) => void warnings.push(message) }
  const retry = createRetry({ logger: log, clock, signal: ending.signal })
  return { retry, warnings, ending, pass: (ms: number) => (nowMs += ms) }
}

/** Fails with these, one after the other, then succeeds. */
function failing(...errors: Error[]) {
  let attempts = 0
  return Object.assign(
    async () => {
      const error = errors[attempts++]
      if (error !== undefined) throw error
      return attempts
    },
    { attempts: () => attempts },
  )
}

test('what passes is tried again, and said', async () => {
  const { retry, warnings } = harness()
  const attempt = failing(new UnacknowledgedError(['a/1']), wrapped(named('KafkaJSConnectionClosedError', 'closed')))
  assert.equal(await retry('committing', attempt), 3)
  assert.deepEqual(warnings, [
    'committing: not acknowledged: a/1; it is tried again, nothing is lost',
    'committing: closed; it is tried again, nothing is lost',
  ])
})

test('a transaction that is still being finished is waited for without a word', async () => {
  const { retry, warnings } = harness()
  const busy = protocolError('CONCURRENT_TRANSACTIONS')
  assert.equal(await retry('committing', failing(busy, wrapped(busy), busy)), 4)
  assert.deepEqual(warnings, [])
})

test('one that is not finished after ten seconds is spoken of, and again ever more seldom', async () => {
  const { retry, warnings, pass } = harness()
  let attempts = 0
  const attempt = async () => {
    pass(5000)
    if (attempts++ < 9) throw protocolError('CONCURRENT_TRANSACTIONS')
  }
  await retry('committing', attempt)
  const warning = 'committing: the brokers have not finished an earlier transaction yet'
  assert.deepEqual(warnings, [warning, warning, warning])
})

const finals: [error: Error, code: string][] = [
  [protocolError('TOPIC_AUTHORIZATION_FAILED', false), 'KAFKA_REFUSED'],
  [protocolError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', false), 'KAFKA_REFUSED'],
  [named('KafkaJSSASLAuthenticationError'), 'KAFKA_REFUSED'],
  [wrapped(named('KafkaJSConnectionError', 'Connection error: certificate has expired')), 'KAFKA_REFUSED'],
  [protocolError('MESSAGE_TOO_LARGE', false), 'KAFKA_TOO_LARGE'],
  [protocolError('INVALID_RECORD', false), 'KAFKA_TOPIC'],
  [protocolError('INVALID_PRODUCER_EPOCH', false), 'KAFKA_FENCED'],
  [named('KafkaJSProtocolError', 'Unknown error code 90'), 'KAFKA_FENCED'],
  [new TypeError('x is not a function'), 'INTERNAL'],
  [new MillraceError('REGISTRY_FAILED', 'no'), 'REGISTRY_FAILED'],
]
for (const [error, code] of finals) {
  test(`'${error.message}' is not tried again: ${code}`, async () => {
    const { retry } = harness()
    const attempt = failing(error)
    await assert.rejects(retry('committing', attempt), { code })
    assert.equal(attempt.attempts(), 1)
  })
}

test('what should pass soon is given up when it does not', async () => {
  const { retry, pass } = harness()
  let attempts = 0
  const lasting = async () => {
    attempts++
    pass(25_000)
    throw protocolError('UNKNOWN_TOPIC_OR_PARTITION')
  }
  await assert.rejects(retry('committing', lasting), { code: 'KAFKA_TOPIC' })
  assert.equal(attempts, 4)
})

test('brokers that are gone are waited for without end, until the instance ends', async () => {
  const { retry, ending, pass } = harness()
  let attempts = 0
  const gone = async () => {
    pass(3_600_000)
    if (++attempts === 3) ending.abort()
    throw named('KafkaJSConnectionError', 'ECONNREFUSED')
  }
  await assert.rejects(retry('committing', gone), { code: 'KAFKA_UNREACHABLE' })
  assert.equal(attempts, 3)
})

test('waiting ends at once when the instance does', async () => {
  const { retry, ending } = harness()
  const waiting = retry('committing', async () => {
    setImmediate(() => ending.abort())
    throw named('KafkaJSConnectionError', 'ECONNREFUSED')
  })
  await assert.rejects(waiting, { code: 'KAFKA_UNREACHABLE', message: /this instance ends/ })
})

test('a fault says whether any broker answers', () => {
  const fault = kafkaFault(wrapped(named('KafkaJSConnectionError', 'ECONNREFUSED')), 'committing')
  assert.ok(fault.kind === 'passing' && fault.unreachable)
  const other = kafkaFault(protocolError('NOT_ENOUGH_REPLICAS'), 'committing')
  assert.ok(other.kind === 'passing' && !other.unreachable)
})
