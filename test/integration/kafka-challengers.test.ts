/**
 * Challengers with topics at both ends: one is promoted by hand, the learner is killed and learns all of it again, and a
 * follower that reads the topic crosses the promotion and goes back behind it.
 */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { follow } from '../../src/index.js'
import { readContainers } from '../contract/read-containers.js'
import { kafkaSkip, startBroker, startRegistry, until } from '../helpers/kafka.js'
import { KafkaShop } from '../helpers/kafka-shop.js'
import { millrace, type Running } from '../helpers/process.js'
import { pythonSkip } from '../helpers/read-topic.js'

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
  skip: kafkaSkip === false ? pythonSkip : kafkaSkip,
  timeout: 300_000,
}, async t => {
  const [broker, registry] = await Promise.all([startBroker(), startRegistry()])
  t.after(() => Promise.all([broker.stop(), registry.stop()]))
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
  await until('a version is there', async () => follower.model().version !== undefined, 60_000)
  const asked = { user: 'u1', items: ['i1', 'i2', 'i3'] }
  const { version: before, scores: said } = await follower.score(asked)
  const hasExperts = async () => {
    const { tasks } = await follower.explain({ user: 'u1', item: 'i1' })
    return Object.values(tasks).some(({ gates }) => gates !== undefined)
  }
  assert.ok(await hasExperts())

  assert.equal(await promote(first, 'plain'), 'plain')
  await grow(first)
  await until('the follower has crossed the promotion', async () => !(await hasExperts()), 60_000)
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
