/**
 * Our container files and Python fastavro's: each reads what the other writes. The exchange format is JSON, with longs as
 * text, so that nothing is lost on the way.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createDecoderFactory } from '../../src/decode/record-decoder.js'
import { AvroFileSink } from '../../src/sink/avro-file.js'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { createPredictionRecord, type KeyedSnapshot, snapshotRecord } from '../../src/sink/output-records.js'
import { AvroFileSource } from '../../src/source/avro-file.js'
import { readSchemaFile } from '../../src/std/schema-file.js'
import { readAll } from '../contract/source.js'

const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
const python = join(cache, 'millrace', 'py', 'bin', 'python')
const skip = existsSync(python) ? false : 'python tools are not provisioned (scripts/provision-python)'
const codecs = ['null', 'deflate', 'snappy'] as const

const READ = `
import datetime, fastavro, json, sys
def plain(value):
    if isinstance(value, bool) or value is None: return value
    if isinstance(value, int): return {'long': str(value)}
    if isinstance(value, bytes): return {'bytes': value.hex()}
    if isinstance(value, datetime.datetime): return {'millis': round(value.timestamp() * 1000)}
    if isinstance(value, dict): return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list): return [plain(inner) for inner in value]
    return value
with open(sys.argv[1], 'rb') as file:
    reader = fastavro.reader(file)
    records = [plain(record) for record in reader]
    print(json.dumps({'codec': reader.codec, 'records': records}))
`
const WRITE = `
import fastavro, json, sys
job = json.load(sys.stdin)
with open(sys.argv[1], 'wb') as file:
    fastavro.writer(file, fastavro.parse_schema(job['schema']), job['records'], codec=job['codec'], sync_interval=200)
`

interface PythonFile {
  codec: string
  records: Record<string, unknown>[]
}
const readByPython = (file: string): PythonFile =>
  JSON.parse(execFileSync(python, ['-c', READ, file], { maxBuffer: 1 << 28 }).toString())
const writeByPython = (file: string, job: object) =>
  execFileSync(python, ['-c', WRITE, file], { input: JSON.stringify(job) })
const temporary = () => mkdtempSync(join(tmpdir(), 'millrace-interop-'))
const firstSegment = '00000000000000000000.avro'
const long = (value: number | bigint) => ({ long: String(value) })

for (const codec of codecs) {
  test(`fastavro reads our event log (${codec})`, { skip }, () => {
    const path = temporary()
    const writer = createLogWriter({ path, partitions: 1, codec, blockBytes: 400 })
    for (let index = 0; index < 200; index++) {
      const stamp = { eventId: `é-${index}`, eventTime: 1_600_000_000_123 + index }
      writer.write(0, 'impression', {
        ...stamp,
        user: 2n ** 62n + BigInt(index),
        item: `i${index}`,
        position: index + 1,
      })
      writer.write(0, 'item', {
        ...stamp,
        id: BigInt(-index),
        title: 'Größe 10',
        price: 1.5,
        attributes: { a: ['x', 'y'] },
      })
    }
    writer.close()
    const { records, ...file } = readByPython(join(path, 'p00', firstSegment))
    assert.equal(file.codec, codec)
    assert.equal(records.length, 400)
    assert.deepEqual(records[20], {
      eventId: 'é-10',
      eventTime: { millis: 1_600_000_000_133 },
      user: long(2n ** 62n + 10n),
      item: 'i10',
      requestId: null,
      position: long(11),
      context: null,
    })
    assert.deepEqual(records[21], {
      eventId: 'é-10',
      eventTime: { millis: 1_600_000_000_133 },
      id: long(-10),
      title: 'Größe 10',
      text: null,
      category: null,
      brand: null,
      price: 1.5,
      embedding: null,
      embeddings: {},
      attributes: { a: ['x', 'y'] },
      numbers: {},
    })
  })

  test(`fastavro reads our outputs (${codec})`, { skip }, async () => {
    const path = temporary()
    const sink = new AvroFileSink({
      path,
      schema: 'prediction',
      codec,
      toRecord: createPredictionRecord(['click', 'buy']),
    })
    const prediction = {
      eventId: 'e',
      requestId: null,
      eventTimeMs: 5,
      user: '7',
      item: 'i',
      modelVersion: 9,
      rankScore: 2,
    }
    sink.append({ ...prediction, values: Float32Array.of(0.5, 0.25) })
    await sink.close()
    assert.deepEqual(readByPython(join(path, firstSegment)).records, [
      {
        eventId: 'e',
        requestId: null,
        eventTime: { millis: 5 },
        user: '7',
        item: 'i',
        modelVersion: long(9),
        values: { click: 0.5, buy: 0.25 },
        rankScore: 2,
      },
    ])
    const folder = join(path, 'snapshots')
    const snapshots = new AvroFileSink<KeyedSnapshot>({
      path: folder,
      schema: 'snapshot',
      codec,
      toRecord: snapshotRecord,
    })
    snapshots.append({ key: 'gone', record: null })
    const record = {
      version: 3,
      parent: null,
      kind: 'full',
      part: 'model',
      chunk: 0,
      chunks: 1,
      payload: Uint8Array.of(1, 2, 255),
      manifest: null,
    } as const
    snapshots.append({ key: 'chunk', record })
    const offsets = [{ partition: 'p00', offset: '12' }]
    const head = { configHash: 'h', eventTime: 5, metrics: { auc: 0.75 }, parentChecksum: null, checksum: 'c' }
    const manifest = { ...head, offsets, parts: [] }
    snapshots.append({ key: 'manifest', record: { ...record, payload: new Uint8Array(0), manifest } })
    await snapshots.close()
    const [chunk, last] = readByPython(join(folder, firstSegment)).records
    assert.deepEqual(chunk?.payload, { bytes: '0102ff' })
    assert.equal(chunk?.manifest, null)
    assert.deepEqual((last as { manifest: typeof manifest } | undefined)?.manifest.offsets, offsets)
  })

  test(`we read what fastavro writes (${codec})`, { skip }, async () => {
    const path = temporary()
    const names = ['impression', 'rating', 'user']
    const stamp = (index: number) => ({ eventId: `e${index}`, eventTime: 1_600_000_000_000 + index })
    const records = Array.from({ length: 300 }, (_, index) =>
      index % 3 === 0
        ? [
            'millrace.event.Impression',
            { ...stamp(index), user: 'ü', item: 9007199254740991, context: { page: 'home' } },
          ]
        : index % 3 === 1
          ? ['millrace.event.Rating', { ...stamp(index), user: 'u', item: index, value: 4.5 }]
          : [
              'millrace.event.User',
              { ...stamp(index), id: index, attributes: { city: ['Wien'] }, numbers: { age: 30 } },
            ],
    )
    // A list of two in a union is how fastavro is told the record type; JSON has no tuples.
    const script = WRITE.replace("job['records']", "[tuple(record) for record in job['records']]")
    mkdirSync(join(path, 'p00'))
    execFileSync(python, ['-c', script, join(path, 'p00', firstSegment)], {
      input: JSON.stringify({ schema: names.map(readSchemaFile), records, codec }),
    })
    const source = new AvroFileSource({
      path,
      decoderFor: createDecoderFactory({ maxDecodeBytes: 1 << 20, maxIdBytes: 64 }),
    })
    const read = await readAll(source)
    assert.equal(read.length, 300)
    assert.deepEqual(
      read.slice(0, 3).map(({ outcome }) => (outcome.kind === 'ok' ? outcome.value : outcome)),
      [
        {
          kind: 'impression',
          eventId: 'e0',
          eventTimeMs: 1_600_000_000_000,
          user: 'ü',
          item: '9007199254740991',
          requestId: null,
          position: null,
          context: { page: 'home' },
        },
        {
          kind: 'rating',
          eventId: 'e1',
          eventTimeMs: 1_600_000_000_001,
          user: 'u',
          item: '1',
          requestId: null,
          value: 4.5,
          context: null,
        },
        {
          kind: 'user',
          eventId: 'e2',
          eventTimeMs: 1_600_000_000_002,
          id: '2',
          attributes: { city: ['Wien'] },
          numbers: { age: 30 },
          embedding: null,
        },
      ],
    )
  })
}

test('every schema of ours is valid for fastavro and an older reader can be given a newer file', { skip }, async () => {
  const path = temporary()
  const older = readSchemaFile('click') as { fields: object[] }
  const newer = { ...older, fields: [...older.fields, { name: 'colour', type: 'string', default: 'red' }] }
  const records = [{ eventId: 'e', eventTime: 1, user: 'u', item: 'i', colour: 'blue' }]
  writeByPython(join(path, 'clicks.avro'), { schema: newer, records, codec: 'null' })
  const source = new AvroFileSource({
    path,
    decoderFor: createDecoderFactory({ maxDecodeBytes: 1 << 20, maxIdBytes: 64 }),
  })
  const [record] = await readAll(source)
  assert.equal(record?.outcome.kind, 'ok')
  const names = readdirSync('schemas').filter(name => name.endsWith('.avsc'))
  const schemas = names.map(name => readSchemaFile(name.slice(0, -'.avsc'.length)))
  writeFileSync(join(path, 'all.json'), JSON.stringify(schemas))
  const check = 'import fastavro, json, sys\nfor schema in json.load(open(sys.argv[1])): fastavro.parse_schema(schema)'
  execFileSync(python, ['-c', check, join(path, 'all.json')])
})
