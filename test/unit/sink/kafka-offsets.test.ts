import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GroupOffsets, type OffsetReader } from '../../../src/sink/kafka-offsets.js'

type Entry = { partition: number; offset: string; metadata: string | null }

/** A group as the broker keeps it; each instance has its own view. */
function groupOf() {
  const stored = new Map<string, Map<number, Entry>>()
  const admin: OffsetReader = {
    fetchOffsets: async () =>
      [...stored].map(([topic, partitions]) => ({ topic, partitions: [...partitions.values()] })),
  }
  return {
    instance: (instance: string) =>
      new GroupOffsets({ groupId: 'g', instance, journalTopic: 'journal', withAdmin: use => use(admin) }),
    commit(topics: ReturnType<GroupOffsets['toCommit']>): void {
      for (const { topic, partitions } of topics) {
        const known = stored.get(topic) ?? new Map<number, Entry>()
        stored.set(topic, known)
        for (const entry of partitions as Entry[]) known.set(entry.partition, entry)
      }
    },
  }
}

test('offsets and the token of the last commit come back, also when partitions have come and gone', async () => {
  const { instance, commit } = groupOf()
  const a = instance('a')
  assert.deepEqual(await a.read(), new Map())
  assert.equal(a.lastToken, undefined)
  const first = a.nextToken()
  commit(
    a.toCommit(
      [
        { partition: 'shop/events/0', next: 5n },
        { partition: 'old/1', next: 7n },
      ],
      first,
    ),
  )
  const second = a.nextToken()
  commit(a.toCommit([{ partition: 'shop/events/0', next: 6n }], second))

  const b = instance('b')
  assert.deepEqual(
    await b.read(),
    new Map([
      ['shop/events/0', 6n],
      ['old/1', 7n],
    ]),
  )
  assert.equal(b.lastToken, second)
  const third = b.nextToken()
  commit(b.toCommit([{ partition: 'old/1', next: 8n }], third))
  await a.read()
  assert.equal(a.lastToken, third)
})

test('offsets that somebody else committed have no token', async () => {
  const { instance, commit } = groupOf()
  commit([{ topic: 'events', partitions: [{ partition: 0, offset: '3' }] }])
  commit([{ topic: 'events', partitions: [{ partition: 1, offset: '-1' }] }])
  const a = instance('a')
  assert.deepEqual(await a.read(), new Map([['events/0', 3n]]))
  assert.equal(a.lastToken, undefined)
})

test('partitions that are not of Kafka lie beside the journal, at any size of offset', async () => {
  const { instance, commit } = groupOf()
  const a = instance('a')
  const offsets = [
    { partition: 'partition-0', next: 9_007_199_254_740_993n },
    { partition: 'partition-1', next: 0n },
  ]
  const token = a.nextToken()
  commit(a.toCommit(offsets, token))
  assert.deepEqual(await a.read(), new Map(offsets.map(({ partition, next }) => [partition, next])))
  assert.equal(a.lastToken, token)
})

test('a commit without partitions has a token too', async () => {
  const { instance, commit } = groupOf()
  const a = instance('a')
  const token = a.nextToken()
  commit(a.toCommit([], token))
  assert.deepEqual(await a.read(), new Map())
  assert.equal(a.lastToken, token)
})
