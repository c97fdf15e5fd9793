import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Journal } from '../../../src/pipeline/journal.js'
import { Position } from '../../../src/pipeline/position.js'
import type { JournalRecord } from '../../../src/sink/output-records.js'

function journalAt(...nextOffsets: bigint[]) {
  const position = new Position()
  position.nextOffsets = nextOffsets
  const written: JournalRecord[] = []
  return { position, written, journal: new Journal(record => written.push(record), position) }
}

const linger = (seq: number, kind: 'score' | 'learn', ...offsets: bigint[]): JournalRecord => ({
  seq,
  step: seq,
  kind,
  trigger: 'linger',
  eventTime: 0,
  examples: 1,
  consumed: offsets.map((offset, partition) => ({ partition, offset })),
  records: 0,
  partition: -1,
  partitionName: null,
})

test('entries are numbered from where the checkpoint was, and say how far each partition had been read', () => {
  const { journal, position, written } = journalAt(3n, 9_007_199_254_740_993n)
  position.eventTimeMs = 77
  journal.restore(40)
  journal.score(5, 'linger', 2)
  journal.learn(6, 'count', 64)
  position.nextOffsets[0] = 4n
  journal.learn(7, 'tick', 1)
  // Of an entry about a partition; these are about batches.
  const about = { records: 0, partition: -1, partitionName: null }
  assert.deepEqual(written, [
    {
      ...about,
      seq: 40,
      step: 5,
      kind: 'score',
      trigger: 'linger',
      eventTime: 77,
      examples: 2,
      consumed: [
        { partition: 0, offset: 3n },
        { partition: 1, offset: 9_007_199_254_740_993n },
      ],
    },
    {
      ...about,
      seq: 41,
      step: 6,
      kind: 'learn',
      trigger: 'count',
      eventTime: 77,
      examples: 64,
      consumed: [
        { partition: 0, offset: 3n },
        { partition: 1, offset: 9_007_199_254_740_993n },
      ],
    },
    {
      ...about,
      seq: 42,
      step: 7,
      kind: 'learn',
      trigger: 'tick',
      eventTime: 77,
      examples: 1,
      consumed: [
        { partition: 0, offset: 4n },
        { partition: 1, offset: 9_007_199_254_740_993n },
      ],
    },
  ])
  assert.equal(journal.seq, 43)
})

test('after a crash only what the wall clock closed behind the checkpoint is followed, in order and where it was', () => {
  const { journal, position } = journalAt(10n)
  journal.restore(5)
  const counted: JournalRecord = { ...linger(6, 'learn', 11n), trigger: 'count' }
  journal.follow([
    linger(4, 'learn', 9n),
    linger(5, 'score', 12n),
    counted,
    linger(7, 'learn', 12n),
    linger(8, 'score', 15n),
  ])
  assert.equal(journal.following, true)
  const forced: unknown[] = []
  for (let next = 10n; next <= 16n; next++) {
    position.nextOffsets[0] = next
    for (let kind = journal.forcedHere(); kind !== undefined; kind = journal.forcedHere()) forced.push([next, kind])
  }
  assert.deepEqual(forced, [
    [12n, 'score'],
    [12n, 'learn'],
    [15n, 'score'],
  ])
  assert.equal(journal.following, false)
})

test('a batch that was closed at the very checkpoint is closed before the next record', () => {
  const { journal } = journalAt(10n)
  journal.follow([linger(0, 'learn', 10n)])
  assert.equal(journal.forcedHere(), 'learn')
  assert.equal(journal.forcedHere(), undefined)
})

test('with several partitions a batch is closed as soon as all of them are as far, in whichever order they come', () => {
  const { journal, position } = journalAt(0n, 0n)
  journal.follow([linger(0, 'learn', 2n, 2n)])
  for (const [first, second] of [
    [1n, 0n],
    [3n, 0n],
    [3n, 1n],
  ] as const) {
    position.nextOffsets = [first, second]
    assert.equal(journal.forcedHere(), undefined)
  }
  position.nextOffsets = [3n, 2n]
  assert.equal(journal.forcedHere(), 'learn')
})

test('what can not be reached is given up, and counted', () => {
  const { journal } = journalAt(10n)
  journal.follow([linger(0, 'learn', 20n), linger(1, 'score', 30n)])
  assert.equal(journal.abandon(), 2)
  assert.equal(journal.following, false)
  assert.equal(journal.abandon(), 0)
})

test('what the wall clock decides about the order of partitions is an entry too', () => {
  const { journal, position, written } = journalAt(3n)
  position.records = 12
  journal.decision(5, { records: 11, partition: 1, idle: true })
  journal.decision(5, { records: 12, partition: 2, idle: false, name: 'shop/2' })
  const told = written.map(({ seq, kind, trigger, records, partition, partitionName }) => [
    seq,
    kind,
    trigger,
    records,
    partition,
    partitionName,
  ])
  assert.deepEqual(told, [
    [0, 'idle', 'clock', 11, 1, null],
    [1, 'active', 'clock', 12, 2, 'shop/2'],
  ])
})

test('what the wall clock decided about partitions, and commits, are written again where they were', () => {
  const live = journalAt(10n)
  const { journal, position } = live
  position.records = 10
  journal.restore(5)
  journal.decision(3, { records: 10, partition: 1, idle: true })
  const take = () => {
    position.nextOffsets = [(position.nextOffsets[0] ?? 0n) + 1n]
    position.records++
  }
  take()
  journal.learn(4, 'count', 64)
  take()
  journal.commit(4)
  // Nothing has been read since.
  journal.commit(4)
  journal.decision(4, { records: 12, partition: 1, idle: false })
  take()
  journal.learn(5, 'linger', 7)
  journal.commit(5)

  const again = journalAt(10n)
  again.position.records = 10
  again.journal.restore(5)
  again.journal.follow(live.written)
  for (let next = 10n; next <= 13n; next++) {
    // As the pipeline does: what the log makes comes by itself, the rest is asked for behind each record.
    if (next > 10n) {
      again.position.nextOffsets = [next]
      again.position.records++
    }
    if (next === 11n) again.journal.learn(4, 'count', 64)
    for (let kind = again.journal.forcedHere(); kind !== undefined; kind = again.journal.forcedHere())
      again.journal.learn(5, 'linger', 7)
  }
  assert.deepEqual(again.written, live.written)
  assert.deepEqual(
    live.written.map(({ kind }) => kind),
    ['idle', 'learn', 'commit', 'active', 'learn'],
  )
  assert.equal(again.journal.following, false)
  again.journal.commit(5)
  assert.equal(again.written.length, 5)
})

test('where a model begins and what the registry did not know are entries too', () => {
  const { journal, written } = journalAt(3n, 7n)
  journal.begin(['shop/0', 'shop/1'])
  journal.unknownSchema(5, { partition: 1, offset: 9n })
  const told = written.map(({ kind, trigger, step, partitions, partition, offset }) => [
    kind,
    trigger,
    step,
    partitions,
    partition,
    offset,
  ])
  assert.deepEqual(told, [
    ['begin', 'start', 0, ['shop/0', 'shop/1'], -1, undefined],
    ['unknown-schema', 'registry', 5, undefined, 1, 9n],
  ])
  assert.deepEqual(written[0]?.consumed, [
    { partition: 0, offset: 3n },
    { partition: 1, offset: 7n },
  ])
})
