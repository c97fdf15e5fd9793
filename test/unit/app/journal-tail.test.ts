import assert from 'node:assert/strict'
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { JournalTail } from '../../../src/app/journal-tail.js'
import { AvroFileSink } from '../../../src/sink/avro-file.js'
import type { Codec } from '../../../src/sink/container.js'
import { type JournalRecord, journalRecord } from '../../../src/sink/output-records.js'

const base = mkdtempSync(join(tmpdir(), 'millrace-tail-'))
after(() => rmSync(base, { recursive: true }))
let places = 0

const entry = (seq: number): JournalRecord => ({
  seq,
  step: seq,
  kind: seq % 2 === 0 ? 'score' : 'learn',
  trigger: seq % 3 === 0 ? 'count' : seq % 5 === 0 ? 'clock' : 'linger',
  eventTime: 1000 * seq,
  examples: 1,
  consumed: [{ partition: 0, offset: BigInt(seq * 10) }],
  records: seq * 10,
  partition: -1,
  partitionName: null,
})
const entries = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => entry(from + index))
const lingered = (from: number, to: number) => entries(from, to).filter(one => one.trigger !== 'count')

/** A place with a journal of these entries, in segments of about 50. */
async function place(written: readonly JournalRecord[], codec: Codec = 'null') {
  const folder = join(base, String(places++))
  const root = join(folder, 'checkpoints')
  mkdirSync(root, { recursive: true })
  const journal = join(folder, 'out', 'journal')
  const write = async (records: readonly JournalRecord[]) => {
    const sink = new AvroFileSink({
      path: journal,
      schema: 'journal',
      toRecord: journalRecord,
      codec,
      blockRecords: 1,
      segmentBytes: 4096,
    })
    for (const record of records) sink.append(record)
    await sink.close()
  }
  await write(written)
  return { root, journal, write, tail: () => new JournalTail(root, join(folder, 'out')) }
}

test('what the wall clock did from the checkpoint on is found, over segments, in order', async () => {
  const { tail, journal } = await place(entries(0, 300))
  assert.ok(readdirSync(journal).length > 2)
  for (const from of [0, 1, 137, 299, 300, 1000]) assert.deepEqual(await tail().keep(from), lingered(from, 300))
})

for (const codec of ['deflate', 'snappy'] as const) {
  test(`what the wall clock did is found in a journal with codec ${codec}`, async () => {
    const { tail } = await place(entries(0, 50), codec)
    assert.deepEqual(await tail().keep(7), lingered(7, 50))
  })
}

test('a journal that ends in the middle of an entry has all entries before it', async () => {
  const { tail, journal } = await place(entries(0, 20))
  const [file = ''] = readdirSync(journal)
  const bytes = readFileSync(join(journal, file))
  writeFileSync(join(journal, file), bytes.subarray(0, -25))
  assert.deepEqual(await tail().keep(0), lingered(0, 19))
  appendFileSync(join(journal, file), 'nonsense')
  assert.deepEqual(await tail().keep(0), lingered(0, 19))
})

test('what was kept outlives the journal that is cut back, also when only some of it was followed', async () => {
  const { tail, write } = await place(entries(0, 100))
  await tail().keep(10)
  await write(entries(0, 10))
  assert.deepEqual(await tail().keep(10), lingered(10, 100))
  await write(entries(0, 40))
  assert.deepEqual(await tail().keep(10), lingered(10, 100))
  // A later checkpoint came before the second crash.
  assert.deepEqual(await tail().keep(30), lingered(30, 100))
  // And then it ran on, beyond what was kept.
  await write(entries(0, 120))
  assert.deepEqual(await tail().keep(30), lingered(30, 120))
})

test('once a checkpoint is behind all of it nothing is left; a fresh start leaves nothing either', async () => {
  const { tail, root, write } = await place(entries(0, 10))
  const first = tail()
  await first.keep(0)
  assert.deepEqual(readdirSync(root), ['journal-tail.json'])
  await first.drop()
  assert.deepEqual(readdirSync(root), [])
  await first.drop()
  await tail().keep(0)
  await tail().discard()
  assert.deepEqual(readdirSync(root), [])
  await write([])
  assert.deepEqual(await tail().keep(0), [])
  assert.equal(existsSync(join(root, 'journal-tail.json')), false)
})

test('no journal at all is an empty one', async () => {
  const folder = join(base, 'nothing')
  mkdirSync(folder)
  assert.deepEqual(await new JournalTail(folder, join(folder, 'out')).keep(0), [])
})

test('a place that can not hold it is said', async () => {
  const { root, tail } = await place(entries(0, 10))
  rmSync(root, { recursive: true })
  await assert.rejects(tail().keep(0), { code: 'OUTPUT_FAILED', message: /journal-tail\.json/ })
})
