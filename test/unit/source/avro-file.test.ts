import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDecoderFactory } from '../../../src/decode/record-decoder.js'
import type { MillraceError } from '../../../src/domain/errors.js'
import type { Codec } from '../../../src/sink/container.js'
import { createLogWriter } from '../../../src/sink/log-writer.js'
import { AvroFileSource, type AvroFileSourceOptions } from '../../../src/source/avro-file.js'
import type { Resume } from '../../../src/source/repetition.js'
import type { MergeDecision, SourceRecord } from '../../../src/source/source.js'
import { Random } from '../../../src/std/random.js'
import { bodyOf, disorderly, place, rating, readAll, sourceContract, type Written } from '../../contract/source.js'

const temporary = () => mkdtempSync(join(tmpdir(), 'millrace-source-'))
const limits = { maxDecodeBytes: 1 << 20, maxIdBytes: 512 }

function writeLog(path: string, log: readonly (readonly Written[])[], codec: Codec = 'null', blockBytes = 500): void {
  const writer = createLogWriter({ path, partitions: log.length, codec, blockBytes, segmentBytes: 20_000 })
  log.forEach((records, partition) => {
    for (const record of records) writer.write(partition, 'rating', rating(record))
  })
  writer.close()
}

const sourceOf = (path: string, more: Partial<AvroFileSourceOptions> = {}) =>
  new AvroFileSource({ path, decoderFor: createDecoderFactory(limits), ...more })

const good = (count: number): Written[] =>
  Array.from({ length: count }, (_, index) => ({ eventId: `e${index}`, eventTime: 1_600_000_000_000 + index }))

const faults = (records: readonly SourceRecord[]) =>
  records.flatMap(({ outcome, offset }) => (outcome.kind === 'reject' ? [{ ...outcome, offset }] : []))
/** A record without the block that it lies in. */
const told = ({ partition, offset, outcome, schema, ...body }: SourceRecord) => ({
  partition,
  offset,
  outcome,
  schema,
  body: bodyOf(body),
})
const eventIds = (records: readonly SourceRecord[]) =>
  records.flatMap(({ outcome }) => (outcome.kind === 'ok' ? [outcome.value.eventId] : []))

/** The only segment of a log of one partition, and where its blocks lie. */
function onlySegment(path: string): { file: string; bytes: Buffer; ends: number[]; sync: Buffer } {
  const file = join(path, 'p00', '00000000000000000000.avro')
  const bytes = readFileSync(file)
  const sync = bytes.subarray(-16)
  const ends: number[] = []
  for (let at = bytes.indexOf(sync); at >= 0; at = bytes.indexOf(sync, at + 1)) ends.push(at + 16)
  return { file, bytes, ends, sync }
}

for (const codec of ['null', 'deflate', 'snappy'] as const) {
  sourceContract(`Avro files (${codec})`, async () => {
    const path = temporary()
    return { write: async log => writeLog(path, log, codec), source: () => sourceOf(path) }
  })
}

test('a folder of .avro files is a log of one partition, whatever their names', async () => {
  const path = temporary()
  writeLog(path, [good(3000)])
  const folder = join(path, 'p00')
  const names = readdirSync(folder).sort()
  assert.ok(names.length > 2)
  names.forEach((name, index) => {
    renameSync(join(folder, name), join(folder, `part-${index}.avro`))
  })
  const all = await readAll(sourceOf(folder))
  assert.deepEqual(
    all.map(record => record.offset),
    good(3000).map((_, index) => BigInt(index)),
  )
  assert.deepEqual((await readAll(sourceOf(folder), [2500n])).map(place), all.slice(2500).map(place))
})

test('a path without a log is LOG_NOT_FOUND', async () => {
  const path = temporary()
  const missing = (error: MillraceError) => error.code === 'LOG_NOT_FOUND'
  await assert.rejects(sourceOf(join(path, 'nothing')).open([]), missing)
  await assert.rejects(sourceOf(path).open([]), missing)
  writeLog(path, [good(1)])
  await assert.rejects(sourceOf(path).open([0n, 5n]), missing)
})

