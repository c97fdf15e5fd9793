import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { MillraceError } from '../../../src/domain/errors.js'
import type { EventKind } from '../../../src/domain/event.js'
import { importCsv } from '../../../src/import/import-csv.js'
import { loadMapping, parseMapping } from '../../../src/import/mapping-file.js'
import type { LogRecords, LogWriter } from '../../../src/sink/sink.js'
import { packageRoot } from '../../../src/std/package-root.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-import-'))
after(() => rmSync(folder, { recursive: true }))

const BASIC = `
time: { column: ts, unit: s }
event: { column: event, values: { view: impression, tap: click, order: buy, stars: rating, noise: drop } }
fields: { user: user, item: item, value: value }
`

interface Written {
  partition: number
  kind: EventKind
  // biome-ignore lint/suspicious/noExplicitAny: every kind has other fields, and a test looks at one kind at a time
  record: any
}

async function imported(data: string | Buffer, mapping = BASIC, maxSortBytes?: number) {
  const file = join(folder, 'data.csv')
  writeFileSync(file, data)
  const records: Written[] = []
  const writer: LogWriter = {
    write: <K extends EventKind>(partition: number, kind: K, record: LogRecords[K]) =>
      void records.push({ partition, kind, record }),
    close: () => ({ records: [], bytes: 0, segments: 0 }),
  }
  const scratch = join(folder, 'scratch')
  const summary = await importCsv({
    file,
    mapping: parseMapping(mapping, 'map.yaml'),
    writer,
    scratch,
    ...(maxSortBytes === undefined ? {} : { maxSortBytes }),
  })
  return {
    records,
    summary,
    scratch,
    of: (kind: EventKind) => records.filter(one => one.kind === kind).map(({ record }) => record),
  }
}

const fails = (message: RegExp) => (error: unknown) =>
  error instanceof MillraceError && error.code === 'IMPORT_INVALID' && message.test(error.message)

test('the value of the event column decides the kind; dropped rows are counted', async () => {
  const { records, summary } = await imported(
    'ts,event,user,item,value\n1,view,a,x,\n2,tap,a,x,\n3,order,a,x,2.5\n4,stars,a,x,5\n5,noise,a,x,\n',
  )
  assert.deepEqual(
    records.map(({ kind }) => kind),
    ['impression', 'click', 'buy', 'rating'],
  )
  assert.deepEqual(
    records.map(({ record }) => record.eventTime),
    [1000, 2000, 3000, 4000],
  )
  assert.deepEqual(
    records.map(({ record }) => record.value),
    [undefined, undefined, 2.5, 5],
  )
  assert.equal(summary.dropped, 1)
  assert.equal(summary.rows, 5)
})

test('quotes, doubled quotes, delimiters and line breaks in a field, a byte order mark, CRLF and empty lines are understood', async () => {
  const mapping = `${BASIC}profiles: { item: { title: title } }\n`
  const { of } = await imported(
    '\ufeffts,event,user,item,value,title\r\n1,tap,a,x,,"The ""Best"", 2nd\nedition"\r\n\r\n2,tap,"b,c",y,,plain\r\n',
    mapping,
  )
  assert.deepEqual(
    of('item').map(({ title }) => title),
    ['The "Best", 2nd\nedition', 'plain'],
  )
  assert.deepEqual(
    of('click').map(({ user }) => user),
    ['a', 'b,c'],
  )
})

test('gzip is known by its first bytes, whatever the name; a truncated file is an error', async () => {
  const rows = Array.from({ length: 5000 }, (_, n) => `${n},tap,u${n},x,`).join('\n')
  const zipped = gzipSync(`ts,event,user,item,value\n${rows}\n`)
  assert.equal((await imported(zipped)).of('click').length, 5000)
  await assert.rejects(imported(zipped.subarray(0, zipped.length >> 1)), fails(/data\.csv:\d+: unexpected end of file/))
})

test('latin-1 text and other delimiters, without a header', async () => {
  const mapping = `delimiter: '|'\nencoding: latin1\nquote: false\nheader: false\ncolumns: [user, item, ts, title]\ntime: { column: ts, unit: ms }\nevent: click\nfields: { user: user, item: item }\nprofiles: { item: { title: title } }\n`
  const { of } = await imported(Buffer.from('a|x|5|Les Misérables "\nb|y|6|"Ü\n', 'latin1'), mapping)
  assert.deepEqual(
    of('item').map(({ title }) => title),
    ['Les Misérables "', '"Ü'],
  )
})

