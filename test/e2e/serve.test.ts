/** `millrace serve` as a real process: beside a replay that is done, and beside a learner that is live. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { follow } from '../../src/index.js'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { millrace, type Running, start } from '../helpers/process.js'
import { smallConfig, Workspace, writePlainLog } from '../helpers/workspace.js'

const workspace = new Workspace({ ...smallConfig, recommend: { ...smallConfig.recommend, repeats: false } })
const file = workspace.path('millrace.yaml')
const SERVE = ['--set', 'http.port=0']

before(async () => {
  const log = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  writePlainLog(log, 400)
  log.close()
  const { code, stderr } = await millrace(['replay', file])
  assert.equal(code, 0, stderr)
})

async function urlOf(running: Running): Promise<string> {
  const url = () => /"url":"(http:[^"]+)"/.exec(running.stderr)?.[1]
  await running.until(() => url() !== undefined)
  return url() ?? ''
}

type Answer = { status: number; type: string | null; body: Record<string, unknown> & { version?: number } }

async function ask(url: string, body?: unknown): Promise<Answer> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(url, body === undefined ? {} : init)
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: (await response.json()) as Answer['body'],
  }
}

const idsOf = ({ items }: Answer['body']) => (items as { item: string }[]).map(({ item }) => item)

/** Until there is a version. */
async function open(running: Running): Promise<string> {
  const url = await urlOf(running)
  while ((await ask(`${url}/v1/model`)).status === 503) await pause(20)
  return url
}

