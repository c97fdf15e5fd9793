/** Records that no stream should hold and every stream does. Each is counted, kept if it is refused, and harms no other. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import avro from 'avsc'
import { createLogWriter } from '../../src/sink/log-writer.js'
import type { LogRecords, LogWriter } from '../../src/sink/sink.js'
import { idAwareType } from '../../src/std/avro-long.js'
import { readSchemaFile } from '../../src/std/schema-file.js'
import { millrace } from '../helpers/process.js'
import { DAY_MS, type DeadLetter, START_MS, smallConfig, Workspace, writePlainLog } from '../helpers/workspace.js'

const PAGES = 60
const HOUR_MS = 3_600_000

type Entry = { [K in keyof LogRecords]: { kind: K; record: LogRecords[K] } }[keyof LogRecords]

function writeLog(workspace: Workspace, extra: Record<number, readonly Entry[]> = {}): void {
  const writer = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  const add = <K extends keyof LogRecords>(to: LogWriter, { kind, record }: { kind: K; record: LogRecords[K] }) =>
    to.write(0, kind, record)
  for (let page = 0; page < PAGES; page++) {
    writePlainLog(writer, 1, page)
    for (const entry of extra[page] ?? []) add(writer, entry as never)
  }
  writer.close()
}

async function replay(workspace: Workspace, ...flags: string[]) {
  const { code, stdout, stderr } = await millrace(['replay', workspace.path('millrace.yaml'), '--json', ...flags])
  assert.equal(code, 0, stderr)
  return JSON.parse(stdout)
}

const at = (page: number) => ({ eventId: `x${page}`, eventTime: START_MS + page * 60_000 + 40_000 })
const pair = (page: number) => ({ ...at(page), user: 'u1', item: 'i1' })

/** Page → what is wrong there, as the program should say it. */
const refused: Record<number, { entry: Entry; reason: string; message: RegExp; stage?: string }> = {
  5: {
    entry: { kind: 'item', record: { ...at(5), id: 'i1', price: Number.NaN } },
    reason: 'invalid-number',
    message: /price is NaN/,
  },
  8: {
    entry: { kind: 'rating', record: { ...pair(8), value: Number.POSITIVE_INFINITY } },
    reason: 'invalid-number',
    message: /value is Infinity/,
  },
  11: { entry: { kind: 'click', record: { ...pair(11), user: '' } }, reason: 'invalid-id', message: /user is empty/ },
  14: {
    entry: { kind: 'impression', record: { ...pair(14), eventId: '' } },
    reason: 'invalid-id',
    message: /eventId is empty/,
  },
  17: {
    entry: { kind: 'impression', record: { ...pair(17), item: 'x'.repeat(1_000_000) } },
    reason: 'invalid-id',
    message: /item is longer than 512 bytes/,
  },
  20: {
    entry: { kind: 'impression', record: { ...pair(20), item: 'x'.repeat(1_100_000) } },
    reason: 'too-large',
    message: /1048576/,
  },
  23: {
    entry: { kind: 'impression', record: { ...pair(23), eventTime: -1 } },
    reason: 'invalid-time',
    message: /-1 ms/,
  },
  26: {
    entry: { kind: 'impression', record: { ...pair(26), eventTime: Date.UTC(3000, 0) } },
    reason: 'invalid-time',
    message: /eventTime is 32503680000000/,
  },
  29: {
    entry: { kind: 'impression', record: { ...pair(29), eventTime: START_MS + 2 * DAY_MS } },
    reason: 'future-time',
    message: /far ahead/,
    stage: 'clock',
  },
  32: {
    entry: { kind: 'rating', record: { ...pair(32), value: 40 } },
    reason: 'invalid-number',
    message: /40 is not within \[1, 5\], the range of the task rating/,
    stage: 'label',
  },
  35: {
    entry: { kind: 'impression', record: { ...pair(35), position: 0 } },
    reason: 'invalid-number',
    message: /position is 0/,
  },
  38: {
    entry: { kind: 'user', record: { ...at(38), id: 'u1', embedding: [1, Number.NEGATIVE_INFINITY] } },
    reason: 'invalid-number',
    message: /embedding/,
  },
}

test('what can not be used is a dead letter, byte for byte, and leaves no trace in what is learned', async () => {
  const plain = new Workspace()
  writeLog(plain)
  const clean = await replay(plain)
  assert.deepEqual(clean.counts.rejects, {})

  const workspace = new Workspace()
  writeLog(workspace, Object.fromEntries(Object.entries(refused).map(([page, { entry }]) => [page, [entry]])))
  const { counts, tasks, steps, records } = await replay(workspace)
  assert.deepEqual(counts.rejects, {
    'invalid-number': 5,
    'invalid-id': 3,
    'too-large': 1,
    'invalid-time': 2,
    'future-time': 1,
  })
  assert.deepEqual(counts.drops, clean.counts.drops)
  assert.equal(records, clean.records + Object.keys(refused).length)
  assert.deepEqual({ tasks, steps }, { tasks: clean.tasks, steps: clean.steps })
  const predictions = (of: Workspace) => readFileSync(of.path('out', 'predictions', '00000000000000000000.avro'))
  assert.ok(predictions(workspace).equals(predictions(plain)))

  const letters = await workspace.records<DeadLetter>('dead-letters')
  // The one whose time is far ahead is judged by the records behind it, and there is only one such.
  const expected = Object.values(refused)
  assert.equal(letters.length, expected.length)
  for (const [index, { entry, reason, stage, message }] of expected.entries()) {
    const letter = letters[index]
    assert.ok(letter)
    assert.deepEqual({ reason: letter.reason, stage: letter.stage }, { reason, stage: stage ?? 'decode' })
    assert.match(letter.message, message)
    const written = idAwareType(readSchemaFile(entry.kind)).toBuffer(entry.record)
    assert.ok(letter.payload.equals(written), `${letter.reason}: the bytes are not those of the log`)
    assert.equal(letter.partition, 'p00')
    // The schema beside the bytes is enough to read them.
    const read = avro.Type.forSchema(JSON.parse(letter.schema ?? '')).fromBuffer(letter.payload)
    assert.equal(read.eventId, entry.record.eventId)
  }
})

