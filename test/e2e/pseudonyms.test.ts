/** Users under pseudonyms, from a posted event to an answer: the ids that came are nowhere, and events of a user still join. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { follow } from '../../src/index.js'
import { createPseudonyms } from '../../src/std/pseudonyms.js'
import { readContainers } from '../contract/read-containers.js'
import { millrace, start } from '../helpers/process.js'
import { START_MS, smallConfig, Workspace } from '../helpers/workspace.js'

const KEY = 'a key that nobody knows'
const env = { MILLRACE_PSEUDONYM_KEY: KEY }
const CONFIG = {
  ...smallConfig,
  source: { log: 'log', pseudonyms: {} },
  recommend: { tick: '1h', sampleUsers: 5 },
  join: { maxFuture: '30d' },
  outputs: { path: 'out', metricsEvery: 100, snapshotEverySteps: 10 },
  http: { ingest: true, port: 0 },
  batch: { maxExamples: 64, tick: '1h', linger: '50ms' },
  checkpoint: { path: 'checkpoints', every: '300ms' },
}

const customer = (number: number) => `customer-${number}@example.org`

/** Impressions of six items, of which the user clicks on one; then what is best for them is asked. */
function visit(number: number): Record<string, unknown>[] {
  const eventTime = START_MS + number * 6 * 3_600_000
  const user = customer(number % 10)
  const shown = [0, 1, 2, 3, 4, 5].map(place => ({
    type: 'impression',
    eventId: `r${number}-${place}`,
    eventTime: eventTime + place,
    user,
    item: `i${(number * 7 + place) % 20}`,
    requestId: `r${number}`,
  }))
  const asked = {
    type: 'score-request',
    eventId: `s${number}`,
    eventTime: eventTime + 9000,
    user,
    requestId: `s${number}`,
  }
  return [
    { type: 'user', eventId: `p${number}`, eventTime, id: user, numbers: { age: 20 + number } },
    ...shown,
    { ...shown[2], type: 'click', eventId: `c${number}`, eventTime: eventTime + 5000 },
    { ...asked, candidates: [] },
  ]
}

test('posted, learned, published and asked for: users are known by pseudonyms only', { timeout: 600_000 }, async () => {
  const workspace = new Workspace(CONFIG)
  const run = start(['run', workspace.path('millrace.yaml'), '--follow', '--json', '--set', 'observe.port=0'], { env })
  after(() => run.child.kill('SIGKILL'))
  const url = () => /"url":"(http:[^"]+)","msg":"the dashboard"/.exec(run.stderr)?.[1]
  await run.until(() => url() !== undefined && run.stderr.includes('events are taken over HTTP'))
  for (let number = 0; number < 40; number++) {
    const body = JSON.stringify(visit(number))
    const posted = await fetch(`${url()}/v1/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    assert.equal(posted.status, 202, await posted.text())
  }
  for (let records = 0; records < 360; ) {
    const { now } = (await (await fetch(`${url()}/v1/status`)).json()) as { now: { records: number } }
    records = now.records
    await pause(20)
  }
  const { code, stderr } = await run.kill('SIGTERM')
  assert.equal(code, 0, stderr)

  const nameOf = createPseudonyms(KEY)
  const logged = await readContainers(files(workspace.path('log'), '.avro'))
  assert.equal(logged.length, 360)
  const outputs = await readContainers(files(workspace.path('out'), '.avro'))
  const checkpoints = files(workspace.path('checkpoints'), '').map(file => readFileSync(file, 'latin1'))
  for (const text of [textOf(logged), textOf(outputs), ...checkpoints, stderr]) assert.doesNotMatch(text, /customer-\d/)
  assert.match(textOf(logged), new RegExp(nameOf(customer(3))))
  const predictions = await workspace.records<{ user: string }>('predictions')
  assert.deepEqual(
    [...new Set(predictions.map(({ user }) => user))].sort(),
    Array.from({ length: 10 }, (_, number) => nameOf(customer(number))).sort(),
  )
  // The labels of a user's impressions were found: clicks were learned.
  const metrics = await workspace.records<{ task: string; counts: Record<string, number> }>('metrics')
  assert.ok(metrics.some(({ task, counts }) => task === 'click' && (counts.positives ?? 0) > 20))

  const follower = await follow(workspace.path('millrace.yaml'), { set: [`source.pseudonyms.key=${KEY}`] })
  await follower.ready()
  const { known, events, recent } = follower.user(customer(3))
  assert.ok(known && events > 0 && recent.length > 0)
  assert.equal(follower.user('customer-999@example.org').known, false)
  // The page asks for those that it is offered.
  const [sampled = ''] = follower.users(1).users
  assert.equal(follower.user(sampled).known, true)
  const question = { items: ['i1', 'i2'], context: {} }
  assert.deepEqual(
    (await follower.score({ ...question, user: customer(3) })).scores,
    (await follower.score({ ...question, user: nameOf(customer(3)) })).scores,
  )
  await follower.close()

  const stranger = await follow(workspace.path('millrace.yaml'), {
    set: ['source.pseudonyms.key=another key, not that one'],
  })
  while (!/is of configuration/.test(stranger.model().reason)) await pause(20)
  assert.equal(stranger.model().version, undefined)
  await stranger.close()
})

test('without its key nothing is read, and the key is not printed', async () => {
  const workspace = new Workspace(CONFIG)
  const { code, stderr } = await millrace(['run', workspace.path('millrace.yaml')])
  assert.equal(code, 2, stderr)
  assert.match(stderr, /source\.pseudonyms\.key: .*MILLRACE_PSEUDONYM_KEY/)
  const printed = await millrace(['config', 'print', workspace.path('millrace.yaml')], { env })
  assert.match(printed.stdout, /pseudonyms: \{\}/)
  assert.doesNotMatch(printed.stdout, new RegExp(KEY))
})

const files = (folder: string, end: string): string[] =>
  readdirSync(folder, { recursive: true })
    .map(file => join(folder, String(file)))
    .filter(file => file.endsWith(end) && statSync(file).isFile())

/** Bytes as characters, so that an id in them is seen. */
const textOf = (records: readonly unknown[]) =>
  JSON.stringify(records, (_, value) => (value?.type === 'Buffer' ? Buffer.from(value.data).toString('latin1') : value))
