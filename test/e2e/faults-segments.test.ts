/** Segments that are cut off, damaged, foreign or empty: what can be read is learned, and the rest is said with its place. */
import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import avro from 'avsc'
import { createLogWriter, type LogWriterOptions } from '../../src/sink/log-writer.js'
import { readSchemaFile } from '../../src/std/schema-file.js'
import { millrace } from '../helpers/process.js'
import { type DeadLetter, START_MS, Workspace, writePlainLog } from '../helpers/workspace.js'

const PAGES = 120
const BLOCK_BYTES = 1000
/** Records of a block, at most. */
const A_BLOCK = 36
const RECORDS = 20 + PAGES * 5 + 2 * (PAGES / 5)

function plainLog(options: Partial<LogWriterOptions> = {}): Workspace {
  const workspace = new Workspace()
  const writer = createLogWriter({ path: workspace.path('log'), partitions: 1, blockBytes: BLOCK_BYTES, ...options })
  writePlainLog(writer, PAGES)
  writer.close()
  return workspace
}

const segments = (workspace: Workspace) =>
  readdirSync(workspace.path('log', 'p00'))
    .sort()
    .map(name => workspace.path('log', 'p00', name))

/** Ends of the blocks of a segment, the header's first. */
function blockEnds(file: string): number[] {
  const bytes = readFileSync(file)
  const sync = bytes.subarray(-16)
  const ends: number[] = []
  for (let at = bytes.indexOf(sync); at >= 0; at = bytes.indexOf(sync, at + 1)) ends.push(at + 16)
  return ends
}

async function replay(workspace: Workspace) {
  const { code, stdout, stderr } = await millrace(['replay', workspace.path('millrace.yaml'), '--json'])
  assert.equal(code, 0, stderr)
  const summary = JSON.parse(stdout)
  const read = Object.values(summary.counts.events as Record<string, number>).reduce((sum, count) => sum + count, 0)
  return { ...summary, read, letters: await workspace.records<DeadLetter>('dead-letters') }
}

test('a segment that was cut off in the middle: the rest of the log is learned, the cut is named by file and bytes', async () => {
  const workspace = plainLog({ segmentBytes: 12_000 })
  const [, second, third] = segments(workspace)
  assert.ok(second !== undefined && third !== undefined)
  const ends = blockEnds(second)
  const lastGood = ends.at(-3) ?? 0
  const size = lastGood + 300
  const cutOff = readFileSync(second).subarray(lastGood, size)
  truncateSync(second, size)

  const { counts, read, letters } = await replay(workspace)
  assert.deepEqual(counts.rejects, { 'corrupt-block': 1 })
  const [letter] = letters
  assert.ok(letter !== undefined && letters.length === 1)
  assert.ok(letter.message.includes(`${second}, bytes ${lastGood} to ${size - 1}:`), letter.message)
  assert.match(letter.message, /not complete; the last good byte is \d+/)
  assert.ok(letter.payload.equals(cutOff))
  assert.ok(read < RECORDS && read >= RECORDS - 3 * A_BLOCK, `${read} of ${RECORDS}`)
})

test('a log that ends in the middle of a record is learned up to there, and goes on when the rest has come', async () => {
  const workspace = plainLog()
  const [file] = segments(workspace)
  assert.ok(file !== undefined)
  const whole = readFileSync(file)
  const lastGood = blockEnds(file).at(-2) ?? 0
  truncateSync(file, whole.length - 100)
  const { counts, read, letters } = await replay(workspace)
  assert.deepEqual(counts.rejects, { 'corrupt-block': 1 })
  assert.ok(letters[0]?.message.includes(`bytes ${lastGood} to ${whole.length - 101}`), letters[0]?.message)
  assert.ok(read < RECORDS)

  // The end was said to be the end: what comes later is new, and has offsets behind the dead letter's.
  writeFileSync(file, whole)
  const { stdout, code } = await millrace(['run', workspace.path('millrace.yaml'), '--json'])
  assert.equal(code, 0)
  assert.equal(JSON.parse(stdout).records, RECORDS)
})

for (const codec of ['deflate', 'snappy'] as const) {
  test(`damage inside a ${codec} block costs that block and no other`, async () => {
    const workspace = plainLog({ codec })
    const [file] = segments(workspace)
    assert.ok(file !== undefined)
    const bytes = readFileSync(file)
    const ends = blockEnds(file)
    const [from = 0, to = 0] = ends.slice(3, 5)
    const middle = Math.floor((from + to) / 2)
    // Snappy blocks have a checksum, so a bit is enough. What deflate can not tell apart nobody can.
    if (codec === 'snappy') bytes.writeUInt8((bytes[middle] ?? 0) ^ 0x10, middle)
    else bytes.fill(0xff, from + 4, from + 12)
    writeFileSync(file, bytes)
    const { counts, read, letters } = await replay(workspace)
    assert.ok(letters.length > 0, 'nothing was noticed')
    assert.ok(Object.keys(counts.rejects).every(reason => reason === 'corrupt-block' || reason === 'undecodable'))
    assert.ok(letters[0]?.message.includes(file), letters[0]?.message)
    assert.ok(read < RECORDS && read >= RECORDS - A_BLOCK, `${read} of ${RECORDS}`)
  })
}