test('ids stay text, exact at any size', async () => {
  const { of } = await imported('ts,event,user,item,value\n1,tap,007,9223372036854775807123,\n')
  assert.equal(of('click')[0].user, '007')
  assert.equal(of('click')[0].item, '9223372036854775807123')
})

test('times in seconds, milliseconds, microseconds and ISO 8601, which is UTC without a zone', async () => {
  const at = async (unit: string, text: string) =>
    (
      await imported(
        `ts,user,item\n"${text}",a,x\n`,
        `time: { column: ts, unit: ${unit} }\nevent: click\nfields: { user: user, item: item }\n`,
      )
    ).of('click')[0].eventTime
  const expected = Date.UTC(2024, 1, 29, 12, 30, 5, 250)
  assert.equal(await at('s', '1709209805.25'), expected)
  assert.equal(await at('ms', '1709209805250'), expected)
  assert.equal(await at('us', '1709209805250000'), expected)
  for (const text of ['2024-02-29T12:30:05.250Z', '2024-02-29 12:30:05.25', '2024-02-29T14:30:05,25+02:00'])
    assert.equal(await at('iso', text), expected)
  assert.equal(await at('iso', '2024-02-29'), Date.UTC(2024, 1, 29))
  for (const [unit, text] of [
    ['s', 'soon'],
    ['s', ''],
    ['s', '-1'],
    ['iso', '29.02.2024'],
    ['ms', 'NaN'],
    ['ms', 'Infinity'],
  ]) {
    await assert.rejects(at(unit!, text!), fails(/data\.csv:2: ts: '.*' is not a time in/))
  }
})

test('rows out of order are put into order, rows of one time stay in the order of the file', async () => {
  const { of, summary } = await imported(
    'ts,event,user,item,value\n3,tap,a,1,\n1,tap,a,2,\n3,tap,a,3,\n2,tap,a,4,\n1,tap,a,5,\n',
  )
  assert.deepEqual(
    of('click').map(({ item }) => item),
    ['2', '5', '4', '1', '3'],
  )
  assert.equal(summary.reordered, 3)
  assert.equal(summary.runs, 0)
})

test('what does not fit the memory for sorting is sorted on disk, with the same result, and leaves nothing behind', async () => {
  const times = Array.from({ length: 3000 }, (_, n) => (n * 7919) % 500)
  const data = `ts,event,user,item,value\n${times.map((time, n) => `${time},tap,u${n % 9},"i${n}\u2028\n",`).join('\n')}\n`
  const inMemory = await imported(data)
  const onDisk = await imported(data, BASIC, 20_000)
  assert.ok(onDisk.summary.runs > 5)
  assert.deepEqual(onDisk.records, inMemory.records)
  assert.deepEqual(existsSync(onDisk.scratch) ? readdirSync(onDisk.scratch) : [], [])
})

test('embeddings are lists of numbers in a column, with or without brackets', async () => {
  const mapping = `${BASIC}delimiter: '|'
profiles:
  user: { embedding: taste }
  item: { embedding: text, embeddings: { photo: photo } }
`
  const header = 'ts|event|user|item|value|taste|text|photo\n'
  const { of } = await imported(`${header}1|tap|u|x||1;2|[1, -2.5e-1]|0.5 0.25\n2|tap|u|y||1;2||\n`, mapping)
  assert.deepEqual(
    of('item').map(({ embedding, embeddings }) => [embedding, embeddings]),
    [
      [[1, -0.25], { photo: [0.5, 0.25] }],
      [null, {}],
    ],
  )
  assert.deepEqual(of('user')[0].embedding, [1, 2])
  await assert.rejects(
    imported(`${header}1|tap|u|x|||1 two|\n`, mapping),
    fails(/data\.csv:2: text: '1 two' is not a list/),
  )
})

