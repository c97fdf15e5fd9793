/**
 * What decides which model is read from the topic. Challengers: one is promoted by hand, the learner is killed and learns all of it
 * again, and a follower crosses the promotion and goes back behind it. The publish gate: a follower sees no version that
 * is worse than those before it.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { follow } from '../../src/index.js'
import { readContainers } from '../contract/read-containers.js'
import { type Broker, kafkaSkip, type Registry, startBroker, startRegistry, until } from '../helpers/kafka.js'
import { KafkaShop } from '../helpers/kafka-shop.js'
import { millrace, type Running } from '../helpers/process.js'
import { pythonSkip } from '../helpers/read-topic.js'

const skip = kafkaSkip === false ? pythonSkip : kafkaSkip
let broker: Broker
let registry: Registry

before(async () => {
  if (skip === false) [broker, registry] = await Promise.all([startBroker(), startRegistry()])
})
after(() => Promise.all([broker?.stop(), registry?.stop()]))

interface Prediction {
  eventId: string
  values: Record<string, number>
}

const valuesOf = (records: readonly Prediction[]) =>
  new Map(records.map(({ eventId, values }) => [eventId, Object.entries(values).sort().join()]))

async function promote(run: Running, name: string): Promise<unknown> {
  const url = /"url":"(http:[^"]+)","msg":"the dashboard"/.exec(run.stderr)?.[1]
  const answer = await fetch(`${url}/v1/challengers/${name}/promote`, { method: 'POST' })
  return ((await answer.json()) as { answering?: unknown }).answering
}

test('promoted by hand, killed and learned again from topics; a follower crosses it and goes back', {
  skip,
  timeout: 1_200_000,
}, async t => {
  const shop = await KafkaShop.open(t, {
    name: 'contest',
    broker,
    registry: registry.url,
    inputs: { 'contest.in': 1 },
    learner: {
      challengers: [{ name: 'plain', set: { 'model.architecture': 'shared-bottom', 'weights.method': 'manual' } }],
      http: { port: 0 },
    },
    publishing: { snapshotEverySteps: 1 },
  })
  let sent = 0
  const grow = async (run: Running) => {
    await shop.send('contest.in', 'impression', shop.impressions(300, sent))
    sent += 300
    await shop.learned(run)
  }

  const first = shop.start()
  await grow(first)
  const follower = await follow(shop.file)
  t.after(() => follower.close())
  await until('a version is there', async () => follower.model().version !== undefined)
  const asked = { user: 'u1', items: ['i1', 'i2', 'i3'] }
  const { version: before, scores: said } = await follower.score(asked)
  const hasExperts = async () => {
    const { tasks } = await follower.explain({ user: 'u1', item: 'i1' })
    return Object.values(tasks).some(({ gates }) => gates !== undefined)
  }
  assert.ok(await hasExperts())

  assert.equal(await promote(first, 'plain'), 'plain')
  await grow(first)
  await until('the follower has crossed the promotion', async () => !(await hasExperts()))
  await follower.pin(before)
  assert.deepEqual((await follower.score(asked)).scores, said, 'the version from before, bit for bit')
  await follower.unpin()
  assert.ok(!(await hasExperts()))
  await first.kill('SIGKILL')

  // The only checkpoint is that of the beginning.
  const second = shop.start()
  await grow(second)
  assert.equal((await second.kill('SIGTERM')).code, 0)
  const journal = (await shop.read('journal')) as { kind: string }[]
  assert.equal(journal.filter(({ kind }) => kind === 'promote').length, 1)

  const live = (await shop.read('predictions')) as Prediction[]
  assert.equal(live.length, sent)
  const { code, stderr } = await millrace(['replay', shop.file, '--journal', '--json'])
  assert.equal(code, 0, stderr)
  const folder = join(shop.folder, 'out-replay', 'predictions')
  const replayed = await readContainers(readdirSync(folder).map(name => join(folder, name)))
  assert.deepEqual(valuesOf(replayed as Prediction[]), valuesOf(live))
})

/** Who is shown an item that a user of this kind likes clicks it, nine times of ten; flipped: the other way round. */
async function sendPages(shop: KafkaShop, topic: string, from: number, to: number, isFlipped: boolean): Promise<void> {
  // A click comes at most as late as join.disorder says.
  const atOnce = 4
  for (let first = from; first < to; first += atOnce) {
    const shown = Array.from({ length: Math.min(atOnce, to - first) * 4 }, (_, index) => {
      const [page, position] = [first + Math.floor(index / 4), 1 + (index % 4)]
      const item = (page * 3 + position * 5) % 20
      const isLiked = ((page % 10) + item) % 2 === 0 && (page + position) % 10 !== 0
      const stamp = shop.stamp(`r${page}-${position}`, page * 60_000 + position)
      return { ...stamp, user: `u${page % 10}`, item: `i${item}`, requestId: `r${page}`, position, isLiked }
    })
    const clicks = shown
      .filter(({ isLiked }) => isLiked !== isFlipped)
      .map(({ eventId, eventTime, ...one }) => ({ ...one, eventId: `c${eventId}`, eventTime: eventTime + 5000 }))
    await shop.send(topic, 'impression', shown)
    await shop.send(topic, 'click', clicks)
  }
}

