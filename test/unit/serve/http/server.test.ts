import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { after, test } from 'node:test'
import { z } from 'zod'
import { type Config, configSchema } from '../../../../src/config/schema.js'
import type { Log } from '../../../../src/observe/log.js'
import type { HttpApp, HttpPlugin } from '../../../../src/serve/http/plugin.js'
import { HttpProblem } from '../../../../src/serve/http/problem.js'
import { createHttpApp, serveHttp } from '../../../../src/serve/http/server.js'
import { smallConfig } from '../../../helpers/small-config.js'

const hash = (key: string) => createHash('sha256').update(key).digest('hex')

interface Line {
  level: string
  details: Record<string, unknown>
}

/** Remembers what was logged. */
function recordingLog(): { log: Log; lines: Line[] } {
  const lines: Line[] = []
  const at = (level: string) => (details: Record<string, unknown>) => void lines.push({ level, details })
  return { log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, lines }
}

const routes: HttpPlugin = async app => {
  app.get('/v1/users/:user', { schema: { params: z.object({ user: z.string() }) } }, async request => {
    if (request.params.user === 'nobody') throw new HttpProblem(404, 'there is no such user')
    if (request.params.user === 'trouble') throw new Error('secret inner trouble')
    return { user: request.params.user }
  })
  app.post(
    '/v1/score',
    {
      config: { scope: 'read' },
      schema: {
        summary: 'Scores',
        body: z.object({ user: z.string(), items: z.array(z.string()).max(3) }),
        response: { 200: z.object({ count: z.int() }) },
      },
    },
    async request => ({ count: request.body.items.length }),
  )
  app.post('/v1/reset', {}, async () => ({ done: true }))
  app.get('/page', { config: { scope: 'public' }, schema: { hide: true } }, async () => 'page')
}

const httpConfig = (changes: Partial<Config['http']> = {}): Config['http'] => ({
  ...configSchema.parse(smallConfig).http,
  ...changes,
})

async function appOf(
  changes: Partial<Config['http']> = {},
): Promise<{ app: HttpApp; lines: Line[]; wait(ms: number): void }> {
  const { log, lines } = recordingLog()
  let nowMs = 0
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs }
  const http = httpConfig(changes)
  const app = await createHttpApp({ http, folder: '.', version: '1.2.3', logger: log, clock, plugins: [routes] })
  after(() => app.close())
  const wait = (ms: number) => {
    nowMs += ms
  }
  return { app, lines, wait }
}

const json = { 'content-type': 'application/json' }

test('what is not as the schema says is answered with a problem that names the field', async () => {
  const { app } = await appOf()
  const payload = { user: 7, items: ['a'] }
  const answer = await app.inject({ method: 'POST', url: '/v1/score', payload })
  assert.equal(answer.statusCode, 400)
  assert.equal(answer.headers['content-type'], 'application/problem+json')
  assert.deepEqual(answer.json(), {
    type: 'about:blank',
    title: 'Bad Request',
    status: 400,
    detail: 'the body is not what the schema says',
    errors: [{ path: '/user', message: 'expected string, received number' }],
  })
  const good = await app.inject({ method: 'POST', url: '/v1/score', payload: { user: 'ada', items: ['a', 'b'] } })
  assert.deepEqual(good.json(), { count: 2 })
})

test('every other error is a problem too, and none tells of what is inside', async () => {
  const { app, lines } = await appOf({ maxBodyBytes: 1024 })
  const post = (payload: string, headers = json) => app.inject({ method: 'POST', url: '/v1/score', payload, headers })
  const answers = [
    { status: 404, answer: await app.inject('/v1/nothing') },
    { status: 404, answer: await app.inject('/v1/users/nobody') },
    { status: 500, answer: await app.inject('/v1/users/trouble') },
    { status: 400, answer: await post('{"user":') },
    { status: 413, answer: await post(JSON.stringify({ user: 'x'.repeat(2000), items: [] })) },
    { status: 415, answer: await post('user=ada', { 'content-type': 'text/plain' }) },
    { status: 400, answer: await app.inject('/v1/users/%zz') },
  ]
  for (const { status, answer } of answers) {
    assert.equal(answer.statusCode, status, answer.body)
    assert.equal(answer.headers['content-type'], 'application/problem+json')
    assert.equal(answer.json().status, status)
    assert.doesNotMatch(answer.body, /secret|\.[tj]s:|node_modules/)
  }
  const [failure] = lines.filter(({ level }) => level === 'error')
  assert.equal(failure?.details.error, 'secret inner trouble')
})

test('bytes that are not HTTP get a problem and the door', async () => {
  const { log } = recordingLog()
  const clock = { nowMs: () => 0, monotonicMs: () => 0 }
  const http = httpConfig({ port: 0 })
  const server = await serveHttp({ http, folder: '.', version: '1', logger: log, clock, plugins: [] })
  const { port, hostname } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  let answer = ''
  socket.setEncoding('utf8').on('data', text => {
    answer += text
  })
  socket.write('GARBAGE\r\n\r\n')
  await new Promise(resolve => socket.once('close', resolve))
  await server.close()
  assert.match(answer, /^HTTP\/1\.1 400 [\s\S]*application\/problem\+json[\s\S]*"status":400/)
})

