/**
 * What happens to a learner in the field, done to the program: a broker or registry that is not there, schemas that are
 * registered too late, compaction, retention, topics that are made anew, idle or empty, clocks that are wrong, records that
 * are too large, dead letters that can not be written, disks that run full. Outputs are read by an independent client.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import kafkajs from 'kafkajs'
import { packageRoot } from '../../src/std/package-root.js'
import { readContainers } from '../contract/read-containers.js'
import { type Broker, kafkaSkip, type Registry, startBroker, startRegistry, until } from '../helpers/kafka.js'
import { KafkaShop, type ShopOptions } from '../helpers/kafka-shop.js'
import { millrace } from '../helpers/process.js'
import { pythonSkip, readTopic } from '../helpers/read-topic.js'
import { mountSmallDisk, noSmallDisk } from '../helpers/small-disk.js'

// A CommonJS module whose names Node can not see from outside.
const { ConfigResourceTypes } = kafkajs
const skip = kafkaSkip === false ? pythonSkip : kafkaSkip
let broker: Broker
let registry: Registry

before(async () => {
  if (skip === false) [broker, registry] = await Promise.all([startBroker(), startRegistry({ storage: 'disk' })])
})

after(async () => {
  await registry?.stop()
  await broker?.stop()
})

const shopOf = (t: Parameters<typeof KafkaShop.open>[0], options: Omit<ShopOptions, 'broker' | 'registry'>) =>
  KafkaShop.open(t, { broker, registry: registry.url, ...options })

const named = (count: number, first = 0) => Array.from({ length: count }, (_, index) => `i${first + index}`).sort()

/** Event ids that a replay along the journal predicts. */
async function replayed(shop: KafkaShop): Promise<string[]> {
  for (const folder of ['out-replay', 'checkpoints-replay'])
    rmSync(join(shop.folder, folder), { recursive: true, force: true })
  const { code, stderr } = await millrace(['replay', shop.file, '--journal', '--json'])
  assert.equal(code, 0, stderr)
  const folder = join(shop.folder, 'out-replay', 'predictions')
  const records = await readContainers(readdirSync(folder).map(name => join(folder, name)))
  return (records as { eventId: string }[]).map(({ eventId }) => eventId).sort()
}

test('a schema that is registered too late does not change what was made of its records before', { skip }, async t => {
  const shop = await shopOf(t, { name: 'late-schema', inputs: { 'late-schema.in': 1 } })
  await shop.send('late-schema.in', 'impression', shop.impressions(3))
  const first = shop.start()
  await shop.learned(first)
  // Ids are given one after the other, and the program has registered its own by now.
  const next = (await shop.register('impression', 'probe')) + 1
  await shop.send('late-schema.in', 'impression', shop.impressions(2, 3), { id: next })
  await shop.send('late-schema.in', 'impression', shop.impressions(3, 5))
  await shop.learned(first)
  await first.kill('SIGKILL')
  assert.deepEqual(await shop.deadLetters(), [
    'late-schema.in/0/3 schema-incompatible',
    'late-schema.in/0/4 schema-incompatible',
  ])
  let registered = 0
  for (let field = 0; registered < next; field++) registered = await shop.register('impression', `late${field}`)
  assert.equal(registered, next, 'the registry gave another id: the test shows nothing')
  const second = shop.start()
  await shop.send('late-schema.in', 'impression', shop.impressions(3, 8))
  await shop.learned(second)
  assert.equal((await second.kill('SIGTERM')).code, 0)
  const known = [...named(3), ...named(6, 5)].sort()
  assert.deepEqual(await shop.predicted(), known)
  assert.equal((await shop.deadLetters()).length, 2)
  assert.deepEqual(await replayed(shop), known)
})

test('--fresh begins where the configuration says; without it a run goes on; the journal tells of the last beginning', {
  skip,
}, async t => {
  const shop = await shopOf(t, { name: 'fresh', inputs: { 'fresh.in': 2 } })
  await shop.send('fresh.in', 'impression', shop.impressions(20))
  const run = async (...flags: string[]) => {
    const running = shop.start(...flags)
    // A fresh start has the old offsets until it has begun.
    await running.until(() => /begins with nothing|reading goes on live/.test(running.stderr), 50)
    await shop.learned(running)
    const { code, stderr } = await running.kill('SIGTERM')
    assert.equal(code, 0, stderr)
  }
  await run()
  await run()
  assert.deepEqual(await shop.predicted(), named(20))
  await run('--fresh')
  assert.deepEqual(await shop.predicted(), [...named(20), ...named(20)].sort())
  const journal = (await shop.read('journal')) as { seq: number; kind: string }[]
  assert.equal(journal.filter(({ kind }) => kind === 'begin').length, 2)
  assert.deepEqual(
    journal.map(({ seq }) => seq),
    journal.map((_, index) => index),
  )
  assert.deepEqual(await replayed(shop), named(20))
})

