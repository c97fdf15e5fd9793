import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Check, createHealth } from '../../../src/observe/health.js'
import { Metrics } from '../../../src/observe/metrics.js'
import { type ObserveServer, serveObserved } from '../../../src/observe/server.js'

const HOST = '127.0.0.1'

async function serve(t: { after(close: () => Promise<void>): void }, checks: Record<string, () => Check>) {
  const health = createHealth()
  for (const [name, check] of Object.entries(checks)) health.ready.set(name, check)
  const server = await serveObserved({ host: HOST, port: 0 }, health, new Metrics())
  t.after(() => server.close())
  return server
}

async function ask({ url }: ObserveServer, path: string, method = 'GET') {
  const response = await fetch(url + path, { method })
  return { status: response.status, text: await response.text(), type: response.headers.get('content-type') }
}

test('a check that fails makes it 503 and says which; a warning is shown and changes nothing', async t => {
  let broker: Check = { status: 'ok', text: 'answers' }
  const server = await serve(t, {
    broker: () => broker,
    registry: () => ({ status: 'warn', text: 'no answer' }),
  })
  const plain = 'text/plain; charset=utf-8'
  assert.deepEqual(await ask(server, '/readyz'), { status: 200, text: 'ok\n', type: plain })
  const verbose = '[+]broker: answers\n[!]registry: no answer\nreadyz check passed\n'
  assert.deepEqual(await ask(server, '/readyz?verbose'), { status: 200, text: verbose, type: plain })
  broker = { status: 'fail', text: 'silent' }
  assert.deepEqual(await ask(server, '/readyz'), {
    status: 503,
    text: '[-]broker: silent\nreadyz check failed\n',
    type: plain,
  })
  assert.equal((await ask(server, '/livez')).status, 200)
})

test('a check that throws has failed', async t => {
  const server = await serve(t, {
    disk: () => {
      throw new Error('gone')
    },
  })
  const { status, text } = await ask(server, '/readyz')
  assert.equal(status, 503)
  assert.match(text, /^\[-\]disk: gone$/m)
})

test('metrics have the content type that Prometheus asks for; nothing can be changed, nothing else is there', async t => {
  const server = await serve(t, {})
  const metrics = await ask(server, '/metrics')
  assert.equal(metrics.type, 'text/plain; version=0.0.4; charset=utf-8')
  assert.equal((await ask(server, '/metrics', 'POST')).status, 405)
  assert.equal((await ask(server, '/metrics', 'HEAD')).text, '')
  assert.equal((await ask(server, '/')).status, 404)
  assert.equal((await ask(server, '//')).status, 404)
})

test('a port that was asked for and is taken is an error; the usual one is another', async t => {
  const first = await serve(t, {})
  const port = Number(new URL(first.url).port)
  const again = { host: HOST, port }
  await assert.rejects(serveObserved(again, createHealth(), new Metrics()), {
    code: 'PORT_REFUSED',
    message: new RegExp(`^${HOST}:${port}: .*EADDRINUSE`),
  })
  const usual = { host: HOST, port: undefined }
  const second = await serveObserved(usual, createHealth(), new Metrics())
  const third = await serveObserved(usual, createHealth(), new Metrics())
  assert.notEqual(second.url, third.url)
  await second.close()
  await third.close()
})