test('a profile is written before the first event of its id and again when it changes, items in partition 0', async () => {
  const mapping = `${BASIC}partitions: 4
profiles:
  user: { attributes: { zone: { column: zip, first: 1 }, band: { column: age, bands: [18, 30] } }, numbers: { age: age } }
  item: { category: cat, price: price, attributes: { tags: { column: tags, split: ' ' } } }
`
  const data = `ts,event,user,item,value,zip,age,cat,price,tags
1,tap,u2,x,,94110,17,shoes,9.5,red  blue
2,tap,u2,x,,94110,17,shoes,9.5,red  blue
3,tap,u5,x,,,30,shoes,8,
4,tap,u2,x,,94110,18,shoes,8,
`
  const { records, of, summary } = await imported(data, mapping)
  assert.deepEqual(
    records.map(({ kind, record }) => `${kind} ${record.eventTime}`),
    [
      'item 1000',
      'user 1000',
      'click 1000',
      'click 2000',
      'item 3000',
      'user 3000',
      'click 3000',
      'user 4000',
      'click 4000',
    ],
  )
  assert.deepEqual(
    of('user').map(({ id, attributes, numbers }) => [id, attributes, numbers]),
    [
      ['u2', { zone: ['9'], band: ['<18'] }, { age: 17 }],
      ['u5', { band: ['>=30'] }, { age: 30 }],
      ['u2', { zone: ['9'], band: ['18-30'] }, { age: 18 }],
    ],
  )
  assert.deepEqual(
    of('item').map(({ category, price, attributes }) => [category, price, attributes]),
    [
      ['shoes', 9.5, { tags: ['red', 'blue'] }],
      ['shoes', 8, {}],
    ],
  )
  // Neither user's own partition is 0, so an item's profile that went with its event would show.
  const places = records.map(
    ({ kind, partition, record }) => `${kind === 'item' ? 'item' : (record.user ?? record.id)} ${partition}`,
  )
  assert.deepEqual([...new Set(places)].sort(), ['item 0', 'u2 2', 'u5 3'])
  assert.equal(new Set(records.map(({ record }) => record.eventId)).size, records.length)
  assert.deepEqual([summary.users, summary.items], [2, 1])
})

test('event ids come from their column, or else from line and content: the same file gives the same ids', async () => {
  const data = 'ts,event,user,item,value\n1,tap,a,x,\n1,tap,a,x,\n'
  const first = (await imported(data)).of('click').map(({ eventId }) => eventId)
  assert.deepEqual(
    (await imported(data)).of('click').map(({ eventId }) => eventId),
    first,
  )
  assert.notEqual(first[0], first[1])
  const named = await imported(data, BASIC.replace('value: value', 'eventId: item, value: value'))
  assert.deepEqual(
    named.of('click').map(({ eventId }) => eventId),
    ['x', 'x'],
  )
})

test('request, position and context are taken over; empty fields are absent', async () => {
  const mapping =
    BASIC.replace('value: value', 'requestId: req, position: pos').replace(', stars: rating', '') +
    "context: { device: dev }\nmissing: ['NULL', -1]\n"
  const { of } = await imported('ts,event,user,item,req,pos,dev\n1,view,a,x,r1,3,phone\n2,view,a,x,NULL,-1,\n', mapping)
  assert.deepEqual(
    of('impression').map(({ requestId, position, context }) => [requestId, position, context]),
    [
      ['r1', 3, { device: 'phone' }],
      [null, null, null],
    ],
  )
})

const BAD_ROWS: [string, RegExp][] = [
  ['1,tap,a\n', /data\.csv:2: expected 5 fields \(ts, event, user, item, value\), found 3/],
  ['1,tap,a,x,,,\n', /data\.csv:2: expected 5 fields .*, found 7/],
  ['1,tap,,x,\n', /data\.csv:2: user: is empty/],
  ['1,tap,a,  ,\n', /data\.csv:2: item: is empty/],
  ['1,stars,a,x,\n', /data\.csv:2: value: a rating needs a value/],
  ['1,stars,a,x,NaN\n', /data\.csv:2: value: 'NaN' is not a number/],
  ['1,wave,a,x,\n', /data\.csv:2: event: 'wave' is not among the mapped values \(view, tap, order, stars, noise\)/],
  ['1,constructor,a,x,\n', /'constructor' is not among/],
  ['1,tap,a,"x"y,\n', /data\.csv:2: .*quote/],
]

test('a bad row stops the import with its line and what is wrong', async () => {
  for (const [row, message] of BAD_ROWS)
    await assert.rejects(imported(`ts,event,user,item,value\n${row}`), fails(message), row)
})