test('a compacted topic of profiles: what is compacted away between crash and restart costs no output', {
  skip,
}, async t => {
  const profiles = 'compacted.profiles'
  const config = {
    'cleanup.policy': 'compact',
    'segment.ms': '500',
    'min.cleanable.dirty.ratio': '0.01',
    'delete.retention.ms': '100',
  }
  await broker.createTopic(profiles, { config })
  const shop = await shopOf(t, { name: 'compacted', inputs: { 'compacted.in': 1, [profiles]: 1 } })
  const items = (name: string) =>
    Array.from({ length: 7 }, (_, item) => ({ ...shop.stamp(`${name}${item}`, item), id: `i${item}`, price: item + 1 }))
  const write = (name: string) => shop.send(profiles, 'item', items(name), { keyOf: ({ id }: { id: string }) => id })
  for (const name of ['a', 'b', 'c']) await write(name)
  // The first prediction is out, and the profiles told the time before it: without them it is the first that anybody hears of.
  await shop.send('compacted.in', 'impression', shop.impressions(1))
  const first = shop.start()
  await until('the first prediction is out', async () => (await shop.predicted()).length === 1)
  await shop.send('compacted.in', 'impression', shop.impressions(49, 1))
  await shop.learned(first)
  await first.kill('SIGKILL')
  // Each write rolls a segment, and those behind the last one are compacted.
  await until('the first profiles are gone', async () => {
    await write('d')
    const [oldest] = await readTopic(broker.brokers, profiles)
    return oldest !== undefined && oldest.offset > 20n
  })
  const second = shop.start()
  await shop.send('compacted.in', 'impression', shop.impressions(50, 50))
  await shop.learned(second)
  assert.equal((await second.kill('SIGTERM')).code, 0)
  assert.deepEqual(await shop.predicted(), named(100))
})

test('fifty partitions, a topic without records and one that has ended: nobody waits for them', { skip }, async t => {
  const inputs = { 'joined.views': 50, 'joined.clicks': 1, 'joined.never': 3 }
  const shop = await shopOf(t, { name: 'joined', inputs })
  const views = shop.impressions(100)
  const clicks = views
    .slice(0, 10)
    .map(({ eventId, ...rest }) => ({ ...rest, eventId: `c${eventId}`, position: undefined }))
  await shop.send('joined.clicks', 'click', clicks)
  for (const [index, view] of views.entries())
    await shop.send('joined.views', 'impression', [view], { partition: index % 50 })
  const run = shop.start()
  await shop.learned(run)
  await shop.send('joined.views', 'impression', shop.impressions(50, 100), { partition: 7 })
  await shop.learned(run)
  const { code, stderr } = await run.kill('SIGTERM')
  assert.equal(code, 0, stderr)
  assert.deepEqual(await shop.predicted(), named(150))
  assert.deepEqual(await replayed(shop), named(150))
})

test('bare values are read by the schema of their topic, and are dead letters where there is none', {
  skip,
}, async t => {
  const inputs = { 'bare.views': 2, 'bare.clicks': 1, 'bare.others': 1 }
  const schema = {
    'bare.views': join(packageRoot(), 'schemas/impression.avsc'),
    '/^bare\\.(clicks|buys)$/': join(packageRoot(), 'schemas/click.avsc'),
  }
  const reading = { topics: ['/^bare\\.(views|clicks|others)$/'], framing: 'bare', schema }
  const shop = await shopOf(t, { name: 'bare', inputs, reading })
  const views = shop.impressions(40)
  const clicks = views.slice(0, 10).map(({ position, eventId, ...rest }) => ({ ...rest, eventId: `c${eventId}` }))
  await shop.send('bare.clicks', 'click', clicks, { bare: true })
  await shop.send('bare.others', 'click', clicks.slice(0, 2), { bare: true })
  await shop.send('bare.views', 'impression', views, { bare: true, partition: 1 })
  const run = shop.start()
  await shop.learned(run)
  const { code, stderr } = await run.kill('SIGTERM')
  assert.equal(code, 0, stderr)
  assert.deepEqual(await shop.predicted(), named(40))
  assert.deepEqual(await shop.deadLetters(), [
    'bare.others/0/0 schema-incompatible',
    'bare.others/0/1 schema-incompatible',
  ])
  assert.deepEqual(await replayed(shop), named(40))
})