test('reading on where the log has been pruned is LOG_CORRUPT, not silence', async () => {
  const path = temporary()
  writeLog(path, [good(3000)])
  const [oldest] = readdirSync(join(path, 'p00')).sort()
  renameSync(join(path, 'p00', oldest ?? ''), join(path, 'p00', 'kept-elsewhere'))
  await assert.rejects(sourceOf(path).open([5n]), (error: MillraceError) => error.code === 'LOG_CORRUPT')
  assert.ok((await readAll(sourceOf(path))).length > 1000)
})

test('an unknown codec is LOG_CORRUPT and named', async () => {
  const path = temporary()
  writeLog(path, [good(5)])
  const { file, bytes } = onlySegment(path)
  const at = bytes.indexOf('avro.codec\x08null')
  bytes.write('xz!!', at + 11)
  writeFileSync(file, bytes)
  await assert.rejects(readAll(sourceOf(path)), /codec 'xz!!'/)
})

test('a file cut at any byte gives its complete blocks, and one reject for what is left of the next', async () => {
  const path = temporary()
  writeLog(path, [good(16)], 'null', 120)
  const { file, bytes, ends } = onlySegment(path)
  assert.ok(ends.length > 4)
  const whole = await readAll(sourceOf(path))
  const perBlock = [0]
  for (const end of ends.slice(1)) {
    writeFileSync(file, bytes.subarray(0, end))
    const records = await readAll(sourceOf(path))
    assert.deepEqual(faults(records), [])
    perBlock.push(records.length)
  }
  const header = ends[0] ?? 0
  for (let cut = 0; cut < bytes.length; cut += cut > 20 && cut < header - 40 ? 20 : 1) {
    writeFileSync(file, bytes.subarray(0, cut))
    const records = await readAll(sourceOf(path))
    const blocks = ends.filter(end => end <= cut).length
    const complete = perBlock[Math.max(0, blocks - 1)] ?? 0
    const isExact = cut === 0 || ends.includes(cut)
    assert.deepEqual(records.slice(0, complete).map(told), whole.slice(0, complete).map(told))
    assert.equal(records.length, complete + (isExact ? 0 : 1), `cut at ${cut}`)
    const [fault] = faults(records)
    assert.equal(fault?.reason, isExact ? undefined : 'corrupt-block')
    if (blocks > 0 && fault !== undefined) {
      assert.equal(fault.offset, BigInt(complete))
      assert.match(fault.message, new RegExp(`the last good byte is ${(ends[blocks - 1] ?? 0) - 1}$`))
      const last = records.at(-1)
      assert.ok(last !== undefined)
      assert.deepEqual(bodyOf(last), bytes.subarray(ends[blocks - 1], cut))
    }
  }
})

test('any single damaged byte costs at most its block, and nothing is lost silently or thrown', async () => {
  for (const codec of ['null', 'snappy', 'deflate'] as const) {
    const path = temporary()
    writeLog(path, [good(24)], codec, 120)
    const { file, bytes, ends } = onlySegment(path)
    const whole = eventIds(await readAll(sourceOf(path)))
    // A damaged sync marker costs the block before it and the one behind it.
    const most = 2 * Math.ceil(24 / (ends.length - 2))
    for (let at = ends[0] ?? 0; at < bytes.length; at += codec === 'null' ? 1 : 7) {
      const damaged = Buffer.from(bytes)
      damaged[at] = (damaged[at] ?? 0) ^ (1 << (at % 8))
      writeFileSync(file, damaged)
      const records = await readAll(sourceOf(path))
      const seen = new Set(eventIds(records))
      const missing = whole.filter(id => !seen.has(id))
      assert.ok(missing.length <= most + 1, `${codec}: ${missing.length} lost by byte ${at}`)
      // Deflate has no checksum: damage there may read as other text.
      if (codec !== 'deflate' && missing.length > 1)
        assert.ok(faults(records).length >= 1, `${codec}: silent loss by byte ${at}`)
      if (codec === 'snappy' && missing.length > 0) assert.equal(faults(records)[0]?.reason, 'corrupt-block')
    }
  }
})

