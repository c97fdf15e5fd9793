/** A follower answers as the learner did: same version, same bits; and goes on answering while versions come. */
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { setImmediate as pause } from 'node:timers/promises'
import { loadChecked } from '../../src/app/load-checked.js'
import { snapshotPlace } from '../../src/app/snapshot-records.js'
import { createOnnxBackend } from '../../src/backend/onnx.js'
import { follow } from '../../src/index.js'
import { silentLog } from '../../src/observe/log.js'
import type { FeedHandlers, SnapshotFeed } from '../../src/serve/feed.js'
import { Follower } from '../../src/serve/follower.js'
import { ReplicaPair } from '../../src/serve/replica-pair.js'
import { CATEGORIES, categoryName, itemId } from '../../src/simulate/catalogue.js'
import { userId } from '../../src/simulate/population.js'
import type { SnapshotRecord } from '../../src/sink/output-records.js'
import { systemClock } from '../../src/std/clock.js'
import { CANDIDATES, CONTEXT, type Recommendation, writeAskingShop } from '../helpers/asking-shop.js'
import { millrace } from '../helpers/process.js'
import { smallConfig, Workspace } from '../helpers/workspace.js'

const CATEGORY_NAMES = Array.from({ length: CATEGORIES }, (_, category) => categoryName(category))

const VARIANTS = {
  'two-speed, a stack of heads': {},
  'the network alone': { fast: { enabled: false } },
  'levels and classes, labels from profiles': {
    tasks: [
      smallConfig.tasks[0],
      {
        name: 'stars',
        head: 'distribution',
        label: { event: 'rating' },
        range: [1, 5],
        segments: { user: [2, 2, 1, 1, 1, 1] },
      },
      {
        name: 'kind',
        head: 'categorical',
        label: { event: 'buy', from: 'item.category', classes: [...CATEGORY_NAMES], of: CATEGORY_NAMES.slice(0, 4) },
      },
      {
        name: 'price',
        head: 'regression',
        label: { event: 'buy', from: 'item.price', transform: 'log1p' },
        range: [0, 1000],
      },
    ],
  },
  'a funnel, ranked by sum': {
    tasks: [smallConfig.tasks[0], { ...smallConfig.tasks[1], given: 'click' }, smallConfig.tasks[2]],
    recommend: { tick: '1h', repeats: false, fusion: { method: 'sum' } },
  },
}

for (const [name, changes] of Object.entries(VARIANTS)) {
  test(`what was asked at the log's end is answered from the last version with the learner's bits: ${name}`, async () => {
    const workspace = new Workspace({ ...smallConfig, join: { disorder: '5m', maxFuture: '30d' }, ...changes })
    await writeAskingShop(workspace)
    const { code, stderr } = await millrace(['replay', workspace.path('millrace.yaml')])
    assert.equal(code, 0, stderr)
    const asked = (await workspace.records<Recommendation>('recommendations')).filter(({ requestId }) =>
      requestId.startsWith('last'),
    )
    assert.equal(asked.length, 8)
    const follower = await follow(workspace.path('millrace.yaml'))
    try {
      await follower.ready()
      const { version, state, deltas } = follower.model()
      assert.equal(state, 'following')
      assert.equal(deltas, 0)
      const predictions = await workspace.records<Predicted>('predictions')
      for (const { requestId, user, eventTime, items, modelVersion } of asked) {
        assert.equal(modelVersion, version)
        const question = { user, eventTimeMs: Number(eventTime), context: CONTEXT }
        const found = requestId.includes('top')
          ? (await follower.top(question)).items
          : (await follower.rank({ ...question, items: CANDIDATES })).scores
        assert.deepEqual(
          found.map(({ item, values, rank }) => ({ item, rankScore: Math.fround(rank), values })),
          items.map(({ item, values, rankScore }) => ({ item, rankScore, values: { ...values } })),
          requestId,
        )
        if (requestId.includes('top')) continue
        // The learner says the probabilities of classes with its predictions.
        const predicted = new Map(
          predictions.filter(one => one.requestId === requestId).map(one => [one.item, plain(one.classes)]),
        )
        assert.equal(predicted.size, new Set(CANDIDATES).size)
        for (const score of found) assert.deepEqual(score.classes, predicted.get(score.item), requestId)
        const [first] = found
        const { tasks } = await follower.explain({ ...question, item: first?.item ?? '' })
        for (const [task, { value, classes }] of Object.entries(tasks))
          assert.deepEqual([value, classes], [first?.values[task], first?.classes?.[task]], task)
      }
    } finally {
      await follower.close()
    }
  })
}

interface Predicted {
  requestId: string | null
  item: string
  /** Where a task is categorical. */
  classes?: Record<string, Record<string, number>>
}

