import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { EventKind } from '../../../src/domain/event.js'
import { FAULTS } from '../../../src/simulate/faults.js'
import { type SimulateOptions, START_MS, simulateShop } from '../../../src/simulate/simulate.js'
import { createTruthWriter, readTruth, TRUTH_FILE, type TruthRow } from '../../../src/simulate/truth.js'
import { createLogWriter } from '../../../src/sink/log-writer.js'
import type { LogRecords, LogWriter } from '../../../src/sink/sink.js'

const OPTIONS: SimulateOptions = {
  seed: 1,
  events: 30_000,
  users: 300,
  items: 200,
  days: 30,
  partitions: 2,
  bots: 0.01,
  malformed: 0,
}

interface Written {
  partition: number
  kind: EventKind
  // biome-ignore lint/suspicious/noExplicitAny: every kind has other fields, and a test looks at one kind at a time
  record: any
}

async function simulated(options: Partial<SimulateOptions> = {}) {
  const records: Written[] = []
  const truth: TruthRow[] = []
  const writer: LogWriter = {
    write: <K extends EventKind>(partition: number, kind: K, record: LogRecords[K]) =>
      void records.push({ partition, kind, record }),
    close: () => ({ records: [], bytes: 0, segments: 0 }),
  }
  const summary = await simulateShop({ ...OPTIONS, ...options }, writer, undefined, {
    append: row => void truth.push(row),
    close: async () => {},
  })
  const of = (kind: EventKind) => records.filter(one => one.kind === kind)
  return { records, truth, summary, of }
}

async function hashOfLog(options: SimulateOptions): Promise<string> {
  const path = mkdtempSync(join(tmpdir(), 'millrace-simulate-'))
  try {
    const writer = createLogWriter({ path, partitions: options.partitions, segmentBytes: 200_000 })
    const truth = createTruthWriter(join(path, TRUTH_FILE))
    await simulateShop(options, writer, undefined, truth)
    writer.close()
    await truth.close()
    const hash = createHash('sha256')
    for (const name of readdirSync(path, { recursive: true }).map(String).sort()) {
      if (name.endsWith('.avro')) hash.update(name).update(readFileSync(join(path, name)))
    }
    return hash.digest('hex')
  } finally {
    rmSync(path, { recursive: true })
  }
}

test('the same seed makes the same bytes, log and truth; another seed makes others', async () => {
  const options = { ...OPTIONS, events: 8000, malformed: 0.02 }
  const first = await hashOfLog(options)
  assert.equal(await hashOfLog(options), first)
  assert.notEqual(await hashOfLog({ ...options, seed: 2 }), first)
})

test('the log has about as many records as asked for, and they span the days', async () => {
  const { records, summary } = await simulated()
  assert.equal(summary.records, records.length)
  assert.ok(Math.abs(records.length - OPTIONS.events) < 0.01 * OPTIONS.events, `${records.length} records`)
  const times = records.map(({ record }) => record.eventTime)
  assert.ok(Math.min(...times.slice(0, 10)) >= START_MS)
  assert.ok((times.at(-1) - START_MS) / 86_400_000 > 29.5)
  assert.ok((times.at(-1) - START_MS) / 86_400_000 <= 30.01)
})

test('without faults every partition is in order of time, ids are unique, and a user stays in one partition', async () => {
  const { records } = await simulated({ partitions: 3 })
  const last = new Map<number, number>()
  const home = new Map<string, number>()
  const ids = new Set<string>()
  for (const { partition, record } of records) {
    assert.ok(record.eventTime >= (last.get(partition) ?? 0))
    last.set(partition, record.eventTime)
    assert.ok(!ids.has(record.eventId), `${record.eventId} twice`)
    ids.add(record.eventId)
    if (record.user === undefined) continue
    assert.equal(home.get(record.user) ?? partition, partition)
    home.set(record.user, partition)
  }
  assert.equal(last.size, 3)
})

test('a profile comes before the first event of its user or item', async () => {
  const { records } = await simulated()
  const known = new Set<unknown>()
  for (const { kind, record } of records) {
    if (kind === 'item' || kind === 'user') known.add(record.id)
    else
      assert.ok(
        known.has(record.user) && (record.item === undefined || known.has(record.item)),
        `${kind} ${record.eventId}`,
      )
  }
})