test('offsets behind a damaged block are those of an undamaged log, and reading on there agrees', async () => {
  const path = temporary()
  writeLog(path, [good(60)], 'snappy', 300)
  const { file, bytes, ends } = onlySegment(path)
  const whole = await readAll(sourceOf(path))
  bytes[(ends[1] ?? 0) + 12] = (bytes[(ends[1] ?? 0) + 12] ?? 0) ^ 0xff
  writeFileSync(file, bytes)
  const records = await readAll(sourceOf(path))
  const bad = records.findIndex(record => record.outcome.kind === 'reject')
  assert.ok(bad > 0)
  assert.deepEqual(records.slice(bad + 1).map(told), whole.slice(-records.length + bad + 1).map(told))
  for (let from = 0; from <= 60; from++) {
    const rest = await readAll(sourceOf(path), [BigInt(from)])
    assert.deepEqual(
      rest,
      records.filter(record => record.offset >= BigInt(from)),
    )
  }
})

test('a stretch of garbage over several blocks is one reject, and its dead letter is bounded', async () => {
  const path = temporary()
  writeLog(path, [good(200)], 'null', 300)
  const { file, bytes, ends } = onlySegment(path)
  const from = ends[2] ?? 0
  const to = ends[9] ?? 0
  writeFileSync(file, Buffer.concat([bytes.subarray(0, from), Buffer.alloc(3_000_000, 0xff), bytes.subarray(to - 16)]))
  const records = await readAll(sourceOf(path, { keepBytes: 1000 }))
  assert.equal(faults(records).length, 1)
  const at = records.findIndex(record => record.outcome.kind === 'reject')
  assert.equal(records[at]?.end, 1000)
  assert.match(faults(records)[0]?.message ?? '', new RegExp(`bytes ${from} to ${from + 3_000_015}: `))
  assert.ok(records.length - at > 50)
})

test('the next sync marker is found wherever it lies in the chunks that are read', async () => {
  const path = temporary()
  writeLog(path, [good(40)], 'null', 300)
  const { file, bytes, ends } = onlySegment(path)
  const from = ends[1] ?? 0
  const rest = bytes.subarray((ends[2] ?? 0) - 16)
  const expected = eventIds(await readAll(sourceOf(path))).length
  for (let before = -1; before <= 17; before++) {
    const garbage = Buffer.alloc((1 << 18) - before - from, 0xff)
    writeFileSync(file, Buffer.concat([bytes.subarray(0, from), garbage, rest]))
    const records = await readAll(sourceOf(path))
    assert.equal(faults(records).length, 1)
    assert.ok(eventIds(records).length > expected - 15, `marker ${before} bytes before the end of a chunk`)
  }
})

test('a file that is no container is one reject, and the next segment is read', async () => {
  const path = temporary()
  writeLog(path, [good(3000)])
  const [first, second] = readdirSync(join(path, 'p00')).sort()
  writeFileSync(join(path, 'p00', first ?? ''), 'not Avro at all')
  const records = await readAll(sourceOf(path))
  assert.deepEqual(
    faults(records).map(fault => fault.reason),
    ['corrupt-block'],
  )
  assert.equal(records[1]?.offset, BigInt((second ?? '').slice(0, 20)))
})

test('a block with a lying count keeps later segments in their place', async () => {
  const path = temporary()
  writeLog(path, [good(3000)], 'null', 300)
  const [first, second] = readdirSync(join(path, 'p00')).sort()
  const file = join(path, 'p00', first ?? '')
  const bytes = readFileSync(file)
  const start = bytes.indexOf(bytes.subarray(-16)) + 16
  bytes[start] = 126 // 63 records, far more than there are
  writeFileSync(file, bytes)
  const records = await readAll(sourceOf(path))
  const next = BigInt((second ?? '').slice(0, 20))
  const inFirst = records.filter(record => record.offset < next)
  assert.ok(faults(inFirst).length >= 1)
  assert.deepEqual(
    records.slice(inFirst.length).map(record => record.offset),
    Array.from({ length: 3000 - Number(next) }, (_, index) => next + BigInt(index)),
  )
})