/** As the follower has them: objects of the reader are of classes of its own. */
function plain(classes: Predicted['classes']): Predicted['classes'] {
  return classes && Object.fromEntries(Object.entries(classes).map(([task, own]) => [task, { ...own }]))
}

/** Records of a snapshot output, handed on when the test says so. */
class HandFeed implements SnapshotFeed {
  readonly name = 'by hand'
  handlers: FeedHandlers | undefined
  /** What the output holds. */
  held: SnapshotRecord[] = []

  follow(handlers: FeedHandlers, stop: AbortSignal): Promise<void> {
    this.handlers = handlers
    return new Promise(resolve => stop.addEventListener('abort', () => resolve()))
  }

  async give(...records: SnapshotRecord[]): Promise<void> {
    for (const record of records) {
      this.held.push(record)
      await this.handlers?.take(record)
    }
  }

  async read(take: (record: SnapshotRecord) => void | Promise<void>): Promise<void> {
    for (const record of this.held) await take(record)
  }
}

async function handFed(
  file: string,
  set: string[],
  { pin, held = [] }: { pin?: number; held?: SnapshotRecord[] } = {},
) {
  const loaded = loadChecked(file, { set })
  const feed = new HandFeed()
  feed.held = held
  const backend = await createOnnxBackend({ threads: 1 })
  const deps = { loaded, backend, feed, logger: silentLog, clock: systemClock, pause: () => pause(), pin }
  const pair = await ReplicaPair.create(deps)
  pair.start()
  await feed.handlers?.caughtUp()
  const { config } = loaded
  return { feed, follower: new Follower({ config, pair, nowMs: () => 0, close: () => backend.close() }) }
}

/** The output's records by version: chunks, then the manifest. */
async function versionsOf(file: string, set: string[]): Promise<SnapshotRecord[][]> {
  const versions: SnapshotRecord[][] = [[]]
  await snapshotPlace(loadChecked(file, { set })).read(record => {
    versions.at(-1)?.push(record)
    if (record.manifest !== null) versions.push([])
  })
  return versions.slice(0, -1)
}

const shop = new Workspace(smallConfig)
const shopFile = shop.path('millrace.yaml')
const DELTAS = ['outputs.snapshotEverySteps=0', 'outputs.deltaEvery=0s', 'outputs.path=deltas', 'checkpoint.path=none']
const FULLS = ['outputs.snapshotEverySteps=1', 'outputs.path=fulls', 'checkpoint.path=none']

async function answersOf(follower: Follower) {
  const user = userId(7)
  const { tasks } = await follower.explain({ user, item: String(itemId(3)) })
  return {
    scored: await follower.score({ user, items: CANDIDATES, context: CONTEXT }),
    top: await follower.top({ user, size: 5, seen: 'exclude' }),
    similar: follower.similar(String(itemId(3)), 5),
    known: follower.user(user),
    tasks,
  }
}

before(async () => {
  await writeAskingShop(shop, 2_000)
  for (const set of [DELTAS, FULLS]) {
    const { code, stderr } = await millrace(['replay', shopFile, '--set', ...set])
    assert.equal(code, 0, stderr)
  }
})

test('versions that came as deltas answer with the bits of those that came in full, also to who asks in the middle', async () => {
  const full = await handFed(shopFile, FULLS)
  const expected = new Map<number, unknown>()
  for (const records of await versionsOf(shopFile, FULLS)) {
    await full.feed.give(...records)
    expected.set(full.follower.model().version ?? -1, await answersOf(full.follower))
  }
  await full.follower.close()

  const { feed, follower } = await handFed(shopFile, DELTAS)
  const versions = await versionsOf(shopFile, DELTAS)
  assert.ok(versions.length > 10 && expected.size === versions.length - 1, `${versions.length} versions`)
  const seen = new Set<number>()
  let isDone = false
  const asking = (async () => {
    await follower.ready()
    while (!isDone) {
      const answer = await follower.score({ user: userId(7), items: CANDIDATES, context: CONTEXT })
      seen.add(answer.version)
      assert.deepEqual(answer, (expected.get(answer.version) as { scored: unknown }).scored)
      await pause()
    }
  })()
  try {
    for (const records of versions) {
      await feed.give(...records)
      const { version, state } = follower.model()
      assert.equal(state, 'following')
      assert.deepEqual(await answersOf(follower), expected.get(version ?? -1), `version ${version}`)
    }
  } finally {
    isDone = true
  }
  await asking
  assert.ok(seen.size > versions.length / 2, `asked of ${seen.size} versions`)
  await follower.close()
})

