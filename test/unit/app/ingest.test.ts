/** Events posted over HTTP, up to the log folder and back through the reader of the log. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { type EventStore, openLogStore } from '../../../src/app/event-store.js'
import { Ingest } from '../../../src/app/ingest.js'
import type { LoadedConfig } from '../../../src/config/load.js'
import { type ConfigInput, configSchema } from '../../../src/config/schema.js'
import { createDecoderFactory } from '../../../src/decode/record-decoder.js'
import { MillraceError } from '../../../src/domain/errors.js'
import { silentLog } from '../../../src/observe/log.js'
import { createEventRoutes } from '../../../src/serve/http/event-routes.js'
import { createHttpApp } from '../../../src/serve/http/server.js'
import { createLogWriter } from '../../../src/sink/log-writer.js'
import { AvroFileSource } from '../../../src/source/avro-file.js'
import type { SourceRecord } from '../../../src/source/source.js'
import { smallConfig } from '../../helpers/small-config.js'

const NOW_MS = 1_760_000_000_000
const clock = { nowMs: () => NOW_MS, monotonicMs: () => 0 }
const limits = { maxDecodeBytes: 1 << 20, maxIdBytes: 512 }

function emptyLog(...partitions: string[]): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-ingest-'))
  after(() => rmSync(path, { recursive: true, force: true }))
  for (const name of partitions) mkdirSync(join(path, name))
  return path
}

async function served(store: EventStore | undefined, http: ConfigInput['http'] = {}) {
  const config = configSchema.parse({ ...smallConfig, http: { ingest: true, ...http } })
  const loaded = { config, folder: '.', file: 'millrace.yaml', hash: '' } as unknown as LoadedConfig
  const ingest = new Ingest(loaded, silentLog, clock)
  if (store !== undefined) ingest.begin(store)
  const app = await createHttpApp({
    http: config.http,
    folder: '.',
    version: '1.2.3',
    logger: silentLog,
    clock,
    plugins: [createEventRoutes(ingest)],
  })
  after(() => app.close().then(() => ingest.close()))
  const post = async (body: unknown, headers: Record<string, string> = { 'content-type': 'application/json' }) => {
    const payload = typeof body === 'string' ? body : JSON.stringify(body)
    const answer = await app.inject({ method: 'POST', url: '/v1/events', payload, headers })
    return { ...answer.json(), status: answer.statusCode, contentType: answer.headers['content-type'] }
  }
  const erase = async (url: string, headers: Record<string, string> = {}) => {
    const answer = await app.inject({ method: 'DELETE', url, headers })
    return { ...answer.json(), status: answer.statusCode, contentType: answer.headers['content-type'] }
  }
  return { post, erase, ingest }
}

async function read(path: string): Promise<SourceRecord[]> {
  const source = new AvroFileSource({ path, decoderFor: createDecoderFactory(limits) })
  await source.open([])
  const records: SourceRecord[] = []
  for (let batch = await source.next(); batch !== undefined; batch = await source.next()) records.push(...batch)
  await source.close()
  return records
}

const eventsOf = (records: readonly SourceRecord[]) =>
  records.map(({ outcome }) => (outcome.kind === 'ok' ? outcome.value : outcome))
const idsOf = (records: readonly SourceRecord[]) =>
  records.map(({ outcome }) => (outcome.kind === 'ok' ? outcome.value.eventId : outcome.kind))

const click = (eventId: string, changes: Record<string, unknown> = {}) => ({
  type: 'click',
  eventId,
  eventTime: NOW_MS,
  user: 'ada',
  item: 'shoe',
  ...changes,
})

test('events of every type come out of the log as they were posted, ids beyond 2^53 exact', async () => {
  const path = emptyLog('p00')
  const { post } = await served(await openLogStore(path))
  const big = '9007199254740993'
  const pair = { user: big, item: 'shoe' }
  const posted = [
    { type: 'item', eventId: 'a', eventTime: 1, id: 'shoe', title: 'Red shoe', category: 'shoes', price: 9.5 },
    {
      type: 'user',
      eventId: 'b',
      eventTime: 2,
      id: big,
      attributes: { segment: ['x', 'y'] },
      numbers: { age: 30 },
      embeddings: { face: [0.5, 1] },
    },
    { type: 'impression', eventId: 'c', eventTime: 3, ...pair, requestId: 'r', position: 2, context: { page: 'home' } },
    { type: 'click', eventId: 'd', eventTime: 4, ...pair, requestId: 'r' },
    { type: 'buy', eventId: 'e', eventTime: 5, ...pair },
    { type: 'rating', eventId: 'f', eventTime: 6, ...pair, value: 4.5 },
    { type: 'score-request', eventId: 'g', user: big, requestId: 'q', candidates: ['shoe'] },
  ]
  const { status, accepted } = await post(posted)
  assert.deepEqual([status, accepted], [202, 7])
  const interaction = { ...pair, requestId: null, context: null }
  assert.deepEqual(eventsOf(await read(path)), [
    {
      kind: 'item',
      eventId: 'a',
      eventTimeMs: 1,
      id: 'shoe',
      attributes: { title: ['red', 'shoe'], category: ['shoes'] },
      numbers: { price: 9.5 },
      embedding: null,
    },
    {
      kind: 'user',
      eventId: 'b',
      eventTimeMs: 2,
      id: big,
      attributes: { segment: ['x', 'y'] },
      numbers: { age: 30 },
      embedding: null,
      embeddings: { face: [0.5, 1] },
    },
    {
      kind: 'impression',
      eventId: 'c',
      eventTimeMs: 3,
      ...interaction,
      requestId: 'r',
      position: 2,
      context: { page: 'home' },
    },
    { kind: 'click', eventId: 'd', eventTimeMs: 4, ...interaction, requestId: 'r', value: 1 },
    { kind: 'buy', eventId: 'e', eventTimeMs: 5, ...interaction, value: 1 },
    { kind: 'rating', eventId: 'f', eventTimeMs: 6, ...interaction, value: 4.5 },
    {
      kind: 'score-request',
      eventId: 'g',
      eventTimeMs: NOW_MS,
      requestId: 'q',
      user: big,
      candidates: ['shoe'],
      context: null,
    },
  ])
})

test('what can not be learned from is refused as a whole, by index and field, and leaves the log as it was', async () => {
  const path = emptyLog('p00')
  const { post } = await served(await openLogStore(path))
  const faulty: [string, unknown, number, RegExp][] = [
    [
      'a field of the second event',
      [click('a'), click('b', { user: 7 })],
      400,
      /"path":"\/1\/user","message":"expected/,
    ],
    ['one event', click('a', { item: '' }), 400, /"path":"\/item"/],
    [
      'a long that would be rounded',
      `[{"type":"click","eventId":"a","user":9007199254740993,"item":"i"}]`,
      400,
      /\/0\/user/,
    ],
    ['a time that would be rounded', click('a', { eventTime: 2 ** 53 + 2 }), 400, /\/eventTime/],
    ['no such type', [{ ...click('a'), type: 'view' }], 400, /\/0\/type/],
    ['a name that is misspelt', click('a', { requestID: 'r' }), 400, /requestID/],
    ['not a number', '{"type":"rating","eventId":"a","user":"u","item":"i","value":NaN}', 400, /JSON/],
    ['beyond all numbers', '{"type":"rating","eventId":"a","user":"u","item":"i","value":1e999}', 400, /\/value/],
    ['beyond a float', { type: 'user', eventId: 'a', id: 'u', embedding: [1e300] }, 400, /embedding.*not finite/],
    ['outside the range of a task', [click('a'), { ...click('b'), type: 'rating', value: 40 }], 400, /"\/1".*\[1, 5\]/],
    [
      'far ahead',
      [click('a', { eventTime: NOW_MS + 7_200_000 })],
      400,
      /"\/0","message":"eventTime is 7200000 ms ahead/,
    ],
    ['an id that is too long', click('a', { user: 'é'.repeat(300) }), 400, /user is longer than 512 bytes/],
    ['half a character', String.raw`{"type":"click","eventId":"a","user":"\ud800","item":"i"}`, 400, /not valid UTF-8/],
    ['none', [], 400, /Too small|>=1/],
    ['too many', Array.from({ length: 1001 }, (_, index) => click(`${index}`)), 400, /1000/],
    ['truncated', '[{"type":"click","eventId":"a"', 400, /JSON/],
    ['no object', '"click"', 400, /expected object/],
  ]
  for (const [what, body, status, fault] of faulty) {
    const answer = await post(body)
    assert.equal(answer.status, status, what)
    assert.match(JSON.stringify(answer), fault, what)
    assert.equal(answer.contentType, 'application/problem+json', what)
  }
  assert.equal((await post(JSON.stringify(click('a')), { 'content-type': 'text/plain' })).status, 415)
  assert.equal((await post(`{"pad":"${'x'.repeat(1 << 20)}"}`)).status, 413)
  assert.deepEqual(readdirSync(join(path, 'p00')), [])
  assert.equal((await post(click('a', { eventTime: NOW_MS + 1000 }))).status, 202)
})

test('requests at the same time are all in the log, each in its own order, and users stay in their partitions', async () => {
  const path = emptyLog('p00', 'p01')
  const { post } = await served(await openLogStore(path))
  const requests = Array.from({ length: 60 }, (_, request) =>
    [0, 1, 2].map(index => click(`${request}-${index}`, { user: `u${request % 7}`, eventTime: request * 10 + index })),
  )
  const answers = await Promise.all(requests.map(request => post(request)))
  assert.ok(answers.every(({ status }) => status === 202))
  const records = await read(path)
  assert.deepEqual(
    idsOf(records).sort(),
    requests
      .flat()
      .map(({ eventId }) => eventId)
      .sort(),
  )
  const places = new Map<string, Set<number>>()
  for (const { partition, outcome } of records) {
    if (outcome.kind !== 'ok' || !('user' in outcome.value)) continue
    const { user } = outcome.value
    places.set(user, (places.get(user) ?? new Set()).add(partition))
  }
  assert.ok([...places.values()].every(({ size }) => size === 1))
  assert.equal(new Set([...places.values()].flatMap(one => [...one])).size, 2)
})

test('a log that was written before goes on where it ended, torn block or not', async () => {
  const path = emptyLog()
  const writer = createLogWriter({ path, partitions: 1 })
  for (const eventId of ['a', 'b', 'c']) writer.write(0, 'click', { eventId, eventTime: 1, user: 'u', item: 'i' })
  writer.close()
  const first = await openLogStore(path)
  const { post } = await served(first)
  await post([click('d'), click('e')])
  await first.close()
  const files = readdirSync(join(path, 'p00')).sort()
  assert.deepEqual(files, ['00000000000000000000.avro', '00000000000000000003.avro'])

  // What a process leaves behind that was killed while it wrote: two records' block, not all of it.
  appendFileSync(join(path, 'p00', files[1] as string), Buffer.from([4, 200, 1, 1, 2, 3]))
  const { post: again } = await served(await openLogStore(path))
  await again(click('f'))
  const records = await read(path)
  assert.deepEqual(idsOf(records), ['a', 'b', 'c', 'd', 'e', 'reject', 'f'])
  assert.deepEqual(
    records.map(({ offset }) => offset),
    [0n, 1n, 2n, 3n, 4n, 5n, 7n],
    'the torn block says that it has two records',
  )
})

test('an empty segment that a killed process has left is used', async () => {
  const path = emptyLog('p00')
  writeFileSync(join(path, 'p00', '00000000000000000000.avro'), '')
  const { post } = await served(await openLogStore(path))
  assert.equal((await post(click('a'))).status, 202)
  assert.deepEqual(idsOf(await read(path)), ['a'])
  assert.equal(readdirSync(join(path, 'p00')).length, 1)
})

test('of two processes that take events for one log the younger may, and the older says so for good', async () => {
  const path = emptyLog('p00')
  const older = await served(await openLogStore(path))
  assert.equal((await older.post(click('a'))).status, 202)
  const younger = await served(await openLogStore(path))
  const { status, detail } = await older.post(click('b'))
  assert.deepEqual([status, detail], [409, 'another process writes to the log: post events to that one, or stop it'])
  assert.equal((await younger.post(click('c'))).status, 202)
  assert.equal((await older.post(click('d'))).status, 409)
  assert.deepEqual(idsOf(await read(path)), ['a', 'c'])
})

for (const [what, intrude] of [
  ['adds to a segment', (folder: string) => appendFileSync(join(folder, '00000000000000000000.avro'), 'more')],
  ['adds a segment', (folder: string) => writeFileSync(join(folder, '00000000000000000002.avro'), '')],
] as const) {
  test(`a writer that knows nothing of others and ${what} is noticed, and nothing is accepted from then on`, async () => {
    const path = emptyLog('p00')
    const { post } = await served(await openLogStore(path))
    assert.equal((await post(click('a'))).status, 202)
    intrude(join(path, 'p00'))
    assert.equal((await post(click('b'))).status, 409)
    assert.equal((await post(click('c'))).status, 409)
    assert.ok(!idsOf(await read(path)).includes('c'))
  })
}

test('a disk that takes nothing is said, and taking goes on when there is room again', async () => {
  const path = emptyLog('p00')
  const real = await openLogStore(path)
  let failure: MillraceError | undefined
  const { post } = await served({
    append: events => (failure === undefined ? real.append(events) : Promise.reject(failure)),
    close: () => real.close(),
  })
  failure = new MillraceError('DISK_FULL', 'no space left')
  assert.equal((await post(click('a'))).status, 507)
  failure = new MillraceError('OUTPUT_FAILED', 'input/output error')
  assert.equal((await post(click('a'))).status, 503)
  failure = undefined
  assert.equal((await post(click('a'))).status, 202)
})

test('events are taken only where that is configured, and only when the log is there', async () => {
  const off = await served(undefined, { ingest: false })
  const { status, detail } = await off.post(click('a'))
  assert.deepEqual(
    [status, detail],
    [403, 'events are not taken over HTTP here; http.ingest in the configuration turns it on'],
  )
  const early = await served(undefined)
  assert.equal((await early.post(click('a'))).status, 503)
})

test('the wish to erase a user is an event of the log, in the partition of the user', async () => {
  const path = emptyLog('p00', 'p01')
  const { post, erase } = await served(await openLogStore(path))
  const long = `${'é'.repeat(200)}/x`
  for (const user of ['ada', 'bob', long]) {
    assert.equal((await post(click(`c-${user}`, { user }))).status, 202)
    const { status, eventId } = await erase(
      `/v1/users/${encodeURIComponent(user)}?eventId=${encodeURIComponent(`x-${user}`)}`,
    )
    assert.deepEqual([status, eventId], [202, `x-${user}`])
  }
  const records = await read(path)
  for (const user of ['ada', 'bob', long]) {
    const own = records.filter(
      ({ outcome }) => outcome.kind === 'ok' && 'user' in outcome.value && outcome.value.user === user,
    )
    assert.deepEqual(idsOf(own), [`c-${user}`, `x-${user}`])
    assert.equal(new Set(own.map(({ partition }) => partition)).size, 1)
    assert.deepEqual(eventsOf(own).at(-1), { kind: 'erase', eventId: `x-${user}`, eventTimeMs: NOW_MS, user })
  }
  const unnamed = await Promise.all([erase('/v1/users/ada'), erase('/v1/users/ada')])
  assert.ok(unnamed.every(({ status, eventId }) => status === 202 && eventId.length > 10))
  assert.notEqual(unnamed[0]?.eventId, unnamed[1]?.eventId)
})

test('erasing needs the scope admin, and a log: it can not be posted as an event, and is refused where events are', async () => {
  const key = (scope: string) => `${scope}:${createHash('sha256').update(scope).digest('hex')}`
  const { post, erase } = await served(await openLogStore(emptyLog('p00')), { keys: ['write', 'admin'].map(key) })
  const as = (scope: string) => ({ authorization: `Bearer ${scope}`, 'content-type': 'application/json' })
  const { status, contentType } = await erase('/v1/users/ada', { authorization: 'Bearer write' })
  assert.deepEqual([status, contentType], [403, 'application/problem+json'])
  assert.equal((await post({ type: 'erase', eventId: 'x', user: 'ada' }, as('write'))).status, 400)
  assert.equal((await post({ type: 'erase', eventId: 'x', user: 'ada' }, as('admin'))).status, 400)
  assert.equal((await erase('/v1/users/ada', { authorization: 'Bearer admin' })).status, 202)

  const open = await served(await openLogStore(emptyLog('p00')))
  const long = await open.erase(`/v1/users/${'x'.repeat(600)}`)
  assert.deepEqual([long.status, long.detail], [400, 'user is longer than 512 bytes'])
  const off = await served(undefined, { ingest: false })
  assert.deepEqual(
    [(await off.erase('/v1/users/ada')).status, (await off.erase('/v1/users/ada')).detail],
    [403, 'events are not taken over HTTP here; http.ingest in the configuration turns it on'],
  )
})

test('what became of posts is counted by events, also of those that no one looked into', async () => {
  const { post, erase, ingest } = await served(await openLogStore(emptyLog('p00')))
  await post([click('a'), click('b')])
  await post(click('a'))
  await erase('/v1/users/ada')
  assert.deepEqual(ingest.counts, { accepted: 4, faulty: 0, refused: 0 })
  await post([click('c'), click('d', { item: undefined }), click('e')])
  await post('{"type":')
  assert.deepEqual(ingest.counts, { accepted: 4, faulty: 4, refused: 0 })
  await post('a click', { 'content-type': 'text/plain' })
  ingest.refuse('the log ends')
  await post([click('f'), click('g')])
  assert.deepEqual(ingest.counts, { accepted: 4, faulty: 4, refused: 3 })
})
