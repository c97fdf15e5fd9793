/** What every delivery does, run against each implementation. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Delivery, OUTPUT_NAMES } from '../../src/sink/delivery.js'
import type { JournalRecord } from '../../src/sink/output-records.js'

export interface DeliveryHarness {
  /** The next instance on the same place. */
  open(): Promise<Delivery>
  /** The partition whose offsets are committed. */
  partition: string
  /** Whether offsets are committed with the outputs (else a checkpoint has them). */
  keepsOffsets: boolean
}

export function deliveryContract(name: string, skip: string | false, create: () => Promise<DeliveryHarness>): void {
  const entry = (seq: number): JournalRecord => ({
    seq,
    step: seq * 2,
    kind: seq % 2 === 0 ? 'learn' : 'score',
    trigger: 'linger',
    eventTime: 1_700_000_000_000 + seq,
    examples: seq,
    consumed: [{ partition: 0, offset: BigInt(seq) * 10n }],
    records: seq * 10,
    partition: -1,
    partitionName: null,
  })
  const entries = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => entry(from + index))

  test(`${name}: the first instance finds nothing`, { skip }, async () => {
    const harness = await create()
    const delivery = await harness.open()
    assert.deepEqual(await delivery.recover(0), { offsets: new Map(), journal: [] })
    await delivery.close()
  })

  test(`${name}: the journal comes back from the entry that is asked for`, { skip }, async () => {
    const { open, partition, keepsOffsets } = await create()
    const first = await open()
    await first.recover(0)
    for (const part of [entries(0, 40), entries(40, 41), entries(41, 100)]) {
      for (const record of part) first.outputs.journal.append(record)
      await first.commit([{ partition, next: BigInt(part.at(-1)?.seq ?? 0) }])
    }
    await first.close()
    const next = await open()
    // An instance that comes to learn again asks again.
    for (const from of [0, 40, 99, 100]) {
      const { offsets, journal } = await next.recover(from)
      assert.deepEqual(journal, entries(from, 100))
      assert.deepEqual(offsets, new Map(keepsOffsets ? [[partition, 99n]] : []))
    }
    await next.close()
  })

  test(`${name}: a commit takes what is pending, and commits without news are done at once`, { skip }, async () => {
    const { open, partition } = await create()
    const delivery = await open()
    await delivery.recover(0)
    for (const record of entries(0, 10)) delivery.outputs.journal.append(record)
    const commits = [1n, 1n, 2n].map(next => delivery.commit([{ partition, next }]))
    await Promise.all(commits)
    for (const output of OUTPUT_NAMES) assert.equal(delivery.outputs[output].pendingBytes, 0)
    await delivery.close()
  })

  test(`${name}: closing is possible before anything happened`, { skip }, async () => {
    const { open } = await create()
    const delivery = await open()
    await delivery.close()
  })
}
