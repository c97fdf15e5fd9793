/** Events posted to a learner that reads from topics: a real instance, a real broker and a real registry. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type Broker, kafkaSkip, type Registry, startBroker, startRegistry, until } from '../helpers/kafka.js'
import { KafkaShop } from '../helpers/kafka-shop.js'
import type { Running } from '../helpers/process.js'
import { pythonSkip, readTopic } from '../helpers/read-topic.js'

let broker: Broker
let registry: Registry

before(async () => {
  if (kafkaSkip !== false) return
  broker = await startBroker()
  registry = await startRegistry()
})
after(async () => {
  await broker?.stop()
  await registry?.stop()
})

const FLAGS = ['--set', 'http.ingest=true', 'http.port=0', 'observe.port=0']

async function urlOf(run: Running): Promise<string> {
  const said = () => /"url":"(http:[^"]+)","msg":"the dashboard"/.exec(run.stderr)?.[1]
  await run.until(() => said() !== undefined && run.stderr.includes('events are taken over HTTP'))
  return said() ?? ''
}

async function post(url: string, type: string, records: readonly object[]): Promise<number> {
  const body = JSON.stringify(records.map(record => ({ type, ...record })))
  const headers = { 'content-type': 'application/json' }
  return (await fetch(`${url}/v1/events`, { method: 'POST', headers, body })).status
}

test('events that are posted come from the topic, framed and keyed, and count once though posted again', {
  skip: kafkaSkip || pythonSkip,
}, async t => {
  const shop = await KafkaShop.open(t, { name: 'posted', broker, registry: registry.url, inputs: { 'posted.in': 2 } })
  const first = shop.start(...FLAGS)
  const url = await urlOf(first)
  const shown = shop.impressions(60)
  for (let from = 0; from < 60; from += 20)
    assert.equal(await post(url, 'impression', shown.slice(from, from + 20)), 202)
  assert.equal(await post(url, 'impression', shown.slice(0, 20)), 202)

  // Killed as soon as it has accepted: the topic has it.
  const last = shop.impressions(20, 60)
  assert.equal(await post(url, 'impression', last), 202)
  await first.kill('SIGKILL')
  const messages = await readTopic(broker.brokers, 'posted.in')
  assert.equal(messages.length, 100)
  const partitions = new Map(messages.map(({ key, partition }) => [String(key), partition]))
  assert.ok(
    messages.every(({ key, partition, value }) => partitions.get(String(key)) === partition && value?.[0] === 0),
  )
  assert.equal(partitions.size, 10)
  assert.equal(new Set(partitions.values()).size, 2)

  const second = shop.start(...FLAGS)
  await shop.learned(second)
  const again = await urlOf(second)
  const ids = [...shown, ...last].map(({ eventId }) => eventId)
  // What is learned may still wait to be scored or published.
  const published = async (...wanted: string[]) => {
    const predicted = new Set(await shop.predicted())
    return wanted.every(id => predicted.has(id))
  }
  await until('all of it is published', () => published(...ids))

  await t.test('the wish to erase a user goes to the partition of the user, and is learned from there', async () => {
    const [user = '', partition] = [...partitions].at(-1) ?? []
    const wish = await fetch(`${again}/v1/users/${user}?eventId=x0`, { method: 'DELETE' })
    assert.equal(wish.status, 202)
    await second.until(() => second.stderr.includes('USER_ERASED'))
    const own = (await readTopic(broker.brokers, 'posted.in')).filter(({ key }) => String(key) === user)
    assert.equal(own.length, 11)
    assert.ok(own.every(one => one.partition === partition))
    assert.match(second.stderr, /"USER_ERASED","partition":"posted.in\/[01]".*"impressions":8/)
  })

  await t.test('a broker that is gone is said in bounded time, and taking goes on when it is back', async () => {
    await broker.kill9(0)
    assert.equal(await post(again, 'impression', shop.impressions(1, 80)), 503)
    await broker.restart(0)
    await until('it is taken', async () => (await post(again, 'impression', shop.impressions(1, 80))) === 202)
    await shop.learned(second)
    await until('it is published', () => published('i80'))
  })
  assert.equal((await second.kill('SIGTERM')).code, 0)
  assert.deepEqual(await shop.deadLetters(), [])
  assert.deepEqual(await shop.predicted(), [...ids, 'i80'].sort(), 'each of them once')
})

test('of several topics each type of event has its own, and a type without one is refused', {
  skip: kafkaSkip || pythonSkip,
}, async t => {
  const inputs = { 'typed.shown': 1, 'typed.clicked': 1 }
  const shop = await KafkaShop.open(t, { name: 'typed', broker, registry: registry.url, inputs })
  const topics = ['http.ingestTopics.impression=typed.shown', 'http.ingestTopics.click=typed.clicked']
  const run = shop.start(...FLAGS, ...topics)
  const url = await urlOf(run)
  const [shown] = shop.impressions(1)
  const { position, ...pair } = shown as Record<string, unknown>
  assert.equal(await post(url, 'impression', [shown as object]), 202)
  assert.equal(await post(url, 'click', [{ ...pair, eventId: 'c0' }]), 202)
  assert.equal(await post(url, 'buy', [{ ...pair, eventId: 'b0' }]), 400)
  assert.equal((await fetch(`${url}/v1/users/u0`, { method: 'DELETE' })).status, 400)
  for (const topic of Object.keys(inputs)) assert.equal((await readTopic(broker.brokers, topic)).length, 1)
  assert.equal((await run.kill('SIGTERM')).code, 0)

  const unsaid = shop.start(...FLAGS)
  await unsaid.until(() => unsaid.stderr.includes('http.ingestTopics'))
  await unsaid.kill('SIGTERM')
})