test('following: blocks are delivered when they are complete, then new segments, and idle time gives an empty batch', async () => {
  const path = temporary()
  writeLog(path, [good(3000)])
  const folder = join(path, 'p00')
  const names = readdirSync(folder).sort()
  const contents = names.map(name => readFileSync(join(folder, name)))
  for (const name of names) renameSync(join(folder, name), join(path, name))

  // The log grows by a piece at every look at it.
  const pieces: [name: string, bytes: Buffer][] = []
  names.forEach((name, index) => {
    const content = contents[index] ?? Buffer.alloc(0)
    for (let at = 0; at < content.length; at += 4099) pieces.push([name, content.subarray(at, at + 4099)])
  })
  const wait = async () => {
    const piece = pieces.shift()
    if (piece !== undefined) appendFileSync(join(folder, piece[0]), piece[1])
  }
  const source = sourceOf(path, { follow: true, idleMs: 100, wait })
  await source.open([])
  const records: SourceRecord[] = []
  for (let idle = 0; idle < 2; ) {
    const batch = await source.next()
    assert.ok(batch !== undefined)
    idle = batch.length === 0 && pieces.length === 0 ? idle + 1 : 0
    records.push(...batch)
  }
  assert.equal(source.progress(), undefined)
  await source.close()
  assert.deepEqual(
    eventIds(records),
    good(3000).map(record => record.eventId),
  )
  assert.deepEqual(faults(records), [])
})

test('following: an idle partition is waited for once, then the others go on without it', async () => {
  const path = temporary()
  writeLog(path, [good(10), []])
  let waits = 0
  const wait = async () => {
    waits++
  }
  const source = sourceOf(path, { follow: true, idleMs: 200, wait })
  await source.open([])
  const batch = await source.next()
  assert.deepEqual(
    eventIds(batch ?? []),
    good(10).map(record => record.eventId),
  )
  assert.equal(waits, 4)
  await source.close()
})

/** Reads a log of disorderly partitions of which a piece comes only when the reader waits; some waits bring nothing. */
async function readGrowing(log: readonly (readonly Written[])[], seed: number, resume?: Resume, from: bigint[] = []) {
  const path = temporary()
  const writer = createLogWriter({ path, partitions: log.length, blockBytes: 1 })
  const random = new Random(seed)
  const left = log.map(records => [...records])
  const arrive = () => {
    const silent = random.integer(left.length)
    for (const [partition, records] of left.entries()) {
      if (partition === silent) continue
      for (const record of records.splice(0, random.integer(60))) writer.write(partition, 'rating', rating(record))
    }
  }
  // All of it is there for who repeats: only what is read afterwards may still come.
  if (resume === undefined) arrive()
  else while (left.some(({ length }) => length > 0)) arrive()
  let waits = 0
  const decisions: MergeDecision[] = []
  const source = sourceOf(path, {
    follow: true,
    maxFutureMs: 1000,
    onDecision: decision => decisions.push(decision),
    wait: async () => {
      if (++waits % 9 === 0) arrive()
    },
  })
  if (resume !== undefined) source.resume(resume)
  await source.open(from)
  const records: SourceRecord[] = []
  const standing: { records: number; decisions: MergeDecision[] }[] = []
  const total = log.flat().length - Number(from.reduce((sum, offset) => sum + offset, 0n))
  while (records.length < total) {
    const wasFollowing = source.following
    const decided = decisions.length
    const batch = (await source.next()) ?? []
    if (wasFollowing) assert.equal(decisions.length, decided, 'the clock has no say in a repetition')
    // Behind what was given before, and before what comes with it.
    const at = (resume?.records ?? 0) + records.length
    for (const decision of decisions.slice(decided)) assert.equal(decision.records, at)
    records.push(...batch)
    standing.push({ records: at + batch.length, decisions: source.standing() })
  }
  await source.close()
  writer.close()
  return { places: records.map(place), decisions, standing, partitions: source.partitions }
}