test('with skip, a broken quote still stops the import: good rows behind it would be swallowed uncounted', async () => {
  const skip = `${BASIC}onBadRow: skip\n`
  const behind = '2,tap,b,y,\n'.repeat(100)
  const header = 'ts,event,user,item,value\n'
  await assert.rejects(imported(`${header}1,tap,a,"x"y,\n${behind}`, skip), fails(/data\.csv:2: .*quote.*quote: false/))
  await assert.rejects(
    imported(`${header}1,tap,a,x,\n1,tap,a,"xy,\n${behind}`, skip),
    fails(/data\.csv:3: .*quote.*quote: false/),
  )
  const text = await imported(`${header}1,tap,a,"x"y,\n${behind}`, `${skip}quote: false\n`)
  assert.equal(text.of('click').length, 101)
  assert.equal(text.of('click')[0].item, '"x"y')
})

test('with onBadRow: skip, bad rows are left out, counted, and the first ten are named', async () => {
  const recoverable = [...BAD_ROWS.slice(0, -1).map(([row]) => row), '1,tap,a,x"y,\n']
  const bad = recoverable.join('')
  const { of, summary } = await imported(
    `ts,event,user,item,value\n1,tap,a,x,\n${bad}${'2,tap,a\n'.repeat(5)}9,tap,b,y,\n`,
    `${BASIC}onBadRow: skip\n`,
  )
  assert.deepEqual(
    of('click').map(({ user }) => user),
    ['a', 'b'],
  )
  assert.equal(summary.badRows, recoverable.length + 5)
  assert.equal(summary.examples.length, 10)
  assert.ok(summary.examples.some(({ line, message }) => line === 3 && /found 3/.test(message)))
})

test('a column that is not there is named with its place in the mapping and the one that was meant', async () => {
  await assert.rejects(
    imported('ts,event,usr,item,value\n1,tap,a,x,\n'),
    fails(/^map\.yaml:4:17: fields\.user: .*data\.csv has no column 'user', did you mean 'usr'\?$/),
  )
})

test('an empty file, a missing file and a header of another length are errors', async () => {
  await assert.rejects(imported(''), fails(/data\.csv: the file is empty/))
  await assert.rejects(
    imported('a,b\n', `${BASIC}columns: [ts, event, user, item, value]\n`),
    fails(/data\.csv:1: the header has 2 columns, the mapping names 5/),
  )
  const writer: LogWriter = { write() {}, close: () => ({ records: [], bytes: 0, segments: 0 }) }
  await assert.rejects(
    importCsv({ file: join(folder, 'none.csv'), mapping: parseMapping(BASIC, 'm'), writer, scratch: folder }),
    fails(/none\.csv/),
  )
})

test('a header alone makes an empty log', async () => {
  const { summary } = await imported('ts,event,user,item,value\n')
  assert.equal(summary.records, 0)
  assert.equal(summary.startMs, null)
})

const evaluationLogs = process.env.MILLRACE_TEST_DATA ?? join(packageRoot(), '../shared/data')
const skip = existsSync(join(evaluationLogs, 'ml-100k.csv.gz'))
  ? false
  : 'the evaluation logs are not here (../shared/data)'
for (const [data, example, expected] of [
  ['ml-100k', 'ml-100k', { rating: 100_000, item: 1682, user: 943 }],
  ['tmall-dev', 'tmall', { impression: 190_387, click: 74_634, buy: 2953 }],
] as const) {
  test(`the example mapping of ${example} takes in the real log`, { skip }, async () => {
    const byKind: Partial<Record<EventKind, number>> = {}
    let lastMs = 0
    let backwards = 0
    const writer: LogWriter = {
      write(_partition, kind, record) {
        byKind[kind] = (byKind[kind] ?? 0) + 1
        if (record.eventTime < lastMs) backwards++
        lastMs = record.eventTime
      },
      close: () => ({ records: [], bytes: 0, segments: 0 }),
    }
    const mapping = loadMapping(join(packageRoot(), `examples/${example}.import.yaml`))
    const summary = await importCsv({
      file: join(evaluationLogs, `${data}.csv.gz`),
      mapping,
      writer,
      scratch: join(folder, 'scratch'),
    })
    assert.deepEqual({ ...byKind }, expected)
    assert.equal(backwards, 0)
    assert.equal(summary.badRows, 0)
  })
}