test('a block that lost its end marker takes what follows up to the next marker, and no more', async () => {
  const workspace = plainLog()
  const [file] = segments(workspace)
  assert.ok(file !== undefined)
  const bytes = readFileSync(file)
  const ends = blockEnds(file)
  const [from = 0, marker = 0, next = 0] = ends.slice(4, 7)
  bytes.fill(0, marker - 16, marker)
  writeFileSync(file, bytes)
  const { letters, read } = await replay(workspace)
  assert.equal(letters.length, 1)
  assert.ok(
    letters[0]?.message.includes(`${file}, bytes ${from} to ${next - 1}: a block does not end with the sync marker`),
  )
  assert.ok(letters[0]?.payload.equals(bytes.subarray(from, next)))
  assert.ok(read < RECORDS && read >= RECORDS - 2 * A_BLOCK, `${read} of ${RECORDS}`)
})

test('files that are no Avro files, empty ones, and folders of none are no reason to stop', async () => {
  const workspace = plainLog({ segmentBytes: 12_000 })
  const files = segments(workspace)
  const [first = '', second = ''] = files
  writeFileSync(second, 'this is a text file\n'.repeat(50))
  writeFileSync(workspace.path('log', 'p00', '00000000000000099999.avro'), '')
  mkdirSync(workspace.path('log', 'p01'))
  const { counts, letters, read } = await replay(workspace)
  assert.deepEqual(counts.rejects, { 'corrupt-block': 1 })
  assert.match(letters[0]?.message ?? '', /bytes 0 to 999: the header of the file can not be read/)
  assert.ok(read > 20 && read < RECORDS)
  for (const file of files) rmSync(file)
  appendFileSync(first, '')
  const empty = await replay(workspace)
  assert.deepEqual({ read: empty.read, steps: empty.steps }, { read: 0, steps: 0 })
})

/** A segment behind the plain log, written by a tool that is not ours. */
function appendForeign(workspace: Workspace, schema: unknown, records: readonly unknown[]): Promise<void> {
  const name = `${String(RECORDS).padStart(20, '0')}.avro`
  const encoder = avro.createFileEncoder(workspace.path('log', 'p00', name), schema as avro.Schema)
  return new Promise((resolve, reject) => {
    encoder.on('error', reject).on('finish', () => resolve())
    for (const record of records) encoder.write(record)
    encoder.end()
  })
}

test('record types that nobody knows are counted and kept; those beside them are learned', async () => {
  const workspace = plainLog()
  const rating = readSchemaFile('rating') as { name: string; namespace: string }
  const full = `${rating.namespace}.${rating.name}`
  const wish = { type: 'record', name: 'Wish', namespace: 'shop.other', fields: [{ name: 'what', type: 'string' }] }
  const value = {
    eventId: 'foreign',
    eventTime: START_MS + PAGES * 60_000,
    user: 'u1',
    item: 'i1',
    value: 4,
  }
  const records = [
    { 'shop.other.Wish': { what: 'a pony' } },
    { [full]: value },
    { 'shop.other.Wish': { what: 'a boat' } },
  ]
  await appendForeign(workspace, [rating, wish], records)
  const { counts, letters, read } = await replay(workspace)
  assert.deepEqual(counts.rejects, { 'unknown-event': 2 })
  assert.equal(read, RECORDS + 1)
  const type = avro.Type.forSchema(wish as never)
  for (const [index, what] of ['a pony', 'a boat'].entries()) {
    assert.equal(type.fromBuffer(letters[index]?.payload ?? Buffer.alloc(0)).what, what)
    assert.equal(JSON.parse(letters[index]?.schema ?? '{}').name, 'Wish')
  }
})

test('a schema that can not be read as ours costs its segment, record by record', async () => {
  const workspace = plainLog()
  const schema = {
    type: 'record',
    name: 'Click',
    namespace: (readSchemaFile('click') as { namespace: string }).namespace,
    fields: ['eventId', 'eventTime', 'user', 'item'].map(name => ({ name, type: 'string' })),
  }
  const records = ['a', 'b'].map(eventId => ({ eventId, eventTime: 'yesterday', user: 'u1', item: 'i1' }))
  await appendForeign(workspace, schema, records)
  const { counts, letters, read } = await replay(workspace)
  assert.equal(read, RECORDS)
  assert.deepEqual(counts.rejects, { 'schema-incompatible': 2 })
  for (const [index, record] of records.entries()) {
    const { schema, payload, message } = letters[index] ?? assert.fail()
    assert.deepEqual({ ...avro.Type.forSchema(JSON.parse(schema ?? '')).fromBuffer(payload) }, record)
    assert.match(message, /Click' can not be read: cannot read "string" as "long"/)
  }
})