test('a version that lacks a piece is never scored with: answers stay as they were until the next full one', async () => {
  const { feed, follower } = await handFed(shopFile, DELTAS)
  const versions = await versionsOf(shopFile, DELTAS)
  await assert.rejects(follower.score({ user: 'u', items: ['i'] }), { code: 'SNAPSHOT_NOT_FOUND' })
  await feed.give(...(versions[2] ?? []))
  assert.equal(follower.model().state, 'waiting', 'a delta says nothing without what it changes')
  await feed.give(...(versions[0] ?? []), ...(versions[1] ?? []))
  const before = await answersOf(follower)
  await feed.give(...(versions[2]?.slice(1) ?? []), ...(versions[3] ?? []))
  const { state, reason, version } = follower.model()
  assert.equal(state, 'gap')
  assert.match(reason, /it changes version \d+, and \d+ is there/)
  assert.equal(version, versions[1]?.at(-1)?.version)
  assert.deepEqual(await answersOf(follower), before)
  const full = (await versionsOf(shopFile, FULLS)).at(-1) ?? []
  await feed.give(...full)
  assert.equal(follower.model().state, 'following')
  assert.equal(follower.model().version, full.at(-1)?.version)
  assert.deepEqual(
    follower.versions().map(({ outcome }) => outcome === 'taken'),
    [false, true, true, false, false, true],
  )
  await follower.close()
})

test('rolled back, it answers with the bits that the version gave when it was the newest, and goes on when it is unpinned', async () => {
  const { feed, follower } = await handFed(shopFile, DELTAS)
  const versions = await versionsOf(shopFile, DELTAS)
  const [some, rest] = [versions.slice(0, 9), versions.slice(9, 12)]
  const expected = new Map<number, Awaited<ReturnType<typeof answersOf>>>()
  const numberOf = (records: SnapshotRecord[] | undefined) => records?.at(-1)?.version ?? -1
  for (const records of some) {
    await feed.give(...records)
    expected.set(numberOf(records), await answersOf(follower))
  }
  let isDone = false
  let asked = 0
  const asking = (async () => {
    while (!isDone) {
      const answer = await follower.score({ user: userId(7), items: CANDIDATES, context: CONTEXT })
      if (expected.has(answer.version)) assert.deepEqual(answer, expected.get(answer.version)?.scored)
      asked++
      await pause()
    }
  })()
  try {
    for (const place of [3, 0, 8, 5]) {
      const version = numberOf(some[place])
      await follower.pin(version)
      const { state, pinned } = follower.model()
      assert.deepEqual([state, pinned, follower.model().version], ['pinned', version, version])
      assert.deepEqual(await answersOf(follower), expected.get(version), `version ${version}`)
    }
    const pinned = numberOf(some[5])
    await feed.give(...rest.flat().slice(0, -1))
    assert.equal(follower.model().version, pinned, 'what is published changes nothing')
    assert.equal(follower.model().newest, numberOf(rest[1]))
    assert.equal(follower.versions().at(-1)?.outcome, 'left')

    await assert.rejects(follower.pin(99_999), {
      code: 'SNAPSHOT_NOT_FOUND',
      message: /99999 can not be reconstructed/,
    })
    assert.deepEqual(await answersOf(follower), expected.get(pinned))
    await follower.unpin()
    assert.deepEqual([follower.model().state, follower.model().version], ['following', numberOf(rest[1])])
    // In the middle of a version that was coming.
    await feed.give(...(rest[2]?.slice(-1) ?? []))
    assert.deepEqual([follower.model().state, follower.model().version], ['following', numberOf(rest[2])])
    assert.ok(follower.versions().every(({ outcome }) => outcome === 'taken'))
    const late = await handFed(shopFile, DELTAS)
    await late.feed.give(...versions.slice(0, 12).flat())
    assert.deepEqual(await answersOf(follower), await answersOf(late.follower))
    await late.follower.close()
  } finally {
    isDone = true
  }
  await asking
  assert.ok(asked > 10)
  await follower.close()
})

test('pinned from the start it answers with that version; one that the output no longer leads to is refused, and nothing changes', async () => {
  const versions = await versionsOf(shopFile, DELTAS)
  const wanted = versions[4]?.at(-1)?.version ?? -1
  const { feed, follower } = await handFed(shopFile, DELTAS, { pin: wanted, held: versions.slice(0, 8).flat() })
  await follower.ready()
  assert.deepEqual([follower.model().state, follower.model().version], ['pinned', wanted])
  // What it rests on has been taken out of the output.
  feed.held = versions.slice(2).flat()
  await assert.rejects(follower.pin(versions[6]?.at(-1)?.version ?? -1), { code: 'SNAPSHOT_NOT_FOUND' })
  assert.deepEqual([follower.model().state, follower.model().version], ['pinned', wanted])
  await follower.close()
})

/** A simulated shop, and days after its last event requests for users who are known and one who is not. */
