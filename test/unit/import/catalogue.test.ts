import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { MillraceError } from '../../../src/domain/errors.js'
import { type CatalogueItem, type CatalogueOptions, readCatalogue } from '../../../src/import/catalogue.js'

const folder = mkdtempSync(join(tmpdir(), 'millrace-catalogue-'))
after(() => rmSync(folder, { recursive: true }))

async function read(name: string, data: string | Buffer, changes: Partial<CatalogueOptions> = {}) {
  const file = join(folder, name)
  writeFileSync(file, data)
  const bad: string[] = []
  const shares: number[] = []
  const items: CatalogueItem[] = []
  const options: CatalogueOptions = {
    file,
    format: { lines: name.includes('json') ? 'json' : 'csv', delimiter: ',', quote: '"' },
    ...{ id: 'sku', texts: ['title', 'description'], attributes: [], numbers: [], split: undefined, required: ['sku'] },
    eventTimeMs: 7,
    onBadLine: (line, message) => void bad.push(`${line}: ${message}`),
    onShare: share => void shares.push(share),
    ...changes,
  }
  for await (const item of readCatalogue(options)) items.push(item)
  return { items, bad, shares }
}

const fails = (message: RegExp) => (error: unknown) =>
  error instanceof MillraceError && error.code === 'IMPORT_INVALID' && message.test(error.message)

const PROFILE = { attributes: ['colour'], numbers: ['price', 'weight'], split: '|' }

test('CSV and JSON lines that say the same of an item give the same record and text, gzip or not', async () => {
  const csv = 'sku,title,description,colour,price,weight\nk1,Kettle," It boils, fast ",red|blue,19.9,\n'
  const json = `${JSON.stringify({
    ...{
      sku: 'k1',
      title: 'Kettle',
      description: 'It boils, fast',
      colour: ['red', 'blue'],
      price: 19.9,
      weight: null,
    },
  })}\n`
  const expected = {
    record: {
      ...{ eventId: 'catalogue-7-1-k1', eventTime: 7, id: 'k1', title: 'Kettle', price: 19.9, numbers: {} },
      attributes: { colour: ['red', 'blue'] },
    },
    text: 'Kettle. It boils, fast',
  }
  assert.deepEqual((await read('a.jsonl', json, PROFILE)).items, [expected])
  assert.deepEqual((await read('b.jsonl.gz', gzipSync(json), PROFILE)).items, [expected])
  const inCsv = { ...expected, record: { ...expected.record, eventId: 'catalogue-7-2-k1' } }
  assert.deepEqual((await read('a.csv', csv, PROFILE)).items, [inCsv])
  assert.deepEqual((await read('b.csv.gz', gzipSync(csv), PROFILE)).items, [inCsv])
})

test('a column that is nowhere is named with the file and with what was probably meant', async () => {
  const required = ['sku', 'descripton']
  const message = /x\.(csv|jsonl): nothing is called 'descripton', did you mean 'description'\?/
  await assert.rejects(read('x.csv', 'sku,description\n1,a\n', { required }), fails(message))
  await assert.rejects(read('x.jsonl', '{"sku":1,"description":"a"}', { required }), fails(message))
  await assert.rejects(read('x.csv', 'sku,name\n1,a\n'), fails(/none of title, description is there.*it has sku, name/))
})

test('lines that say nothing readable are told with their number, and the others are read', async () => {
  const lines = ['{"sku":1,"title":"a"}', '{"sku":', '', '7', '{"title":"b"}', '{"sku":{},"title":"b"}']
  const more = [
    '{"sku":9007199254740993,"title":"c"}',
    '{"sku":2,"title":"c","price":"9,90 EUR"}',
    '{"sku":3,"title":"d"}',
  ]
  const { items, bad } = await read('x.jsonl', `\uFEFF${[...lines, ...more].join('\r\n')}`, { numbers: ['price'] })
  assert.deepEqual(
    items.map(({ record }) => record.id),
    ['1', '3'],
  )
  assert.deepEqual(
    bad.map(one => one.slice(0, 30)),
    [
      '2: no JSON: Unexpected end of ',
      '4: expected an object',
      '5: sku: expected one id of an ',
      '6: sku: expected a text, a num',
      '7: sku: a number above 2^53 is',
      "8: price: '9,90 EUR' is not a ",
    ],
  )
  assert.deepEqual((await read('x.csv', 'sku,title\n1\n,b\n2,c\n')).bad, [
    '2: expected 2 fields (sku, title), found 1',
    '3: sku: expected one id of an item',
  ])
})

test('one list instead of lines, a cut gzip file and a line without end are refused at their place', async () => {
  await assert.rejects(read('x.json', '[\n{"sku":1}\n]'), fails(/x\.json:1: .*found a list; jq/))
  const whole = gzipSync('{"sku":1,"title":"a"}\n'.repeat(1000))
  await assert.rejects(read('x.json.gz', whole.subarray(0, -12)), fails(/x\.json\.gz:\d+: unexpected end of file/))
  await assert.rejects(read('x.json', `{"sku":1}\n${'x'.repeat(17_000_000)}`), fails(/x\.json:2: longer than/))
  await assert.rejects(read('none/x.json', ''), /ENOENT/)
})

test('a letter that lies across two reads of the file stays one, and how much is read is told', async () => {
  const title = 'ä€😀'.repeat(100_000)
  const { items, shares } = await read('x.jsonl', `${JSON.stringify({ sku: 1, title })}\n{"sku":2}`)
  assert.deepEqual(
    items.map(({ text }) => text),
    [title, ''],
  )
  assert.ok(shares.length > 2 && shares.at(-1) === 1)
})