test('the publish gate keeps what got worse off the topic, with an alarm, and a follower goes on with what is good again', {
  skip,
  timeout: 1_200_000,
}, async t => {
  const topic = 'gate.in'
  const publishing = { snapshotEverySteps: 0, deltaEvery: '1h', metricsEvery: 1000, gate: {} }
  const shop = await KafkaShop.open(t, {
    name: 'gate',
    broker,
    registry: registry.url,
    inputs: { [topic]: 1 },
    publishing,
    // Steps by the log alone: with the wall clock in between the model would be another on a slow machine.
    learner: { batch: { maxExamples: 128, tick: '1h', linger: '1h' } },
  })
  const run = shop.start('--set', 'observe.port=0')
  const isHeld = async () => {
    const text = await (await fetch(/"metrics":"(http:[^"]+)"/.exec(run.stderr)?.[1] ?? '')).text()
    return /^millrace_publish_held (\d)$/m.exec(text)?.[1] === '1'
  }
  const versions = async () => {
    const { stdout } = await millrace(['snapshots', shop.file, '--json'])
    return JSON.parse(stdout) as { version: number; eventTime: number }
  }
  await sendPages(shop, topic, 0, 800, false)
  await shop.learned(run)
  assert.equal(await isHeld(), false)
  const follower = await follow(shop.file)
  t.after(() => follower.close())
  await follower.ready()

  await sendPages(shop, topic, 800, 1100, true)
  await shop.learned(run)
  assert.equal(await isHeld(), true)
  const held = await versions()
  await until('the follower has the last good one', async () => follower.model().version === held.version)
  // Learned long after it, in many versions that were due.
  const { version: good, eventTimeMs = 0 } = follower.model()
  assert.ok(eventTimeMs < shop.stamp('', 1000 * 60_000).eventTime, `${eventTimeMs}`)

  await sendPages(shop, topic, 1100, 1700, false)
  await shop.learned(run)
  assert.equal(await isHeld(), false)
  await until('the follower goes on', async () => (follower.model().version ?? 0) > (good ?? 0))
  assert.ok((follower.model().eventTimeMs ?? 0) > shop.stamp('', 1100 * 60_000).eventTime)
  assert.equal((await run.kill('SIGTERM')).code, 0)
  const metrics = (await shop.read('metrics')) as { window: string; split: string; task: string; eventTime: bigint }[]
  const alarms = metrics.filter(({ window, split }) => window === 'alarm' && split.startsWith('gate-'))
  assert.ok(alarms.some(({ task }) => task === 'click'))
  assert.ok(alarms.every(({ eventTime }) => Number(eventTime) > shop.stamp('', 800 * 60_000).eventTime))
  const outcomes = new Set(follower.versions().map(({ outcome }) => outcome))
  assert.deepEqual([...outcomes], ['taken'])
})