test('the server answers over HTTP what a follower answers in process, and what is wrong as a problem', async () => {
  const running = start(['serve', file, ...SERVE])
  const url = await open(running)
  const follower = await follow(file)
  await follower.ready()
  const said = <T extends { eventTimeMs: number }>({ eventTimeMs, ...answer }: T) =>
    JSON.parse(JSON.stringify({ ...answer, eventTime: eventTimeMs }))
  const user = 'u3'
  const items = ['i1', 'i2', 'i3', 'unknown']
  const context = { device: 'phone' }

  const { status, body: model } = await ask(`${url}/v1/model`)
  const { version, checksum } = follower.model()
  assert.deepEqual([status, model.version, model.checksum, model.state], [200, version, checksum, 'following'])

  const readyz = /"readyz":"([^"]+)"/.exec(running.stderr)?.[1] ?? ''
  const ready = await fetch(readyz)
  assert.equal(ready.status, 200)
  assert.match(await ready.text(), new RegExp(`version: ${version}, its events [0-9]+ s old`))
  const metrics = await (await fetch(readyz.replace(/readyz.*/, 'metrics'))).text()
  assert.ok(metrics.includes(`\nmillrace_follower_version ${version}\n`))
  assert.match(metrics, /\nmillrace_follower_state\{state="following"\} 1\n/)

  const score = { user, items, context }
  assert.deepEqual((await ask(`${url}/v1/score`, score)).body, said(await follower.score(score)))
  const weighed = { ...score, weights: { rating: 1 }, eventTime: 1_704_100_000_000 }
  const ranked = await follower.rank({ ...weighed, eventTimeMs: weighed.eventTime })
  assert.deepEqual((await ask(`${url}/v1/rank`, weighed)).body, said(ranked))
  const [best, next] = ranked.scores
  assert.ok(best && next && best.rank === best.values.rating && best.rank >= next.rank)

  const explore = { page: 'p-1', share: 1, places: 3 }
  const explored = await follower.rank({ ...score, explore })
  assert.deepEqual(explored.explored, { places: 3, propensity: 1 / 3 })
  assert.deepEqual((await ask(`${url}/v1/rank`, { ...score, explore })).body, said(explored))
  const usual = (await follower.rank(score)).scores.map(({ item }) => item)
  assert.notDeepEqual(idsOf({ items: explored.scores }).slice(0, 3), usual.slice(0, 3))
  assert.deepEqual(explored.scores[3]?.item, usual[3])
  const { body: page } = await ask(`${url}/v1/top`, { user, size: 4, explore: { page: 'p-2', share: 1 } })
  const { body: inOrder } = await ask(`${url}/v1/top`, { user, size: 4 })
  assert.deepEqual([page.explored, inOrder.explored], [{ places: 4, propensity: 0.25 }, undefined])
  assert.deepEqual(idsOf(page).sort(), idsOf(inOrder).sort(), 'the page shows what it would have shown')

  const listed = await follower.top({ user, size: 3, seen: 'include' })
  assert.equal(listed.items.length, 3)
  assert.deepEqual((await ask(`${url}/v1/users/${user}/top?size=3&seen=include`)).body, said(listed))
  assert.deepEqual((await ask(`${url}/v1/top`, { user, size: 3, seen: 'include' })).body, said(listed))
  const { body: shoes } = await ask(`${url}/v1/users/${user}/top?size=20&seen=include&category=c1`)
  const numbers = idsOf(shoes).map(item => Number(item.slice(1)))
  assert.ok(numbers.length > 0 && numbers.every(number => number % 4 === 1), `of category c1: ${numbers}`)
  const { body: others } = await ask(`${url}/v1/top`, { user, seen: 'include', exclude: [listed.items[0]?.item] })
  assert.notEqual(idsOf(others)[0], listed.items[0]?.item)
  const { body: cheap } = await ask(`${url}/v1/top`, {
    user,
    size: 20,
    seen: 'include',
    between: { price: { min: 7, max: 9 } },
  })
  assert.deepEqual(idsOf(cheap).sort(), ['i2', 'i3', 'i4'], 'item i costs 5 + i')
  const diverse = { user, size: 6, seen: 'include', diversity: { by: 'category', most: 2 } } as const
  const { body: mixed } = await ask(`${url}/v1/top`, diverse)
  assert.deepEqual(mixed, said(await follower.top(diverse)))
  assert.equal(idsOf(mixed)[0], listed.items[0]?.item)
  const ofCategory = [0, 1, 2, 3].map(
    category => idsOf(mixed).filter(id => Number(id.slice(1)) % 4 === category).length,
  )
  assert.ok(idsOf(mixed).length === 6 && Math.max(...ofCategory) === 2, `six, at most two of a category: ${ofCategory}`)
  const { body: fresh } = await ask(`${url}/v1/users/${user}/top?size=20`)
  const had = new Set(follower.user(user).recent.map(({ item }) => item))
  assert.ok(had.size > 0 && idsOf(fresh).every(item => !had.has(item)))

  assert.deepEqual((await ask(`${url}/v1/items/i1/similar?size=4`)).body, said(follower.similar('i1', 4)))
  assert.deepEqual((await ask(`${url}/v1/items?size=4`)).body, said(follower.popular(4)))
  assert.deepEqual(
    (await ask(`${url}/v1/explain`, { user, item: 'i2' })).body,
    said(await follower.explain({ user, item: 'i2' })),
  )
  const { body: known } = await ask(`${url}/v1/users/${user}`)
  assert.ok((known.events as number) > 100 && (known.recent as unknown[]).length > 0)

  const { body: some } = await ask(`${url}/v1/users?size=3`)
  assert.deepEqual(some.users, ['u9', 'u8', 'u7'], 'whose clicks came last')

  for (const [path, body, expected] of [
    ['/v1/users/nobody', undefined, 404],
    ['/v1/score', { user, items: 'i1' }, 400],
    ['/v1/score', { user, items: ['i1'], weights: { nothing: 1 } }, 400],
    ['/v1/rank', { ...score, explore: { page: 'p', share: 2 } }, 400],
    ['/v1/top', { user, where: { colour: 'red' } }, 400],
    ['/v1/top', { user, between: { weight: { max: 1 } } }, 400],
    ['/v1/top', { user, diversity: { by: 'colour', most: 1 } }, 400],
    ['/v1/users/u1/top?size=0', undefined, 400],
  ] as const) {
    const { status, type } = await ask(`${url}${path}`, body)
    assert.deepEqual([path, status, type], [path, expected, 'application/problem+json'])
  }
  const pinned = async (method: string, body?: unknown) => {
    const headers = body === undefined ? {} : { 'content-type': 'application/json' }
    const answer = await fetch(`${url}/v1/model/pin`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return [answer.status, ((await answer.json()) as { pinned?: number; state?: string }).state]
  }
  assert.deepEqual(await pinned('PUT', { version }), [200, 'pinned'])
  assert.match(await (await fetch(readyz)).text(), /pinned to version/)
  assert.deepEqual(await pinned('PUT', { version: 1_000_000 }), [404, undefined])
  assert.deepEqual(await pinned('PUT', { version: 'last' }), [400, undefined])
  assert.deepEqual(await pinned('DELETE'), [200, 'following'])
  await follower.close()
  const { code } = await running.kill('SIGTERM')
  assert.equal(code, 0)
})