test('duplicates, late records and clicks out of order are used or dropped by rule, and counted', async () => {
  const workspace = new Workspace()
  const shown = { ...pair(20), eventId: 'shown', requestId: 'early', position: 1 }
  const clicked = { ...pair(20), eventId: 'clicked', requestId: 'early', eventTime: shown.eventTime + 900 }
  const slow = { ...pair(30), eventId: 'slow', requestId: 'slow', position: 1 }
  const late = { ...pair(40), eventTime: at(40).eventTime - 3 * HOUR_MS }
  writeLog(workspace, {
    10: [
      { kind: 'impression', record: pair(10) },
      { kind: 'impression', record: pair(10) },
    ],
    20: [
      { kind: 'click', record: clicked },
      { kind: 'impression', record: shown },
    ],
    // The click's clock is behind the impression's.
    30: [
      { kind: 'impression', record: slow },
      { kind: 'click', record: { ...slow, eventId: 'fast', eventTime: slow.eventTime - 2000 } },
    ],
    40: [{ kind: 'impression', record: late }],
    50: [{ kind: 'buy', record: { ...pair(50), user: 'u3', item: 'never-shown', value: 2 } }],
  })
  const plain = new Workspace()
  writeLog(plain)
  const before = await replay(plain)

  const after = await replay(workspace)
  assert.deepEqual(after.counts.rejects, {})
  assert.deepEqual(after.counts.drops, { duplicate: 1, organic: 1 })
  // One that was written twice, two that were clicked, one late: each is an example once.
  assert.equal(after.tasks.click.count, before.tasks.click.count + 4)
  assert.equal(after.tasks.click.positives, before.tasks.click.positives + 2)
  assert.equal(after.tasks.buy.positives, before.tasks.buy.positives)

  const dropped = await replay(workspace, '--set', 'join.late=drop')
  assert.deepEqual(dropped.counts.drops, { duplicate: 1, organic: 1, late: 1 })
  assert.equal(dropped.tasks.click.count, before.tasks.click.count + 3)
  // A buy of an item that nobody was shown can be an example of its own.
  const organic = await replay(workspace, '--set', 'join.organic=positive')
  assert.deepEqual(organic.counts.drops, { duplicate: 1 })
  assert.equal(organic.tasks.buy.positives, before.tasks.buy.positives + 1)
})

test('a request without candidates is answered from the catalogue as of its place, where top-N is configured', async () => {
  const workspace = new Workspace({ ...smallConfig, recommend: {} })
  const request = (page: number, requestId: string, user: string): Entry => ({
    kind: 'score-request',
    record: { ...at(page), requestId, user, candidates: [] },
  })
  writeLog(workspace, { 0: [request(0, 'early', 'u1')], 59: [request(59, 'late', 'u1')] })
  await replay(workspace)
  const [early, late] = await workspace.records<{ items: { item: string; values: Record<string, number> }[] }>(
    'recommendations',
  )
  // Of the first page one item has been clicked by then; nobody else's click is known.
  assert.deepEqual(
    early?.items.map(({ item }) => item),
    ['i5'],
  )
  const items = late?.items.map(({ item }) => item) ?? []
  assert.ok(items.length > 0 && new Set(items).size === items.length)
  for (const { values } of late?.items ?? []) assert.deepEqual(Object.keys(values), ['click', 'buy', 'rating'])
})

test('a request for unknown users and items, or for nothing at all, is answered at its place', async () => {
  const workspace = new Workspace({ ...smallConfig, recommend: undefined })
  const request = (page: number, requestId: string, user: string, candidates: string[]): Entry => ({
    kind: 'score-request',
    record: { ...at(page), requestId, user, candidates },
  })
  writeLog(workspace, {
    0: [request(0, 'first', 'u1', ['i1', 'i2'])],
    30: [request(30, 'strangers', 'nobody', ['nothing', 'nowhere'])],
    31: [request(31, 'empty', 'u1', [])],
    59: [request(59, 'last', 'u1', ['i1', 'i2', 'i3'])],
  })
  const { counts } = await replay(workspace)
  assert.equal(counts.events['score-request'], 4)
  const answers = await workspace.records<{ requestId: string; modelVersion: number; items: { rankScore: number }[] }>(
    'recommendations',
  )
  assert.deepEqual(
    answers.map(({ requestId, items }) => [requestId, items.length]),
    [
      ['first', 2],
      ['strangers', 2],
      ['empty', 0],
      ['last', 3],
    ],
  )
  const versions = answers.map(answer => answer.modelVersion)
  assert.deepEqual(
    versions,
    versions.toSorted((a, b) => a - b),
  )
  for (const { items } of answers) {
    const scores = items.map(item => item.rankScore)
    assert.ok(scores.every(Number.isFinite))
    assert.deepEqual(
      scores,
      scores.toSorted((a, b) => b - a),
    )
  }
})