test('users and items arrive over time, and their profiles change', async () => {
  const { of, summary } = await simulated()
  assert.equal(summary.items, Math.floor(OPTIONS.items * 1.3))
  const prices = of('item').map(({ record }) => `${record.id}:${record.price}`)
  assert.ok(new Set(prices).size > new Set(of('item').map(({ record }) => record.id)).size)
  const users = of('user').map(({ record }) => record.id)
  assert.ok(users.length > new Set(users).size)
})

test('clicks, buys and ratings come at believable rates, and the true probabilities agree with what happens', async () => {
  const { of, summary } = await simulated({ events: 100_000, users: 1000, items: 500 })
  const { click, buy } = summary.oracle
  assert.ok(click.rate > 0.05 && click.rate < 0.1, `click rate ${click.rate}`)
  const buysPerClick = of('buy').length / of('click').length
  assert.ok(buysPerClick > 0.05 && buysPerClick < 0.1, `buys per click ${buysPerClick}`)
  const ratingsPerBuy = of('rating').length / of('buy').length
  assert.ok(ratingsPerBuy > 0.15 && ratingsPerBuy < 0.3, `ratings per buy ${ratingsPerBuy}`)
  assert.ok((click.auc ?? 0) > 0.75 && (click.auc ?? 0) < 0.82, `oracle click AUC ${click.auc}`)
  // Three standard errors of a rate; each impression is an independent draw given the truth.
  for (const { rate, expectedRate } of [click, buy]) {
    assert.ok(
      Math.abs(rate - expectedRate) < 3 * Math.sqrt(expectedRate / of('impression').length),
      `${rate} against ${expectedRate}`,
    )
  }
})

test('buys come hours or days after their click, never before it', async () => {
  const { of } = await simulated({ events: 60_000 })
  const clicked = new Map(of('click').map(({ record }) => [`${record.requestId} ${record.item}`, record.eventTime]))
  const hours = of('buy').map(
    ({ record }) => (record.eventTime - clicked.get(`${record.requestId} ${record.item}`)) / 3_600_000,
  )
  assert.ok(Math.min(...hours) > 0)
  const sorted = hours.sort((a, b) => a - b)
  const median = sorted[sorted.length >> 1]!
  assert.ok(median > 3 && median < 20, `median ${median} h`)
  assert.ok(sorted.at(-1)! > 72)
})

test('the first place of a page is clicked more often than the last', async () => {
  const { of } = await simulated({ events: 60_000 })
  const clicked = new Set(of('click').map(({ record }) => `${record.requestId} ${record.item}`))
  const rate = (position: number) => {
    const shown = of('impression').filter(({ record }) => record.position === position)
    return shown.filter(({ record }) => clicked.has(`${record.requestId} ${record.item}`)).length / shown.length
  }
  assert.ok(rate(1) > 1.4 * rate(6), `${rate(1)} and ${rate(6)}`)
})

test('every impression has one row of truth, in order, and a buy is never likelier than its click', async () => {
  const { of, truth } = await simulated({ malformed: 0.02 })
  const sound = of('impression').filter(({ record }) => record.eventId.startsWith('i'))
  assert.deepEqual(new Set(truth.map(row => row.eventId)), new Set(sound.map(({ record }) => record.eventId)))
  assert.equal(new Set(truth.map(row => row.eventId)).size, truth.length)
  for (const { click, buy } of truth) assert.ok(click > 0 && click < 1 && buy >= 0 && buy < click)
})

test('truth is read back from its file as it was written', async () => {
  const path = mkdtempSync(join(tmpdir(), 'millrace-truth-'))
  try {
    const rows = Array.from({ length: 20_000 }, (_, n) => ({ eventId: `i${n}`, click: n / 20_000, buy: n / 400_000 }))
    const writer = createTruthWriter(join(path, TRUTH_FILE))
    for (const row of rows) await writer.append(row)
    await writer.close()
    const read: TruthRow[] = []
    for await (const row of readTruth(join(path, TRUTH_FILE))) read.push({ ...row })
    assert.deepEqual(read, rows)
  } finally {
    rmSync(path, { recursive: true })
  }
})

test('a truth file that is not there is an error, not a crash', async () => {
  await assert.rejects(async () => {
    for await (const _ of readTruth('/nowhere/truth.avro')) assert.fail()
  }, /ENOENT/)
})

