/** What every sink does, run against each implementation. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import type { LoadedState, PartState, StateArray } from '../../src/domain/state.js'
import type { Sink } from '../../src/sink/sink.js'

export interface SinkHarness<T> {
  /** A sink on a place of its own; the same place for the same name. */
  open(place: string): Sink<T>
  /** The nth record of a fixed sequence. */
  record(index: number): T
  /** Copies what is durably at a place: what a killed process leaves behind. */
  copy(from: string, to: string): Promise<void>
  /** Everything that is durably there, as the implementation's bytes. */
  bytes(place: string): Promise<Buffer>
  /** The records that a reader of the place sees. */
  read(place: string): Promise<unknown[]>
  /** What a reader sees of the nth record. */
  expected(index: number): unknown
}

/** As a checkpoint would: out to JSON and bytes, and back. */
export function reload(state: PartState): LoadedState {
  const arrays: Record<string, StateArray> = {}
  for (const [name, array] of Object.entries(state.arrays)) {
    assert.ok(!Array.isArray(array))
    arrays[name] = array.slice()
  }
  return { meta: JSON.parse(JSON.stringify(state.meta)), arrays }
}

export function sinkContract<T>(name: string, create: () => Promise<SinkHarness<T>>): void {
  const fill = (sink: Sink<T>, harness: SinkHarness<T>, from: number, to: number) => {
    for (let index = from; index < to; index++) sink.append(harness.record(index))
  }

  test(`${name}: a reader of a closed output sees the records in order`, async () => {
    const harness = await create()
    const sink = harness.open('a')
    fill(sink, harness, 0, 500)
    await sink.close()
    const expected = Array.from({ length: 500 }, (_, index) => harness.expected(index))
    assert.deepEqual(await harness.read('a'), expected)
  })

  test(`${name}: an output without records is a readable one`, async () => {
    const harness = await create()
    const sink = harness.open('a')
    await sink.flush()
    await sink.close()
    assert.deepEqual(await harness.read('a'), [])
  })

  test(`${name}: flushes do not change the bytes`, async () => {
    const harness = await create()
    const often = harness.open('often')
    const once = harness.open('once')
    for (let index = 0; index < 400; index++) {
      often.append(harness.record(index))
      once.append(harness.record(index))
      if (index % 7 === 0) await often.flush()
    }
    await often.close()
    await once.close()
    assert.deepEqual(await harness.bytes('often'), await harness.bytes('once'))
  })

  test(`${name}: after a flush nothing is pending, and what was appended later is`, async () => {
    const harness = await create()
    const sink = harness.open('a')
    fill(sink, harness, 0, 400)
    assert.ok(sink.pendingBytes > 0)
    await sink.flush()
    assert.equal(sink.pendingBytes, 0)
    fill(sink, harness, 400, 800)
    assert.ok(sink.pendingBytes > 0)
    await sink.close()
  })

  test(`${name}: a flush takes what was there when it was called, and waits for what it is told to`, async () => {
    const harness = await create()
    const sink = harness.open('a')
    fill(sink, harness, 0, 400)
    let release = () => {}
    const first = new Promise<void>(resolve => {
      release = resolve
    })
    const flushed = sink.flush(first)
    fill(sink, harness, 400, 800)
    const later = sink.pendingBytes
    await setImmediate()
    assert.equal(sink.pendingBytes, later)
    release()
    await flushed
    assert.ok(sink.pendingBytes > 0 && sink.pendingBytes < later)
    fill(sink, harness, 800, 1200)
    const failed = sink.flush(Promise.reject(new Error('the journal can not be written')))
    await assert.rejects(failed, /the journal can not be written/)
    await sink.close()
    const expected = Array.from({ length: 1200 }, (_, index) => harness.expected(index))
    assert.deepEqual(await harness.read('a'), expected)
  })

  for (const at of [0, 1, 63, 200, 399]) {
    for (const end of ['closed', 'killed'] as const) {
      test(`${name}: a run ${end} after ${at} records and resumed there writes the same bytes`, async () => {
        const harness = await create()
        const whole = harness.open('whole')
        fill(whole, harness, 0, 600)
        await whole.close()

        const first = harness.open('first')
        fill(first, harness, 0, at)
        await first.flush()
        const state = reload(first.saveState())
        fill(first, harness, at, at + 150) // lost work: written, but after the checkpoint
        await first.flush()
        if (end === 'killed') await harness.copy('first', 'resumed')
        await first.close()
        if (end === 'closed') await harness.copy('first', 'resumed')

        const second = harness.open('resumed')
        await second.loadState(state)
        assert.deepEqual(reload(second.saveState()), state)
        fill(second, harness, at, 600)
        await second.close()
        assert.deepEqual(await harness.bytes('resumed'), await harness.bytes('whole'))
      })
    }
  }

  test(`${name}: lost work is cut off, also where the resumed run writes less than it`, async () => {
    const harness = await create()
    const whole = harness.open('whole')
    fill(whole, harness, 0, 210)
    await whole.close()

    const first = harness.open('first')
    fill(first, harness, 0, 200)
    await first.flush()
    const state = reload(first.saveState())
    fill(first, harness, 200, 600)
    await first.close()

    const second = harness.open('first')
    await second.loadState(state)
    fill(second, harness, 200, 210)
    await second.close()
    assert.deepEqual(await harness.bytes('first'), await harness.bytes('whole'))
  })

  test(`${name}: a new run without a state replaces the output`, async () => {
    const harness = await create()
    const old = harness.open('a')
    fill(old, harness, 0, 500)
    await old.close()
    const sink = harness.open('a')
    fill(sink, harness, 0, 3)
    await sink.close()
    assert.deepEqual(await harness.read('a'), [0, 1, 2].map(harness.expected))
  })
}
