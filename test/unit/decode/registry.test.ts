/** Against a server of its own that misbehaves as told; test/integration/kafka-wire.test.ts is about a real registry. */
import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { registerSchema } from '../../../src/decode/register-schemas.js'
import { type RegistryOptions, SchemaRegistry } from '../../../src/decode/registry.js'
import type { RegistryState } from '../../../src/decode/registry-http.js'

type Answer = { status: number; body: unknown } | 'hang' | 'cut'
const schema = JSON.stringify({ type: 'record', name: 'R', fields: [] })
const ok = (body: object = { schema }): Answer => ({ status: 200, body })
const unknown: Answer = { status: 404, body: { error_code: 40403, message: 'Schema not found' } }
const down: Answer = { status: 503, body: 'busy' }

/** Answers are given in order, the last one for ever. A clock that moves by what is waited for. */
async function start(t: TestContext, answers: Answer[], options: Partial<RegistryOptions> = {}) {
  const requests: string[] = []
  const authorizations: (string | undefined)[] = []
  const waits: number[] = []
  const states: RegistryState[] = []
  let nowMs = 1000
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    requests.push(`${request.method} ${request.url}`)
    authorizations.push(request.headers.authorization)
    const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? 'cut'
    if (answer === 'hang') return
    if (answer === 'cut') return request.destroy()
    response.writeHead(answer.status, { 'content-type': 'application/json' })
    response.end(typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body))
  }
  const server = createServer(handle).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/`
  const registry = new SchemaRegistry({
    url,
    clock: { nowMs: () => nowMs, monotonicMs: () => nowMs },
    wait: async ms => {
      waits.push(ms)
      nowMs += ms
    },
    onState: state => states.push(state),
    ...options,
  })
  t.after(() => {
    registry.close()
    server.closeAllConnections()
    server.close()
  })
  const advance = (ms: number) => {
    nowMs += ms
  }
  return { registry, requests, authorizations, waits, states, answers, advance, url }
}

test('a schema is fetched once, also when many ask at the same time', async t => {
  const { registry, requests } = await start(t, [ok()])
  const answers = await Promise.all([registry.schema(7), registry.schema(7)])
  assert.deepEqual([...answers, await registry.schema(7)], Array(3).fill({ kind: 'known', schema }))
  assert.deepEqual(requests, ['GET /api/schemas/ids/7'])
})

test('a GUID has its own address; a registry without GUIDs does not know it', async t => {
  const { registry, requests } = await start(t, [{ status: 404, body: '' }])
  const guid = '89791762-2336-4186-9674-299b90a802e2'
  assert.equal((await registry.schema(guid)).kind, 'unknown')
  assert.deepEqual(requests, [`GET /api/schemas/guids/${guid}`])
})

test('an unknown id is an answer, remembered for a while', async t => {
  const { registry, requests, answers, advance } = await start(t, [unknown, ok()], { unknownMs: 500 })
  assert.deepEqual(await registry.schema(7), { kind: 'unknown', message: 'schema 7: 404 Schema not found' })
  assert.equal((await registry.schema(7)).kind, 'unknown')
  assert.equal(requests.length, 1)
  advance(500)
  assert.equal((await registry.schema(7)).kind, 'known')
  assert.equal(answers.length, 1)
})

test('what is not an Avro schema is an unknown one', async t => {
  const { registry } = await start(t, [ok({ schema: 'syntax = "proto3";', schemaType: 'PROTOBUF' })])
  assert.deepEqual(await registry.schema(7), {
    kind: 'unknown',
    message: 'schema 7 is not an Avro schema but PROTOBUF',
  })
})

test('a schema that refers to others comes whole, or not at all', async t => {
  const uses = (type: string) => JSON.stringify({ type: 'record', name: 'U', fields: [{ name: 'r', type }] })
  const reference = { name: 'R', subject: 'r/value', version: 2 }
  const references = [reference, reference]
  const { registry, requests } = await start(t, [
    ok({ schema: uses('R'), references }),
    ok(),
    ok({ schema: uses('R'), references }),
    unknown,
  ])
  const answer = await registry.schema(7)
  assert.deepEqual(answer.kind === 'known' && JSON.parse(answer.schema), {
    type: 'record',
    name: 'U',
    fields: [{ name: 'r', type: { type: 'record', name: 'R', namespace: '', fields: [] } }],
  })
  assert.deepEqual(requests, ['GET /api/schemas/ids/7', 'GET /api/subjects/r%2Fvalue/versions/2'])
  assert.deepEqual(await registry.schema(8), { kind: 'unknown', message: 'schema 8: it refers to r/value 2: 404' })
})

test('schemas that refer to each other without end are not followed for ever', async t => {
  let version = 0
  const references = () => Array.from({ length: 3 }, () => ({ subject: 's', version: ++version }))
  const answers = Array.from({ length: 60 }, () => ok({ schema, references: references() }))
  const { registry } = await start(t, answers)
  assert.match(JSON.stringify(await registry.schema(7)), /more than 100 others/)
})

test('outages of every kind are waited out with growing waits, and the state tells', async t => {
  const html: Answer = { status: 200, body: '<html>welcome</html>' }
  const proxy: Answer = { status: 404, body: 'default backend' }
  const faults: Answer[] = [down, { status: 429, body: {} }, html, proxy, 'cut', 'hang']
  const { registry, requests, waits, states } = await start(t, [...faults, ok()], { timeoutMs: 500 })
  assert.deepEqual(registry.state, { reachable: true, lastError: undefined, sinceMs: 1000 })
  assert.equal((await registry.schema(7)).kind, 'known')
  assert.equal(requests.length, faults.length + 1)
  assert.deepEqual(waits, [100, 200, 400, 800, 1600, 3200])
  const [lost, back] = states
  assert.equal(states.length, 2)
  assert.deepEqual([lost?.reachable, lost?.sinceMs], [false, 1000])
  assert.match(lost?.lastError ?? '', /GET http:\/\/127.0.0.1:\d+\/api\/schemas\/ids\/7: 503/)
  assert.deepEqual([back?.reachable, back?.sinceMs], [true, 1000 + 6300])
  assert.match(back?.lastError ?? '', /no answer within 500 ms/)
  assert.deepEqual(registry.state, back)
})

test('an id that is unknown right after an outage is asked for again', async t => {
  const { registry, requests, waits } = await start(t, [down, unknown, unknown, ok()])
  assert.equal((await registry.schema(7)).kind, 'known')
  assert.deepEqual([requests.length, waits], [4, [100, 500, 500]])
})

test('an id that stays unknown after an outage is believed in the end', async t => {
  const { registry, requests } = await start(t, [down, unknown])
  assert.equal((await registry.schema(7)).kind, 'unknown')
  assert.equal(requests.length, 12)
  assert.equal((await registry.schema(8)).kind, 'unknown')
  assert.equal(requests.length, 13)
})

test('waits stop growing at five seconds', async t => {
  const { registry, waits } = await start(t, [...Array<Answer>(9).fill(down), ok()])
  await registry.schema(7)
  assert.deepEqual(waits.slice(-3), [5000, 5000, 5000])
})

test('while the registry is down, known schemas go on', async t => {
  const { registry, answers } = await start(t, [ok()])
  await registry.schema(7)
  answers[0] = 'cut'
  let ended = false
  const waiting = registry.schema(8).then(
    () => {},
    () => {
      ended = true
    },
  )
  assert.equal((await registry.schema(7)).kind, 'known')
  assert.equal(ended, false)
  registry.close()
  await waiting
  assert.equal(ended, true)
})

test('a probe shows an outage before anybody needs a schema, and its end; it is one request, without waiting', async t => {
  const denied: Answer = { status: 403, body: { error_code: 40301, message: 'not for you' } }
  const proxy: Answer = { status: 404, body: 'default backend' }
  const level = ok({ compatibilityLevel: 'BACKWARD' })
  const { registry, requests, waits } = await start(t, [level, 'cut', level, proxy, denied])
  const seen: boolean[] = []
  for (let probe = 0; probe < 5; probe++) {
    await registry.http.probe()
    seen.push(registry.state.reachable)
  }
  assert.deepEqual(seen, [true, false, true, false, true])
  assert.deepEqual(requests, Array(5).fill('GET /api/config'))
  assert.deepEqual(waits, [])
  assert.match(registry.state.lastError ?? '', /GET .*\/config: 404, without an error code/)
})

test('an answer without end is cut off', async t => {
  const { registry, states } = await start(t, [{ status: 200, body: 'x'.repeat((1 << 22) + 1) }, ok()])
  assert.equal((await registry.schema(7)).kind, 'known')
  assert.match(states[0]?.lastError ?? '', /more than 4194304 bytes/)
})

test('closing ends what waits', { timeout: 30_000 }, async t => {
  const { registry } = await start(t, ['hang'], { timeoutMs: 600_000 })
  const waiting = registry.schema(7)
  registry.close()
  await assert.rejects(waiting, { name: 'AbortError' })
  await assert.rejects(registry.schema(8), { name: 'AbortError' })
})

test('a registry that refuses the user is an error at once', async t => {
  for (const status of [401, 403]) {
    const { registry, waits } = await start(t, [{ status, body: { error_code: status, message: 'Unauthorized' } }])
    await assert.rejects(registry.schema(7), { code: 'REGISTRY_FAILED', message: new RegExp(`${status} Unauthorized`) })
    assert.deepEqual(waits, [])
  }
})

test('user name and password are sent, from the options or the address, and never shown', async t => {
  const first = await start(t, [down, ok()], { username: 'ann', password: 'p:ä' })
  await first.registry.schema(7)
  assert.deepEqual(new Set(first.authorizations), new Set([`Basic ${Buffer.from('ann:p:ä').toString('base64')}`]))
  const inAddress = first.url.replace('http://', 'http://bob:s%40crt@')
  const second = new SchemaRegistry({ url: inAddress, clock: { nowMs: () => 0, monotonicMs: () => 0 } })
  await second.schema(7)
  assert.equal(first.authorizations.at(-1), `Basic ${Buffer.from('bob:s@crt').toString('base64')}`)
  assert.equal(second.http.url, first.url.replace(/\/$/, ''))
  assert.doesNotMatch(JSON.stringify([first.states, second.state]), /p:ä|s%40crt|s@crt/)
})

test('an address that is none is a fault of the configuration, told without quoting it', () => {
  const clock = { nowMs: () => 0, monotonicMs: () => 0 }
  assert.throws(
    () => new SchemaRegistry({ url: 'bob:secret@host', clock }).state,
    (error: Error & { code?: string }) => error.code === 'CONFIG_INVALID' && !error.message.includes('secret'),
  )
})

test('a schema that the subject has is only looked up', async t => {
  const { registry, requests } = await start(t, [ok({ id: 5, version: 2 })])
  assert.equal(await registerSchema(registry.http, 'a/b-value', schema), 5)
  assert.deepEqual(requests, ['POST /api/subjects/a%2Fb-value'])
})

test('registration waits for a registry that is down', async t => {
  const { registry, waits } = await start(t, [down, { status: 500, body: { error_code: 50001 } }, ok({ id: 5 })])
  assert.equal(await registerSchema(registry.http, 's', schema), 5)
  assert.deepEqual(waits, [100, 200])
})

test('a new subject becomes BACKWARD if nothing is checked in general, is checked, and is registered', async t => {
  const missing: Answer = { status: 404, body: { error_code: 40401 } }
  const answers = [missing, missing, ok({ compatibilityLevel: 'NONE' }), ok(), missing, ok({ id: 5 })]
  const { registry, requests } = await start(t, answers)
  assert.equal(await registerSchema(registry.http, 's', schema), 5)
  assert.deepEqual(requests, [
    'POST /api/subjects/s',
    'GET /api/config/s',
    'GET /api/config',
    'PUT /api/config/s',
    'POST /api/compatibility/subjects/s/versions/latest?verbose=true',
    'POST /api/subjects/s/versions',
  ])
})

test('the level of a subject or of the registry is left as it is', async t => {
  const missing: Answer = { status: 404, body: { error_code: 40401 } }
  const compatible = ok({ is_compatible: true })
  for (const level of [[ok({ compatibilityLevel: 'NONE' })], [missing, ok({ compatibilityLevel: 'FULL' })]]) {
    const { registry, requests } = await start(t, [missing, ...level, compatible, ok({ id: 5 })])
    assert.equal(await registerSchema(registry.http, 's', schema), 5)
    assert.ok(!requests.some(request => request.startsWith('PUT')))
  }
})

test('an incompatible schema is refused with subject and reason, and not registered', async t => {
  const missing: Answer = { status: 404, body: { error_code: 40403 } }
  const no = ok({ is_compatible: false, messages: ['field y has no default', 'old was removed'] })
  const { registry, requests } = await start(t, [missing, ok({ compatibilityLevel: 'FULL' }), no])
  await assert.rejects(registerSchema(registry.http, 's-value', schema), {
    code: 'REGISTRY_FAILED',
    message: /s-value.*not compatible.*: field y has no default; old was removed/,
  })
  assert.ok(!requests.some(request => request.endsWith('/versions')))
})

test('an address that is not a registry is told at registration', async t => {
  const { registry } = await start(t, [{ status: 404, body: '<html>' }])
  await assert.rejects(registerSchema(registry.http, 's', schema), {
    code: 'REGISTRY_FAILED',
    message: /subject s: 404, without an error code of a schema registry/,
  })
})
