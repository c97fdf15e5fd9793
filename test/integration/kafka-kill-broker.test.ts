/**
 * One of three brokers dies under load, again and again, by kill -9; each comes back on its data. What an independent
 * consumer then reads must be what was committed: nothing missing, nothing twice. kafkajs on its own acknowledges messages
 * here that it never wrote, and writes others twice.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Broker, inSync, kafkaSkip, startBroker } from '../helpers/kafka.js'
import {
  createOutputTopics,
  journalEntry,
  openDelivery,
  prediction,
  type TestDelivery,
  topicOf,
} from '../helpers/kafka-delivery.js'
import { pythonSkip, readTopic } from '../helpers/read-topic.js'

const KILLS = 5
/** Messages of a commit; enough that a kill falls into the middle of one. */
const EACH = 400

/** How long a cluster takes to notice; 9 s is Kafka's default. */
const config = { 'broker.session.timeout.ms': 4000, 'broker.heartbeat.interval.ms': 1000 }

let broker: Broker

before(async () => {
  if (kafkaSkip === false) broker = await startBroker({ nodes: 3, config })
})

after(async () => {
  await broker?.stop()
})

for (const delivery of ['exactly-once', 'at-least-once'] as const) {
  test(`${delivery}: brokers that are killed under load cost nothing that was published`, {
    skip: kafkaSkip === false ? pythonSkip : kafkaSkip,
  }, async t => {
    const prefix = delivery
    await createOutputTopics(broker, prefix, { partitions: 6 })
    await broker.createTopic(`${prefix}.events`)
    const waits: string[] = []
    const options: TestDelivery = { prefix, instance: 'a', delivery, onFault: message => waits.push(message) }
    const publisher = await openDelivery(broker.brokers, options)
    await publisher.recover(0)

    let killing = true
    const killed = killEach(delivery === 'exactly-once' ? KILLS : 2).finally(() => {
      killing = false
    })
    let longestMs = 0
    let commits = 0
    while (killing) {
      for (let index = 0; index < EACH; index++)
        publisher.outputs.predictions.append(prediction(commits * EACH + index))
      publisher.outputs.journal.append(journalEntry(commits))
      const beganMs = performance.now()
      await publisher.commit([{ partition: `${prefix}.events/0`, next: BigInt(commits + 1) }])
      longestMs = Math.max(longestMs, performance.now() - beganMs)
      commits++
    }
    await killed
    await publisher.close()
    t.diagnostic(`${commits} commits, ${waits.length} attempts failed, longest commit ${Math.round(longestMs)} ms`)

    const wanted = Array.from({ length: commits * EACH }, (_, index) => `event-${index}`).sort()
    const isolation = delivery === 'exactly-once' ? 'read_committed' : 'read_uncommitted'
    const records = await readTopic(broker.brokers, topicOf(prefix, 'predictions'), { isolation, settled: true })
    const found = records.map(({ value }) => JSON.parse(String(value)).eventId as string).sort()
    const distinct = new Set(found)
    assert.deepEqual(
      wanted.filter(id => !distinct.has(id)),
      [],
      'lost',
    )
    const doubled = found.length - distinct.size
    if (delivery === 'exactly-once') assert.equal(doubled, 0, 'doubled')
    else t.diagnostic(`${doubled} of ${wanted.length} messages are there twice`)
    assert.equal(distinct.size, wanted.length)

    const next = await openDelivery(broker.brokers, { ...options, instance: 'b' })
    const { offsets, journal } = await next.recover(0)
    await next.close()
    assert.equal(offsets.get(`${prefix}.events/0`), BigInt(commits))
    assert.deepEqual(
      journal.map(entry => entry.seq),
      Array.from({ length: commits }, (_, seq) => seq),
    )
  })
}

/** One after the other, round the cluster, so that leaders, coordinators and controllers are among them. */
async function killEach(kills: number): Promise<void> {
  for (let kill = 0; kill < kills; kill++) {
    await sleep(1500 + 211 * kill)
    await broker.kill9(kill % 3)
    await sleep(kill % 2 === 0 ? 6000 : 1000)
    await broker.restart(kill % 3)
    await inSync(broker)
  }
}
