import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import avro from 'avsc'
import { MillraceError } from '../../../src/domain/errors.js'
import { AvroFileSink } from '../../../src/sink/avro-file.js'
import { type Codec, ContainerWriter } from '../../../src/sink/container.js'
import type { MetricRecord } from '../../../src/sink/output-records.js'
import { readSchemaFile } from '../../../src/std/schema-file.js'
import { readContainers } from '../../contract/read-containers.js'
import { sinkContract } from '../../contract/sink.js'

const temporary = () => mkdtempSync(join(tmpdir(), 'millrace-sink-'))

const metric = (index: number): MetricRecord => ({
  eventTime: 1_600_000_000_000 + index,
  events: index,
  step: index >> 3,
  task: index % 2 === 0 ? 'click' : 'buy',
  window: 'window',
  split: 'all',
  values: { auc: index / 1000 },
  counts: { examples: index },
  challenger: null,
})

for (const codec of ['null', 'deflate', 'snappy'] as const satisfies readonly Codec[]) {
  sinkContract<MetricRecord>(`Avro files (${codec})`, async () => {
    const root = temporary()
    const files = (place: string) =>
      readdirSync(join(root, place))
        .sort()
        .map(file => join(root, place, file))
    return {
      open: place =>
        new AvroFileSink<MetricRecord>({
          path: join(root, place),
          schema: 'metric',
          codec,
          blockBytes: 1000,
          segmentBytes: 6000,
        }),
      record: metric,
      copy: async (from, to) => {
        mkdirSync(join(root, to))
        for (const file of existsSync(join(root, from)) ? files(from) : [])
          copyFileSync(file, join(root, to, file.slice(-25)))
      },
      bytes: async place =>
        Buffer.concat(files(place).flatMap(file => [Buffer.from(file.slice(-25)), readFileSync(file)])),
      read: place => readContainers(files(place)),
      expected: metric,
    }
  })
}

test('segments are named by the offset of their first record', async () => {
  const path = temporary()
  const sink = new AvroFileSink<MetricRecord>({ path, schema: 'metric', blockBytes: 500, segmentBytes: 3000 })
  for (let index = 0; index < 300; index++) sink.append(metric(index))
  await sink.close()
  const names = readdirSync(path).sort()
  assert.ok(names.length > 2)
  for (const name of names) {
    const [first] = (await readContainers([join(path, name)])) as MetricRecord[]
    assert.equal(name, `${String(first?.events).padStart(20, '0')}.avro`)
  }
})

test('an output of few records can close its blocks by their number, so that others see them at once', async () => {
  const path = temporary()
  const sink = new AvroFileSink<MetricRecord>({ path, schema: 'metric', blockRecords: 1 })
  sink.append(metric(0))
  await sink.flush()
  assert.deepEqual(await readContainers([join(path, '00000000000000000000.avro')]), [metric(0)])
  await sink.close()
})

test('other files in the folder are left alone', async () => {
  const path = temporary()
  writeFileSync(join(path, 'events.avro'), 'mine')
  const sink = new AvroFileSink<MetricRecord>({ path, schema: 'metric' })
  await sink.close()
  assert.equal(readFileSync(join(path, 'events.avro'), 'utf8'), 'mine')
})

test('an output shorter than its checkpoint says is refused', async () => {
  const path = temporary()
  const sink = new AvroFileSink<MetricRecord>({ path, schema: 'metric', blockRecords: 1 })
  sink.append(metric(0))
  await sink.flush()
  const { meta, arrays } = sink.saveState()
  await sink.close()
  writeFileSync(join(path, '00000000000000000000.avro'), 'short')
  const again = new AvroFileSink<MetricRecord>({ path, schema: 'metric' })
  await assert.rejects(
    again.loadState({ meta, arrays: arrays as never }),
    (error: MillraceError) => error.code === 'OUTPUT_FAILED',
  )
})

test('a folder that can not be made is OUTPUT_FAILED, and what was appended stays pending', async () => {
  const path = temporary()
  writeFileSync(join(path, 'file'), '')
  const sink = new AvroFileSink<MetricRecord>({ path: join(path, 'file', 'out'), schema: 'metric', blockRecords: 1 })
  sink.append(metric(0))
  const before = sink.pendingBytes
  await assert.rejects(sink.flush(), (error: MillraceError) => error.code === 'OUTPUT_FAILED')
  assert.equal(sink.pendingBytes, before)
  await assert.rejects(sink.close(), (error: MillraceError) => error.code === 'OUTPUT_FAILED')
})

test('a full disk is DISK_FULL', async t => {
  const path = temporary()
  const sink = new AvroFileSink<MetricRecord>({ path, schema: 'metric', blockRecords: 1 })
  if (!existsSync('/dev/full')) {
    t.skip('this system has no /dev/full')
    return
  }
  await sink.flush()
  sink.append(metric(0))
  await sink.flush()
  const { meta, arrays } = sink.saveState()
  await sink.close()
  // Every write to /dev/full fails with ENOSPC; the next segment is a link to it.
  const next = new AvroFileSink<MetricRecord>({ path, schema: 'metric', blockRecords: 1, segmentBytes: 1 })
  await next.loadState({ meta, arrays: arrays as never })
  symlinkSync('/dev/full', join(path, '00000000000000000001.avro'))
  next.append(metric(1))
  await assert.rejects(
    next.flush(),
    (error: MillraceError) => error.code === 'DISK_FULL' && error instanceof MillraceError,
  )
  return undefined
})

test('a record that the schema can not hold is INTERNAL and leaves the output as it was', () => {
  const schema = readSchemaFile('metric')
  const writer = new ContainerWriter({
    name: 'metric',
    schema,
    codec: 'null',
    blockBytes: 1000,
    blockRecords: 100,
    segmentBytes: 1000,
  })
  const type = avro.Type.forSchema(schema as never)
  writer.append(type, metric(0))
  const before = writer.point()
  assert.throws(() => writer.append(type, { ...metric(1), task: 7 }), { code: 'INTERNAL' })
  assert.deepEqual(writer.point(), before)
})

test('a record larger than the buffer is written whole', async () => {
  const path = temporary()
  const sink = new AvroFileSink<MetricRecord>({ path, schema: 'metric', blockBytes: 100 })
  const large = { ...metric(0), task: 'x'.repeat(300_000) }
  for (const record of [metric(1), large, metric(2)]) sink.append(record)
  await sink.close()
  assert.deepEqual(await readContainers([join(path, '00000000000000000000.avro')]), [metric(1), large, metric(2)])
})
