import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError } from '../../../src/domain/errors.js'
import { silentLog } from '../../../src/observe/log.js'
import { KafkaLanes } from '../../../src/source/kafka-lanes.js'
import { SchemaVerdicts } from '../../../src/source/kafka-verdicts.js'
import { EventTimeMerge } from '../../../src/source/merge.js'
import { Repetition, type Resume } from '../../../src/source/repetition.js'
import type { MessageDecoder } from '../../../src/source/source.js'

/** The value of a message is its event time. */
const decoder: MessageDecoder = {
  async prepare() {},
  decode(value) {
    const stamp = { eventId: 'e', eventTimeMs: Number(value), id: 'u', attributes: {}, numbers: {}, embedding: null }
    const outcome = { kind: 'ok' as const, value: { kind: 'user' as const, ...stamp } }
    return { outcome, bytes: new Uint8Array(0), bodyStart: 0, schema: 's' }
  },
}

const lost = (places: string) => new MillraceError('KAFKA_OFFSET_LOST', `compacted: ${places}`)

/** Partitions as offset → event time; what is missing was compacted away. */
async function repetitionOf(logs: Record<number, number>[], resume: Partial<Resume>) {
  const lanes = new KafkaLanes(new SchemaVerdicts(decoder, () => {}), { messages: 100, bytes: 1 << 20 })
  const merge = new EventTimeMerge({
    maxFutureMs: 1e9,
    idleMs: 500,
    onDecision: () => assert.fail('the clock decided'),
  })
  for (const [partition, log] of logs.entries()) {
    const lane = lanes.add({ topic: 't', partition })
    const messages = Object.entries(log).map(([offset, time]) => ({
      offset,
      value: Buffer.from(String(time)),
      key: null,
      timestamp: '0',
    }))
    await lane.push(messages, BigInt(messages.at(-1)?.offset ?? 0))
    merge.add(lane)
  }
  const partitions = lanes.all.map(({ name }) => name)
  const whole = { partitions, records: 0, decisions: [], until: [], ...resume }
  const repetition = new Repetition(whole, { lanes: lanes.all, merge, lost, logger: silentLog })
  return function take(): string[] {
    const taken: string[] = []
    for (;;) {
      const lane = repetition.next()
      if (lane === 'done') return [...taken, 'done']
      if (lane === undefined) return [...taken, 'waits']
      taken.push(`${lane.index}:${lane.take().offset}`)
    }
  }
}

test('the recorded order is repeated up to the offsets, and what lies behind them is left', async () => {
  const logs = [
    { 0: 10, 1: 20, 2: 30 },
    { 0: 1, 1: 2 },
  ]
  const decisions = [
    { records: 0, partition: 1, idle: true },
    { records: 2, partition: 1, idle: false },
  ]
  const take = await repetitionOf(logs, { decisions, until: [2n, 1n] })
  assert.deepEqual(take(), ['0:0', '0:1', '1:0', 'done'])
})

test('records that were compacted away are not waited for', async () => {
  const take = await repetitionOf([{ 0: 10, 7: 20 }], { until: [5n] })
  assert.deepEqual(take(), ['0:0', 'done'])
})

test('an order that does not fit any more gives everything before the offsets, and nothing behind them', async () => {
  // Recorded when partition 0 still had a record at offset 0: then 1 was waited for again behind the second record.
  const decisions = [
    { records: 0, partition: 1, idle: true },
    { records: 2, partition: 1, idle: false },
  ]
  const logs = [
    { 1: 20, 2: 30 },
    { 0: 1, 1: 2, 2: 3 },
  ]
  const take = await repetitionOf(logs, { decisions, until: [2n, 2n] })
  assert.deepEqual(take(), ['0:1', '1:0', '1:1', 'done'])
})

test('a replay of an order that does not fit is a failure', async () => {
  const decisions = [{ records: 5, partition: 0, idle: true }]
  const take = await repetitionOf([{ 1: 20 }], { decisions, until: [2n], thenEnd: true })
  assert.throws(take, { code: 'KAFKA_OFFSET_LOST', message: /compacted/ })
})
