import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { MillraceError } from '../../src/domain/errors.js'
import { bodyOf, place, readAll, sourceContract, type Written } from '../contract/source.js'
import { type Broker, kafkaSkip, startBroker } from '../helpers/kafka.js'
import { messageOf, minutes, producerTo, sourceOf } from '../helpers/kafka-source.js'

let broker: Broker
let topics = 0

before(async () => {
  if (kafkaSkip === false) broker = await startBroker({ heap: '320m' })
})
after(async () => {
  await broker?.stop()
})

/** A topic of these partitions. */
async function topicOf(log: readonly (readonly Written[])[], name = `events-${topics++}`): Promise<string> {
  await broker.createTopic(name, { partitions: log.length })
  const messages = log.flatMap((records, partition) => records.map(written => messageOf(written, partition)))
  const producer = await producerTo(broker.brokers)
  if (messages.length > 0) await producer.send({ topic: name, messages })
  await producer.disconnect()
  return name
}

/** Of the heads the earliest, ties by partition; what has no time follows at once; what is far looks behind it. */
function merged(partitions: readonly (readonly Written[])[]): string[] {
  const next = partitions.map(() => 0)
  const order: string[] = []
  const timeOf = (written: Written) => (written.bad ? Number.NEGATIVE_INFINITY : written.eventTime)
  for (;;) {
    const heads = partitions.flatMap((records, partition) => {
      const sight = records.slice(next[partition], next[partition]! + 4)
      return sight.length > 0 ? [{ partition, sight: sight.map(timeOf) }] : []
    })
    if (heads.length === 0) return order
    const base = Math.min(...heads.map(({ sight }) => sight[0]!).filter(Number.isFinite))
    let best: { partition: number; placeMs: number } | undefined
    for (const { partition, sight } of heads) {
      const near = sight.find((time, ahead) => (ahead === 0 || Number.isFinite(time)) && time <= base + 3_600_000)
      const placeMs = near ?? sight[0]!
      if (best === undefined || placeMs < best.placeMs) best = { partition, placeMs }
    }
    order.push(`${best!.partition}:${next[best!.partition]!++}`)
  }
}

if (kafkaSkip === false) {
  sourceContract('Kafka', async () => {
    let topic = ''
    return {
      merged,
      write: async log => {
        topic = await topicOf(log)
      },
      source: () => sourceOf(broker.brokers, [topic], { until: 'latest' }),
    }
  })
}

test('a record has its message byte for byte beside its body', { skip: kafkaSkip }, async () => {
  const [written] = minutes(1) as [Written]
  const topic = await topicOf([[]])
  const producer = await producerTo(broker.brokers)
  const message = { ...messageOf(written, 0), headers: { trace: Buffer.from([1, 2]), many: ['a', 'b'] } }
  await producer.send({ topic, messages: [message] })
  await producer.disconnect()
  const [record] = await readAll(sourceOf(broker.brokers, [topic], { until: 'latest' }))
  const { original } = record!
  assert.deepEqual(Buffer.from(original!.key!), Buffer.from('key e0'))
  assert.deepEqual(Buffer.from(original!.value!), message.value)
  assert.equal(original!.timestampMs, written.eventTime)
  assert.deepEqual(original!.headers, {
    trace: Buffer.from([1, 2]),
    many: [Buffer.from('a'), Buffer.from('b')],
  })
  assert.deepEqual(bodyOf(record!), message.value)
})
