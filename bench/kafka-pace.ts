/**
 * A producer that keeps time: `kafka-pace.js BROKERS TOPIC PARTITIONS SCHEMA_ID EVENTS_A_SECOND SECONDS` sends events
 * that are stamped with the present, a few every ten milliseconds, in a process of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Message } from 'kafkajs'
import { partitionOf } from '../src/std/murmur2.js'
import { connectProducer, createDraw, createRatingEncoder } from './kafka-workload.js'

const [, , brokers = '', topic = '', ...numbers] = process.argv
const [partitions = 1, schemaId = 0, rate = 0, seconds = 0] = numbers.map(Number)
const EVERY_MS = 10
/** What is due after a pause of this process goes out in requests that a broker takes. */
const MAX_MESSAGES = 1000

const producer = await connectProducer(brokers.split(','))
const draw = createDraw(17)
const encode = createRatingEncoder(schemaId)
const sending = new Set<Promise<unknown>>()
const startMs = performance.now()
let sent = 0
while (sent < rate * seconds) {
  const due = Math.min(rate * seconds, Math.floor(((performance.now() - startMs) / 1000) * rate))
  const messages: Message[] = []
  for (; sent < due && messages.length < MAX_MESSAGES; sent++) {
    const event = draw()
    const key = String(event.user)
    messages.push({ key, partition: partitionOf(key, partitions), value: encode(event, Date.now()) })
  }
  if (messages.length > 0) {
    const one = producer.send({ topic, acks: -1, messages }).finally(() => sending.delete(one))
    sending.add(one)
  }
  await sleep(EVERY_MS)
}
await Promise.all(sending)
await producer.disconnect()
console.log(JSON.stringify({ sent, seconds: (performance.now() - startMs) / 1000 }))
