import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { statusSchema } from '../../../../src/serve/telemetry/status.js'
import { serveDashboard, telemetryFixture, windowFixture } from '../../../helpers/dashboard-fixture.js'

interface Message {
  id: string
  kind: string
  data: Record<string, unknown>
}

/** Reads so many messages, then leaves. */
async function messages(url: string, count: number, lastId?: string, then?: () => void): Promise<Message[]> {
  const abort = new AbortController()
  const headers = lastId === undefined ? {} : { 'last-event-id': lastId }
  const response = await fetch(`${url}/v1/stream`, { headers, signal: abort.signal })
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  const found: Message[] = []
  let text = ''
  then?.()
  for await (const part of response.body ?? []) {
    text += Buffer.from(part).toString()
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    for (const block of blocks) {
      const [, id, kind, data] = /^id: (.*)\nevent: (.*)\ndata: (.*)$/.exec(block) ?? []
      if (id !== undefined && kind !== undefined) found.push({ id, kind, data: JSON.parse(data ?? '') })
    }
    if (found.length >= count) break
  }
  abort.abort()
  return found
}

async function served() {
  const telemetry = telemetryFixture()
  const server = await serveDashboard(telemetry, [])
  after(() => server.close())
  return { telemetry, url: server.url }
}

test('the status is as its schema says', async () => {
  const { telemetry, url } = await served()
  const status = await (await fetch(`${url}/v1/status`)).json()
  assert.deepEqual(statusSchema.parse(status), status)
  assert.deepEqual(status, JSON.parse(JSON.stringify(telemetry.status())))
})

test('the stream tells all of it first, then what changes', async () => {
  const { telemetry, url } = await served()
  const [first, second] = await messages(url, 2, undefined, () => telemetry.window(windowFixture(50)))
  assert.equal(first?.kind, 'status')
  assert.deepEqual(statusSchema.parse(first?.data), first?.data)
  assert.equal(second?.kind, 'window')
  assert.equal(second?.data.records, 255_000)
})

test('who comes back is told what was missed; who comes from another process, all of it', async () => {
  const { telemetry, url } = await served()
  const [first] = await messages(url, 1)
  telemetry.window(windowFixture(50))
  telemetry.window(windowFixture(51))
  const missed = await messages(url, 2, first?.id)
  assert.deepEqual(
    missed.map(({ kind }) => kind),
    ['window', 'window'],
  )
  const [other] = await messages(url, 1, `1-${telemetry.status().id}`)
  assert.equal(other?.kind, 'status')
  const [odd] = await messages(url, 1, 'anything')
  assert.equal(odd?.kind, 'status')
})

test('a file of the page that has not changed is not sent again', async () => {
  const { url } = await served()
  const first = await fetch(`${url}/assets/style.css`)
  assert.equal(first.status, 200)
  const etag = first.headers.get('etag') ?? ''
  const second = await fetch(`${url}/assets/style.css`, { headers: { 'if-none-match': etag } })
  assert.equal(second.status, 304)
  assert.match(first.headers.get('content-security-policy') ?? '', /script-src 'self'/)
  assert.equal((await fetch(`${url}/assets/../package.json`)).status, 404)
})