test('a producer whose clock is hours ahead, and a record of the next century: the others are not held up', {
  skip,
}, async t => {
  const shop = await shopOf(t, { name: 'skewed', inputs: { 'skewed.in': 2 } })
  await shop.send('skewed.in', 'impression', shop.impressions(60))
  await shop.send('skewed.in', 'impression', [{ ...shop.impressions(1, 900)[0], eventTime: 4_102_444_800_000 }])
  await shop.send('skewed.in', 'impression', shop.impressions(60, 60))
  const ahead = shop.impressions(100, 200).map(one => ({ ...one, eventTime: Number(one.eventTime) + 10_800_000 }))
  await shop.send('skewed.in', 'impression', ahead, { partition: 1 })
  const run = shop.start()
  await shop.learned(run)
  const { code, stderr } = await run.kill('SIGTERM')
  assert.equal(code, 0, stderr)
  const wanted = [...named(120), ...named(100, 200)].sort()
  assert.deepEqual(await shop.predicted(), wanted)
  assert.deepEqual(await shop.deadLetters(), ['skewed.in/0/60 future-time'])
})

test('a tombstone is dropped, and a record that is too large or no record is a dead letter', { skip }, async t => {
  const shop = await shopOf(t, { name: 'odd', inputs: { 'odd.in': 1 } })
  // A few on each side: the stream's time is what several records agree on.
  await shop.send('odd.in', 'impression', shop.impressions(5))
  await shop.sendRaw('odd.in', null)
  await shop.sendRaw('odd.in', Buffer.from('no record'))
  const large = { ...shop.impressions(1, 800)[0], context: { page: 'x'.repeat(900_000) } }
  await shop.send('odd.in', 'impression', [large])
  await shop.send('odd.in', 'impression', shop.impressions(5, 5))
  const run = shop.start('--set', 'source.maxDecodeBytes=100000')
  await shop.learned(run)
  const { code, stderr } = await run.kill('SIGTERM')
  assert.equal(code, 0, stderr)
  assert.deepEqual(await shop.predicted(), named(10))
  assert.deepEqual(await shop.deadLetters(), ['odd.in/0/6 undecodable', 'odd.in/0/7 too-large'])
})

test('a dead letter that its topic does not take stops the program, and nothing of its commit is seen before it can be written', {
  skip,
}, async t => {
  const [topic, letters] = ['blocked.in', 'blocked.out.deadLetters']
  const shop = await shopOf(t, { name: 'blocked', inputs: { [topic]: 1 } })
  await shop.send(topic, 'impression', shop.impressions(10))
  const first = shop.start()
  await shop.learned(first)
  assert.equal((await first.kill('SIGTERM')).code, 0)
  const admin = await broker.admin()
  const limit = (value: string) =>
    admin.alterConfigs({
      validateOnly: false,
      resources: [
        { type: ConfigResourceTypes.TOPIC, name: letters, configEntries: [{ name: 'max.message.bytes', value }] },
      ],
    })
  await limit('5000')
  await shop.send(topic, 'impression', shop.impressions(5, 10))
  await shop.sendRaw(topic, Buffer.from('no record '.repeat(2000)))
  await shop.send(topic, 'impression', shop.impressions(5, 15))

  for (const attempt of ['at first', 'again']) {
    const { code, stderr } = await shop.start().finished
    assert.equal(code, 9, stderr)
    assert.match(stderr, new RegExp(`KAFKA_TOO_LARGE: .*${letters}`), attempt)
    const [committed] = await admin.fetchOffsets({ groupId: 'blocked', topics: [topic] })
    const next = Number(committed?.partitions[0]?.offset)
    assert.ok(next >= 10 && next <= 15, `committed up to ${next}, the letter is of 15`)
    assert.deepEqual(await shop.predicted(), named(next), attempt)
    assert.deepEqual(await shop.deadLetters(), [])
  }

  await limit('1000000')
  const mended = shop.start()
  await shop.learned(mended)
  const { code, stderr } = await mended.kill('SIGTERM')
  assert.equal(code, 0, stderr)
  assert.deepEqual(await shop.predicted(), named(20))
  assert.deepEqual(await shop.deadLetters(), [`${topic}/0/15 undecodable`])
})

