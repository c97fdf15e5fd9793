/** What every source does, run against each implementation. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LogRecords } from '../../src/sink/sink.js'
import type { Source, SourceRecord } from '../../src/source/source.js'

/** A rating, or one that can not be used: its value is not a number. */
export interface Written {
  eventId: string
  eventTime: number
  bad?: boolean
}

export interface SourceHarness {
  /** Makes a log of these partitions. */
  write(partitions: readonly (readonly Written[])[]): Promise<void>
  /** A source of that log, finite. */
  source(): Source
  /** The order, as 'partition:offset', where it is not that of a log that can be looked at as a whole. */
  merged?(partitions: readonly (readonly Written[])[]): string[]
}

export const rating = ({ eventId, eventTime, bad = false }: Written): LogRecords['rating'] => ({
  eventId,
  eventTime,
  user: 'u',
  item: 7n,
  value: bad ? Number.NaN : 3,
})

export async function readAll(source: Source, from: readonly bigint[] = []): Promise<SourceRecord[]> {
  const records: SourceRecord[] = []
  try {
    await source.open(from)
    for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
      assert.ok(batch.length > 0 && batch.length <= 4096)
      records.push(...batch)
    }
  } finally {
    await source.close()
  }
  return records
}

/** The body's bytes, apart from the block they lie in. */
export const bodyOf = ({ data, start, end }: Pick<SourceRecord, 'data' | 'start' | 'end'>) =>
  Buffer.from(data.subarray(start, end))

export const place = (record: SourceRecord) => `${record.partition}:${record.offset}`

/** What the order must be, by the contract. */
function merged(partitions: readonly (readonly Written[])[]): string[] {
  const next = partitions.map(() => 0)
  const order: string[] = []
  for (;;) {
    let best = -1
    let bestTime = Number.POSITIVE_INFINITY
    partitions.forEach((records, partition) => {
      const head = records[next[partition]!]
      if (head === undefined) return
      const sight = records.slice(next[partition], (next[partition] ?? 0) + 4).filter(record => !record.bad)
      const time = head.bad ? Number.NEGATIVE_INFINITY : Math.min(...sight.map(record => record.eventTime))
      if (best < 0 || time < bestTime) [best, bestTime] = [partition, time]
    })
    if (best < 0) return order
    order.push(`${best}:${next[best]!++}`)
  }
}

/** Event times that run backwards here and there, equal ones in several partitions, bad records in between. */
export function disorderly(partitions: number, count: number): Written[][] {
  return Array.from({ length: partitions }, (_, partition) =>
    Array.from({ length: count }, (_, index) => ({
      eventId: `${partition}-${index}`,
      eventTime: 1_600_000_000_000 + 10 * index + 10 * ((index * 7 + partition * 3) % 5),
      bad: (index * 31 + partition) % 17 === 0,
    })),
  )
}

export function sourceContract(name: string, create: () => Promise<SourceHarness>): void {
  test(`${name}: partitions are merged by event time, ties by partition, rejects behind their predecessor`, async () => {
    const harness = await create()
    const log = disorderly(3, 700)
    await harness.write(log)
    const records = await readAll(harness.source())
    assert.deepEqual(records.map(place), (harness.merged ?? merged)(log))
    for (const record of records) {
      const written = log[record.partition]![Number(record.offset)]!
      if (written.bad) assert.equal(record.outcome.kind === 'reject' && record.outcome.reason, 'invalid-number')
      else assert.equal(record.outcome.kind === 'ok' && record.outcome.value.eventId, written.eventId)
    }
  })

  test(`${name}: every record has its own body and the schema it was written by`, async () => {
    const harness = await create()
    const [log = []] = disorderly(1, 40)
    await harness.write([log])
    for (const { offset, schema, ...record } of await readAll(harness.source())) {
      assert.match(schema ?? '', /Rating/)
      const { eventId = '' } = log[Number(offset)] ?? {}
      // A body begins with its first field: the length of the event id, zigzag, and the id.
      assert.deepEqual(
        bodyOf(record).subarray(0, eventId.length + 1),
        Buffer.from(`${String.fromCharCode(2 * eventId.length)}${eventId}`),
      )
    }
  })

  test(`${name}: one record from the far future does not hold up its partition`, async () => {
    const harness = await create()
    const log = disorderly(2, 300)
    const wrong = log[0]?.[100]
    if (wrong !== undefined) wrong.eventTime += 1_000_000_000
    await harness.write(log)
    const order = (await readAll(harness.source())).map(place)
    assert.ok(order.indexOf('0:200') < order.indexOf('1:250'), 'the partitions still go side by side')
  })

  test(`${name}: reading on from any point gives the rest in the same order`, async () => {
    const harness = await create()
    const log = disorderly(3, 120)
    await harness.write(log)
    const all = await readAll(harness.source())
    for (let cut = 0; cut <= all.length; cut += 13) {
      const offsets = log.map(() => 0n)
      for (const record of all.slice(0, cut)) offsets[record.partition] = record.offset + 1n
      const rest = await readAll(harness.source(), offsets)
      assert.deepEqual(rest.map(place), all.slice(cut).map(place))
    }
  })

  test(`${name}: an empty partition does not hold up the others`, async () => {
    const harness = await create()
    const log = [[], ...disorderly(1, 30), []]
    await harness.write(log)
    assert.deepEqual((await readAll(harness.source())).map(place), (harness.merged ?? merged)(log))
  })

  test(`${name}: progress reaches 1 at the end and never falls`, async () => {
    const harness = await create()
    await harness.write(disorderly(2, 3000))
    const source = harness.source()
    await source.open([])
    let last = 0
    while ((await source.next()) !== undefined) {
      const progress = source.progress() ?? last
      assert.ok(progress >= last && progress <= 1)
      last = progress
    }
    assert.equal(source.progress(), 1)
    await source.close()
  })

  test(`${name}: close in the middle and twice is fine`, async () => {
    const harness = await create()
    await harness.write(disorderly(2, 3000))
    const source = harness.source()
    await source.open([])
    await source.next()
    await source.close()
    await source.close()
    assert.equal(await source.next(), undefined)
  })
}
