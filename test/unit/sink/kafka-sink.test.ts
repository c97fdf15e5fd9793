import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packedMessages } from '../../../src/sink/kafka-packed.js'
import { type KafkaOutput, KafkaSink, type OutputMessage } from '../../../src/sink/kafka-sink.js'
import { RecordBatch } from '../../../src/sink/record-batch.kernel.js'

const output: KafkaOutput<OutputMessage> = { topic: 't', onePartition: false, toMessage: message => message }
const message = (partition: number, bytes: number, more: Partial<OutputMessage> = {}): OutputMessage => ({
  key: null,
  value: Buffer.alloc(bytes),
  partition,
  ...more,
})

/** Numbers of records of each batch of the partitions. */
function countsOf(messages: readonly OutputMessage[], maxBytes = 1000): number[][] {
  const sink = new KafkaSink(output, 2, maxBytes)
  for (const one of messages) sink.append(one)
  return sink.take()?.batches.map(batches => batches.map(({ count }) => count)) ?? []
}

test('batches stay below the limit, in order, and a message above it goes alone', () => {
  const sizes = [400, 400, 400, 5000, 400, 400]
  assert.deepEqual(countsOf(sizes.map(bytes => message(0, bytes))), [[2, 1, 1, 2], []])
  const sink = new KafkaSink(output, 2, 1000)
  for (const bytes of sizes) sink.append(message(1, bytes))
  assert.ok(sink.pendingBytes > 7000)
  const bytes = sink.take()?.batches[1]?.map(({ length }) => length) ?? []
  assert.deepEqual([bytes.length, bytes.filter(length => length > 1000).length], [4, 1])
  assert.equal(sink.pendingBytes, 0)
  assert.equal(sink.take(), undefined)
})

test('records with times of their own share a batch as long as times do not run backwards', () => {
  const at = (timestamp?: string) => message(0, 1, timestamp === undefined ? {} : { timestamp })
  assert.deepEqual(countsOf([at(), at(), at('5'), at('5'), at('1000'), at('4'), at('-1'), at('-1'), at('7'), at()]), [
    [2, 3, 1, 2, 1, 1],
    [],
  ])
})

/** A record as a reader takes it apart. */
function decode(bytes: Buffer): unknown[] {
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(bytes[at++] ?? 0)
      value |= (byte & 127n) << shift
      if (byte < 128n) return Number((value >> 1n) ^ -(value & 1n))
    }
  }
  const part = () => {
    const length = varint()
    if (length < 0) return null
    at += length
    return bytes.toString('utf8', at - length, at)
  }
  const records: unknown[] = []
  while (at < bytes.length) {
    const end = varint() + at
    assert.equal(bytes[at++], 0)
    const [deltaMs, offset, key, value, count] = [varint(), varint(), part(), part(), varint()]
    const headers = Array.from({ length: count }, () => [part(), part()])
    assert.equal(at, end)
    records.push([deltaMs, offset, key, value, headers])
  }
  return records
}

test('records are encoded one behind the other, whatever their keys, values, headers and times', () => {
  const batch = new RecordBatch(3)
  const long = 'x'.repeat(10_000)
  const first = 1_700_000_000_000
  batch.append({ key: 'käse', value: Buffer.from('bytes'), timestamp: String(first) })
  batch.append({ key: null, value: null, timestamp: String(first + 2 ** 40) })
  batch.append({
    key: Buffer.from('k'),
    value: long,
    headers: { one: 'ü', many: [Buffer.from('a'), 'b'], none: undefined },
    timestamp: String(first + 1),
  })
  for (let n = 3; n < 200; n++) batch.append({ value: '', timestamp: String(first) })
  const decoded = decode(batch.bytes)
  assert.deepEqual(decoded.slice(0, 4), [
    [0, 0, 'käse', 'bytes', []],
    [2 ** 40, 1, null, null, []],
    [
      1,
      2,
      'k',
      long,
      [
        ['one', 'ü'],
        ['many', 'a'],
        ['many', 'b'],
      ],
    ],
    [0, 3, null, '', []],
  ])
  assert.equal(decoded.length, 200)
  assert.deepEqual([batch.count, batch.firstMs, batch.latestMs], [200, first, first + 2 ** 40])
})

test('a client that asks for more than is answered finds no message', () => {
  const batch = new RecordBatch(0)
  for (let n = 0; n < 3; n++) batch.append({ value: 'v' })
  const messages = packedMessages([batch])
  assert.equal(messages.length, 3)
  assert.deepEqual([...messages], [undefined, undefined, undefined])
})