test('an explanation adds up: a value is what its parts say, and gates are shares', async () => {
  const follower = await follow(file)
  await follower.ready()
  const { tasks } = await follower.explain({ user: 'u3', item: 'i2' })
  assert.deepEqual(Object.keys(tasks), ['click', 'buy', 'rating'])
  const { click } = tasks
  const logit = click?.parts.reduce((sum, { value }) => sum + value, 0) ?? 0
  assert.ok(
    Math.abs(1 / (1 + Math.exp(-logit)) - (click?.value ?? 0)) < 1e-6,
    'the stack of a task without calibration',
  )
  for (const { gates = [], slots } of Object.values(tasks)) {
    assert.equal(gates.length, 2)
    assert.ok(Math.abs(gates.reduce((sum, gate) => sum + gate, 0) - 1) < 1e-5)
    assert.ok(slots.some(({ name, contribution }) => name === 'item' && contribution !== 0))
  }
  await follower.close()
})

test('while a live learner publishes deltas no request fails, and answers never go back to an older version', async () => {
  const live = new Workspace({
    ...smallConfig,
    batch: { maxExamples: 64, tick: '1h', linger: '50ms' },
    outputs: { path: 'out', snapshotEverySteps: 10, deltaEvery: '50ms' },
  })
  const log = createLogWriter({ path: live.path('log'), partitions: 1, blockBytes: 1 })
  writePlainLog(log, 60)
  const config = live.path('millrace.yaml')
  const learner = start(['run', config, '--follow', ...SERVE])
  const server = start(['serve', config, ...SERVE])
  const url = await open(server)
  const versions = new Set<number>()
  const statuses = new Set<number>()
  let isDone = false
  const asking = async (path: string, body: unknown) => {
    for (let last = 0; !isDone; ) {
      const { status, body: answer } = await ask(`${url}${path}`, body)
      statuses.add(status)
      assert.ok((answer.version ?? 0) >= last, `version ${answer.version} after ${last}`)
      last = answer.version ?? 0
      versions.add(last)
    }
  }
  const clients = [
    asking('/v1/score', { user: 'u1', items: ['i1', 'i2', 'i3'] }),
    asking('/v1/score', { user: 'u2', items: ['i9'] }),
    asking('/v1/top', { user: 'u3', size: 5 }),
  ]
  try {
    for (let page = 60; versions.size < 12 && !server.ended && !learner.ended; page += 10) {
      writePlainLog(log, 10, page)
      await pause(50)
    }
  } finally {
    isDone = true
  }
  await Promise.all(clients)
  assert.deepEqual([...statuses], [200])
  const { body } = await ask(`${url}/v1/versions`)
  const outcomes = (body.versions as { outcome: string; kind: string }[]).map(
    ({ kind, outcome }) => `${kind} ${outcome}`,
  )
  assert.ok(outcomes.includes('delta taken'), outcomes.join())
  log.close()
  assert.equal((await server.kill('SIGTERM')).code, 0)
  assert.equal((await learner.kill('SIGTERM')).code, 0)
})
