/** A real run that is fed over HTTP alone: it learns what was posted, once, and loses nothing that it has accepted. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type Running, start } from '../helpers/process.js'
import { START_MS, smallConfig, Workspace } from '../helpers/workspace.js'

const LIVE = {
  ...smallConfig,
  http: { ingest: true, port: 0 },
  batch: { maxExamples: 64, tick: '1h', linger: '50ms' },
  checkpoint: { path: 'checkpoints', every: '300ms' },
}

interface Status {
  now: { state: string; records: number; events: Record<string, number>; drops: Record<string, number> }
}

async function follow(workspace: Workspace): Promise<{ run: Running; url: string }> {
  const run = start(['run', workspace.path('millrace.yaml'), '--follow', '--json', '--set', 'observe.port=0'])
  after(() => run.child.kill('SIGKILL'))
  const said = () => /"url":"(http:[^"]+)","msg":"the dashboard"/.exec(run.stderr)?.[1]
  await run.until(() => said() !== undefined && run.stderr.includes('events are taken over HTTP'))
  return { run, url: said() ?? '' }
}

async function post(url: string, body: unknown): Promise<number> {
  const headers = { 'content-type': 'application/json' }
  return (await fetch(`${url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(body) })).status
}

async function learned(url: string, reached: (now: Status['now']) => boolean): Promise<Status['now']> {
  for (;;) {
    const { now } = (await (await fetch(`${url}/v1/status`)).json()) as Status
    if (reached(now)) return now
    await pause(20)
  }
}

/** Four impressions, of which the first is clicked. */
function page(number: number): Record<string, unknown>[] {
  const eventTime = START_MS + number * 60_000
  const user = `u${number % 10}`
  const shown = [0, 1, 2, 3].map(place => ({
    type: 'impression',
    eventId: `r${number}-${place}`,
    eventTime: eventTime + place,
    user,
    item: `i${(number + place) % 20}`,
    requestId: `r${number}`,
  }))
  return [...shown, { ...shown[0], type: 'click', eventId: `c${number}`, eventTime: eventTime + 5000 }]
}

test('a run without a log learns what is posted to it, and counts once what is posted twice', {
  timeout: 600_000,
}, async () => {
  const workspace = new Workspace(LIVE)
  const { run, url } = await follow(workspace)
  for (let number = 0; number < 40; number++) assert.equal(await post(url, page(number)), 202)
  assert.equal(await post(url, page(7)), 202)
  assert.equal(await post(url, page(8)[0]), 202)
  const now = await learned(url, ({ records }) => records === 206)
  assert.equal(now.drops.duplicate, 6)
  assert.equal(await post(url, { type: 'click' }), 400)
  const observed = /"metrics":"(http:[^"]+)"/.exec(run.stderr)?.[1] ?? ''
  const metrics = await (await fetch(observed)).text()
  const counted = [...metrics.matchAll(/^millrace_posted_events_total\{result="(\w+)"\} (\d+)$/gm)]
  assert.deepEqual(
    counted.map(([, result, total]) => [result, Number(total)]),
    [
      ['accepted', 206],
      ['faulty', 1],
      ['refused', 0],
    ],
  )
  const { code, stderr } = await run.kill('SIGTERM')
  assert.equal(code, 0, stderr)
  const predictions = await workspace.records<{ eventId: string }>('predictions')
  assert.equal(predictions.length, 160)
  assert.equal(new Set(predictions.map(({ eventId }) => eventId)).size, 160)
})

test('what was accepted is learned, though the process is killed as soon as it has said so', {
  timeout: 600_000,
}, async () => {
  const workspace = new Workspace(LIVE)
  let number = 0
  for (let life = 0; life < 2; life++) {
    const { run, url } = await follow(workspace)
    for (let of = 0; of < 15; of++) assert.equal(await post(url, page(number++)), 202)
    await run.kill('SIGKILL')
  }
  const { run, url } = await follow(workspace)
  await learned(url, ({ records }) => records === 150)
  // The client that got no answer asks again.
  assert.equal(await post(url, page(number - 1)), 202)
  const now = await learned(url, ({ records }) => records === 155)
  assert.equal(now.drops.duplicate, 5)
  assert.equal((await run.kill('SIGTERM')).code, 0)
  const predictions = (await workspace.records<{ eventId: string }>('predictions')).map(({ eventId }) => eventId)
  assert.equal(predictions.length, 120)
  assert.equal(new Set(predictions).size, 120)
})

test('a log that ends is not added to', { timeout: 600_000 }, async () => {
  const workspace = new Workspace({
    ...LIVE,
    source: { log: 'log', simulate: { events: 100_000, users: 100, items: 50 } },
  })
  const run = start(['run', workspace.path('millrace.yaml'), '--json', '--set', 'observe.port=0'])
  const said = () => /"url":"(http:[^"]+)","msg":"the dashboard"/.exec(run.stderr)?.[1]
  await run.until(() => said() !== undefined && run.stderr.includes('events are refused'))
  assert.equal(await post(said() ?? '', page(0)), 409)
  assert.equal((await run.kill('SIGTERM')).code, 0)
})