test('records out of retention stop the program with a reason, or are jumped over and counted', { skip }, async t => {
  const shop = await shopOf(t, { name: 'retention', inputs: { 'retention.in': 1 } })
  const topic = 'retention.in'
  await shop.send(topic, 'impression', shop.impressions(10))
  const first = shop.start()
  await shop.learned(first)
  await first.kill('SIGTERM')
  await shop.send(topic, 'impression', shop.impressions(10, 10))
  const admin = await broker.admin()
  await admin.fetchTopicMetadata({ topics: [topic] })
  await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '15' }] })
  const failed = await shop.start().finished
  assert.equal(failed.code, 9)
  assert.match(failed.stderr, /KAFKA_OFFSET_LOST.*goes on at 10, but the first record that is left is 15/)
  const jumping = shop.start('--set', 'source.kafka.onLostOffset=jump')
  await shop.learned(jumping)
  const { code, stderr } = await jumping.kill('SIGTERM')
  assert.equal(code, 0, stderr)
  assert.match(stderr, /"skipped":5/)
  assert.deepEqual(await shop.predicted(), [...named(10), ...named(5, 15)].sort())
})

test('a topic that was deleted and created again stops the program with a reason, or is begun anew', {
  skip,
}, async t => {
  const shop = await shopOf(t, { name: 'anew', inputs: { 'anew.in': 1 } })
  const topic = 'anew.in'
  await shop.send(topic, 'impression', shop.impressions(10))
  const first = shop.start()
  await shop.learned(first)
  const admin = await broker.admin()
  await admin.deleteTopics({ topics: [topic] })
  await until('the topic is gone', async () => !(await admin.listTopics()).includes(topic))
  await broker.createTopic(topic)
  await until('records can be written', async () => {
    await shop.send(topic, 'impression', shop.impressions(3, 10))
    return true
  })
  const failed = await first.finished
  assert.equal(failed.code, 9, failed.stderr)
  assert.match(failed.stderr, /KAFKA_OFFSET_LOST.*made anew/)
  const second = shop.start('--set', 'source.kafka.onLostOffset=jump')
  await shop.learned(second)
  const { code, stderr } = await second.kill('SIGTERM')
  assert.equal(code, 0, stderr)
  assert.deepEqual([...new Set(await shop.predicted())], named(13))
})

test('neither broker nor registry there at the start: it waits, says so, and begins when they come', {
  skip,
}, async t => {
  const shop = await shopOf(t, { name: 'absent', inputs: { 'absent.in': 1 } })
  await shop.send('absent.in', 'impression', shop.impressions(10))
  await registry.kill()
  await broker.shutDown(0)
  const run = shop.start()
  await run.until(() => run.stderr.includes('the schema registry does not answer'), 50)
  await registry.restart()
  await run.until(() => run.stderr.includes('KAFKA_UNREACHABLE'), 50)
  await broker.restart(0)
  await shop.learned(run)
  const { code, stderr } = await run.kill('SIGTERM')
  assert.equal(code, 0, stderr)
  assert.deepEqual(await shop.predicted(), named(10))
})

test('a broker whose disk runs full stops; once it has space again everything goes on, and nothing was lost', {
  skip: skip === false ? noSmallDisk() : skip,
}, async t => {
  const disk = mountSmallDisk(100_000)
  const small = await startBroker({ config: { 'log.dirs': join(disk.path, 'data') } }).catch(error => {
    disk.remove()
    throw error
  })
  t.after(async () => {
    await small.stop()
    disk.remove()
  })
  const shop = await KafkaShop.open(t, {
    name: 'full',
    broker: small,
    registry: registry.url,
    inputs: { 'full.in': 1 },
  })
  await shop.send('full.in', 'impression', shop.impressions(100, 0, 1000))
  const run = shop.start()
  await shop.learned(run)
  const filler = join(disk.path, 'filler')
  // Until nothing fits any more.
  assert.throws(() => execFileSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k'], { stdio: 'pipe' }))
  const sending = shop.send('full.in', 'impression', shop.impressions(2000, 100, 1000))
  sending.catch(() => undefined)
  await run.until(() => run.stderr.includes('KAFKA_UNREACHABLE'), 50)
  // A broker that is only slow is unreachable too.
  await until('the broker has stopped', () => !small.isAlive(0))
  rmSync(filler)
  await small.restart(0)
  await sending.catch(() => undefined)
  // What the producer was told is its own affair: sent again, a record may be there twice and is used once.
  await shop.send('full.in', 'impression', shop.impressions(2000, 100, 1000))
  await shop.learned(run)
  const { code, stderr } = await run.kill('SIGTERM')
  assert.equal(code, 0, stderr)
  assert.deepEqual(await shop.predicted(), named(2100))
})