test('following: what the clock decided, given back, makes the same order, from the beginning and from any checkpoint', async () => {
  const log = disorderly(4, 250)
  // Too far for its place: what lies behind it is looked at.
  for (const at of [60, 200, 201]) (log[1]![at] as Written).eventTime += 1_000_000
  const first = await readGrowing(log, 1)
  assert.ok(first.decisions.length > 10, `${first.decisions.length} decisions`)
  const untilAt = (records: number) =>
    log.map((_, partition) =>
      BigInt(first.places.slice(0, records).filter(at => at.startsWith(`${partition}:`)).length),
    )
  const { partitions, places, decisions } = first
  const all = await readGrowing(log, 2, { partitions, records: 0, decisions, until: untilAt(places.length) })
  assert.deepEqual(all.places, places)
  for (const { records, decisions: standing } of first.standing.filter((_, index) => index % 6 === 1)) {
    const resume = {
      partitions,
      records,
      decisions: [...standing, ...decisions.filter(one => one.records >= records)],
      until: untilAt(Math.max(places.length - 100, records)),
    }
    const rest = await readGrowing(log, records, resume, untilAt(records))
    const repeated = Math.max(places.length - 100 - records, 0)
    assert.deepEqual(rest.places.slice(0, repeated), places.slice(records, records + repeated), `from ${records}`)
    assert.equal(new Set(rest.places).size, places.length - records)
  }
})

test('following: a log that has lost what was recorded of it goes on with what there is, and each record is given once', async () => {
  const log = disorderly(3, 100)
  const resume = { partitions: ['p00', 'p01', 'p02'], records: 0, decisions: [], until: [50n, 400n, 50n] }
  const { places } = await readGrowing(log, 3, resume)
  assert.equal(new Set(places).size, 300)
})

test('following: damage in the middle does not wait for ever, an unfinished block does', async () => {
  const path = temporary()
  writeLog(path, [good(60)], 'null', 300)
  const { file, bytes, ends } = onlySegment(path)
  const head = ends[1] ?? 0
  bytes[head + 1] = 0xfe // the size of the second block now points far beyond the file
  bytes[head + 2] = 0xff
  bytes[head + 3] = 0x0f
  writeFileSync(file, bytes.subarray(0, -5))
  const source = sourceOf(path, { follow: true, idleMs: 10, wait: async () => undefined })
  await source.open([])
  const records: SourceRecord[] = []
  for (let batch = await source.next(); batch !== undefined && batch.length > 0; batch = await source.next()) {
    records.push(...batch)
  }
  assert.equal(faults(records).length, 1)
  const before = records.length
  assert.ok(before > 30)
  appendFileSync(file, bytes.subarray(-5))
  const batch = await source.next()
  assert.ok((batch?.length ?? 0) > 0)
  assert.equal(faults(batch ?? []).length, 0)
  await source.close()
})

test('closing a follower that waits ends it', async () => {
  const path = temporary()
  mkdirSync(join(path, 'p00'))
  let release = () => {}
  const waiting = new Promise<void>(resolve => {
    release = resolve
  })
  const source = sourceOf(path, { follow: true, wait: () => waiting })
  await source.open([])
  const next = source.next()
  const closing = source.close()
  release()
  await closing
  assert.equal(await next, undefined)
})

test('two readers of a disorderly log of several segments see the same', async () => {
  const path = temporary()
  writeLog(path, disorderly(4, 2000), 'deflate')
  const [one, two] = await Promise.all([readAll(sourceOf(path)), readAll(sourceOf(path))])
  assert.deepEqual(one, two)
})
