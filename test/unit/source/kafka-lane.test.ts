import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KafkaLane } from '../../../src/source/kafka-lane.js'
import { SchemaVerdicts } from '../../../src/source/kafka-verdicts.js'
import type { FetchedMessage } from '../../../src/source/kept-messages.js'
import type { MessageDecoder } from '../../../src/source/source.js'

/** The value is the event time; preparing waits until told. */
function createDecoder() {
  const prepared: number[] = []
  let open = Promise.resolve()
  const decoder: MessageDecoder = {
    async prepare(messages) {
      await open
      prepared.push([...messages].length)
    },
    decode(value) {
      const bytes = value ?? new Uint8Array(0)
      if (value === null)
        return { outcome: { kind: 'drop', reason: 'tombstone' }, bytes, bodyStart: 0, schema: undefined }
      const event = { kind: 'user', eventId: 'e', eventTimeMs: Number(value), id: 'u', attributes: {}, numbers: {} }
      return {
        outcome: { kind: 'ok', value: { ...event, kind: 'user', embedding: null } },
        bytes,
        bodyStart: 0,
        schema: 's',
      }
    },
  }
  return {
    decoder,
    prepared,
    hold(): () => void {
      let release = () => {}
      open = new Promise(resolve => {
        release = resolve
      })
      return release
    },
  }
}

const message = (offset: number, value: string | null = String(offset)): FetchedMessage => ({
  offset: String(offset),
  value: value === null ? null : Buffer.from(value),
  key: Buffer.from('k'),
  timestamp: '5',
})

function laneOf({ messages = 4, bytes = 1 << 20 } = {}) {
  const tools = createDecoder()
  const lane = new KafkaLane({ topic: 't', number: 3, index: 1 }, new SchemaVerdicts(tools.decoder, () => {}), {
    messages,
    bytes,
  })
  lane.start(10n)
  return { lane, ...tools }
}

test('what was read before is dropped, however often it comes', async () => {
  const { lane } = laneOf()
  await lane.push([message(8), message(10), message(11)], 11n)
  await lane.push([message(9), message(10), message(11), message(12)], 12n)
  assert.deepEqual([lane.length, lane.take().offset, lane.take().offset, lane.take().offset], [3, 10n, 11n, 12n])
  assert.equal(lane.nextOffset, 13n)
})

test('records can be taken when their schemas are there, in order', async () => {
  const { lane, hold } = laneOf()
  const release = hold()
  const first = lane.push([message(10)], 10n)
  const second = lane.push([message(11)], 11n)
  assert.deepEqual([lane.length, lane.behind, lane.lag], [0, true, 2])
  release()
  await Promise.all([first, second])
  assert.deepEqual([lane.length, lane.behind], [2, false])
  assert.equal(lane.take().offset, 10n)
})

test('it says before which offset nothing is left, also where records are gone', async () => {
  const { lane, hold } = laneOf()
  assert.equal(lane.passed, 10n)
  const release = hold()
  const pushed = lane.push([message(14), message(15), message(18)], 20n)
  assert.equal(lane.passed, 10n)
  release()
  await pushed
  const seen = [lane.passed]
  for (let taken = 0; taken < 3; taken++) {
    lane.take()
    seen.push(lane.passed)
  }
  assert.deepEqual(seen, [14n, 15n, 18n, 21n])
  assert.deepEqual([lane.isPast(21n), lane.isPast(22n)], [true, false])
})

test('a lane is full by messages or bytes, prepared or not, and has room at half', async () => {
  const { lane, hold } = laneOf()
  const release = hold()
  const pushed = lane.push([message(10), message(11), message(12), message(13)], 13n)
  assert.deepEqual([lane.isFull, lane.hasRoom], [true, false])
  release()
  await pushed
  lane.take()
  assert.deepEqual([lane.isFull, lane.hasRoom], [false, false])
  lane.take()
  assert.deepEqual([lane.isFull, lane.hasRoom], [false, true])
  const heavy = laneOf({ bytes: 100 }).lane
  await heavy.push([message(10, '1'.repeat(100))], 10n)
  assert.equal(heavy.isFull, true)
})

test('records are copies that hold no fetch buffer, and looking ahead takes nothing', async () => {
  const { lane } = laneOf()
  const fetched = Buffer.from('1234')
  await lane.push([{ ...message(10), value: fetched }, message(11, null)], 11n)
  fetched.fill('9')
  assert.equal(lane.timeMs(0), 1234)
  assert.ok(Number.isNaN(lane.timeMs(1)), 'a tombstone has no time')
  assert.equal(lane.length, 2)
  const { data, original, partition, schema } = lane.take()
  assert.deepEqual([String(data), partition, schema, original?.timestampMs], ['1234', 1, 's', 5])
  assert.deepEqual(lane.take().original?.value, null)
})

test('a finite lane ends where it should, also if only markers are left before it', async () => {
  const { lane } = laneOf()
  lane.endOffset = 13n
  await lane.push([message(10), message(14)], 10n)
  assert.deepEqual([lane.length, lane.ended], [1, false])
  await lane.push([], 12n)
  assert.equal(lane.ended, true)
  assert.equal(lane.lag, 1)
})

test('taking many keeps the order', async () => {
  const { lane } = laneOf()
  const all = Array.from({ length: 10_000 }, (_, index) => message(10 + index))
  await lane.push(all, 10_009n)
  for (let offset = 10n; offset < 10_010n; offset++) assert.equal(lane.take().offset, offset)
  assert.deepEqual([lane.length, lane.lag], [0, 0])
})