test('every kind of fault occurs, at the rate asked for', async () => {
  const { records, summary } = await simulated({ malformed: 0.02, days: 5 })
  for (const fault of FAULTS) assert.ok(summary.malformed[fault] > 0, fault)
  const faults = Object.values(summary.malformed).reduce((sum, count) => sum + count, 0)
  assert.ok(Math.abs(faults / records.length - 0.02) < 0.002, `${faults} of ${records.length}`)
  const count = (wanted: (one: Written) => boolean) => records.filter(wanted).length
  assert.equal(
    count(({ kind, record }) => kind === 'item' && Number.isNaN(record.price)),
    summary.malformed['nan-price'],
  )
  assert.equal(
    count(({ record }) => record.user === ''),
    summary.malformed['empty-id'],
  )
  assert.equal(
    count(({ record }) => record.eventTime < 0),
    summary.malformed['negative-time'],
  )
  assert.equal(
    count(({ record }) => record.eventTime > Date.UTC(2999, 0)),
    summary.malformed['future-time'],
  )
  assert.equal(
    count(({ record }) => typeof record.item === 'string' && record.item.length === 1_000_000),
    summary.malformed['huge-id'],
  )
  assert.equal(
    count(({ record }) => String(record.item).startsWith('unlisted-')),
    summary.malformed['unknown-item'],
  )
  assert.equal(
    count(({ record }) => record.value === Number.POSITIVE_INFINITY),
    summary.malformed['infinite-value'],
  )
  assert.equal(records.length - new Set(records.map(({ record }) => record.eventId)).size, summary.malformed.duplicate)
  const shown = new Map<string, { index: number; eventTime: number }>()
  records.forEach(({ kind, record }, index) => {
    if (kind === 'impression') shown.set(`${record.requestId} ${record.item}`, { index, eventTime: record.eventTime })
  })
  const clicks = records
    .map((one, index) => ({ ...one, index, of: shown.get(`${one.record.requestId} ${one.record.item}`) }))
    .filter(({ kind, of }) => kind === 'click' && of !== undefined)
  assert.ok(
    clicks.filter(({ record, of }) => record.eventTime < of!.eventTime).length >= summary.malformed['click-earlier'],
  )
  assert.ok(clicks.filter(({ index, of }) => index < of!.index).length >= summary.malformed['click-first'])
  let latest = 0
  let hoursLate = 0
  for (const { record } of records) {
    if (record.eventTime > Date.UTC(2999, 0)) continue
    if (record.eventTime >= 0 && record.eventTime < latest - 3_600_000) hoursLate++
    latest = Math.max(latest, record.eventTime)
  }
  // Lateness shows only where another record overtakes: not in a quiet hour, and not at the end of the log.
  assert.ok(hoursLate <= summary.malformed['hours-late'], `${hoursLate} late records`)
  assert.ok(hoursLate >= 0.9 * summary.malformed['hours-late'], `${hoursLate} of ${summary.malformed['hours-late']}`)
})

test('bots click over and over at a high rate, but never buy', async () => {
  const { of, summary } = await simulated({ bots: 0.3 })
  const perRequest = new Map<string, number>()
  for (const { record } of of('click')) {
    const key = `${record.requestId} ${record.item}`
    perRequest.set(key, (perRequest.get(key) ?? 0) + 1)
  }
  const repeated = [...perRequest.values()].filter(count => count > 1).length
  assert.ok(repeated > 0.5 * perRequest.size, `${repeated} of ${perRequest.size}`)
  for (const { record } of of('buy')) assert.equal(perRequest.get(`${record.requestId} ${record.item}`), 1)
  assert.ok(summary.oracle.click.rate > 0.15)
})

test('the smallest shop works', async () => {
  const { summary } = await simulated({ events: 1, users: 1, items: 1, days: 0.01, partitions: 1, bots: 0 })
  assert.ok(summary.byKind.item >= 1)
})

test('pages that are explored are in a random order and say so; nothing else is drawn differently without', async () => {
  const { of } = await simulated({ events: 5000, explore: 0.5 })
  const impressions = of('impression').map(({ record }) => record)
  const explored = impressions.filter(({ context }) => context.propensity !== undefined)
  const share = explored.length / impressions.length
  assert.ok(share > 0.4 && share < 0.6, String(share))
  assert.ok(explored.every(({ context }) => Math.abs(Number(context.propensity) - 1 / 6) < 0.05))
  const [plain, unexplored] = [await simulated({ events: 2000 }), await simulated({ events: 2000, explore: 0 })]
  assert.deepEqual(plain.records, unexplored.records)
})