test('no line of the log holds an id', async () => {
  const { app, lines } = await appOf()
  await app.inject('/v1/users/ada-lovelace')
  await app.inject('/v1/users/trouble')
  assert.deepEqual(lines.at(0)?.details, { route: 'GET /v1/users/:user', status: 200, ms: lines.at(0)?.details.ms })
  assert.doesNotMatch(JSON.stringify(lines), /ada-lovelace|users\/trouble/)
})

test('a page from elsewhere can neither ask, nor pretend that this machine has its name', async () => {
  const { app } = await appOf()
  const ask = (headers: Record<string, string>, url = '/v1/users/ada') => app.inject({ url, headers })
  assert.equal((await ask({ host: 'localhost:8470' })).statusCode, 200)
  assert.equal((await ask({ host: '127.0.0.1:8470', 'sec-fetch-site': 'same-origin' })).statusCode, 200)
  assert.equal((await ask({ host: '[::1]:8470', 'sec-fetch-site': 'none' })).statusCode, 200)
  assert.equal((await ask({ host: 'evil.example:8470' })).statusCode, 403)
  assert.equal((await ask({ host: 'localhost', 'sec-fetch-site': 'cross-site' })).statusCode, 403)
  assert.equal((await ask({ host: 'localhost', 'sec-fetch-site': 'cross-site' }, '/page')).statusCode, 200)
  const { headers } = await ask({ host: 'localhost', origin: 'https://evil.example' })
  assert.ok(!('access-control-allow-origin' in headers))
})

test('with keys, a route needs its scope; without a declared one, reading and changing differ', async () => {
  const keys = [`read:${hash('reader')}`, `admin:${hash('chief')}`]
  const { app } = await appOf({ keys, host: '0.0.0.0' })
  const ask = async (key: string | undefined, method: 'GET' | 'POST', url: string) => {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` }
    const payload = method === 'POST' ? { user: 'ada', items: [] } : undefined
    return (await app.inject({ method, url, headers, ...(payload && { payload }) })).statusCode
  }
  assert.equal(await ask(undefined, 'GET', '/v1/users/ada'), 401)
  assert.equal(await ask('guess', 'GET', '/v1/users/ada'), 401)
  assert.equal(await ask(hash('reader'), 'GET', '/v1/users/ada'), 401)
  assert.equal(await ask('reader', 'GET', '/v1/users/ada'), 200)
  assert.equal(await ask('reader', 'POST', '/v1/score'), 200)
  assert.equal(await ask('reader', 'POST', '/v1/reset'), 403)
  assert.equal(await ask('chief', 'POST', '/v1/reset'), 200)
  assert.equal(await ask(undefined, 'GET', '/page'), 200)
})

test('a client that asks too often is told when there is room again; others are not held up', async () => {
  const { app, wait } = await appOf({ rate: 2 })
  const ask = (remoteAddress: string) => app.inject({ url: '/v1/users/ada', remoteAddress })
  assert.equal((await ask('127.0.0.1')).statusCode, 200)
  assert.equal((await ask('127.0.0.1')).statusCode, 200)
  const refused = await ask('127.0.0.1')
  assert.equal(refused.statusCode, 429)
  assert.equal(refused.headers['retry-after'], '1')
  assert.equal((await ask('127.0.0.2')).statusCode, 200)
  wait(500)
  assert.equal((await ask('127.0.0.1')).statusCode, 200)
  assert.equal((await ask('127.0.0.1')).statusCode, 429)
})

test('every answer forbids to be framed, sniffed, cached or given scripts', async () => {
  const { app } = await appOf()
  for (const url of ['/v1/users/ada', '/v1/nothing', '/v1/users/trouble']) {
    const { headers } = await app.inject(url)
    assert.equal(headers['content-security-policy'], "default-src 'none'; frame-ancestors 'none'")
    assert.equal(headers['x-content-type-options'], 'nosniff')
    assert.equal(headers['cache-control'], 'no-store')
  }
})

test('the OpenAPI document is of the schemas, with one shape for all problems', async () => {
  const { app } = await appOf({ keys: [`read:${hash('reader')}`] })
  const answer = await app.inject('/openapi.json')
  assert.equal(answer.statusCode, 200)
  const document = answer.json()
  assert.equal(document.openapi, '3.1.0')
  assert.equal(document.info.version, '1.2.3')
  assert.deepEqual(Object.keys(document.paths).sort(), ['/v1/reset', '/v1/score', '/v1/users/{user}'])
  const { post } = document.paths['/v1/score']
  assert.equal(post.requestBody.content['application/json'].schema.properties.items.maxItems, 3)
  assert.equal(post.responses['200'].content['application/json'].schema.properties.count.type, 'integer')
  assert.deepEqual(post.responses.default, { $ref: '#/components/responses/Problem' })
  assert.deepEqual(post.security, [{ key: [] }])
  const problem = document.components.responses.Problem.content['application/problem+json'].schema
  assert.deepEqual(problem.required, ['type', 'title', 'status'])
})
