import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createLogWriter } from '../../../src/sink/log-writer.js'
import { readContainers } from '../../contract/read-containers.js'

const temporary = () => mkdtempSync(join(tmpdir(), 'millrace-log-'))
const click = (index: number) => ({ eventId: `e${index}`, eventTime: 1000 + index, user: 'u', item: BigInt(index) })
const files = (path: string) =>
  readdirSync(path, { recursive: true })
    .map(String)
    .filter(name => name.endsWith('.avro'))
    .sort()

test('a log has a folder for each partition and says what it holds', async () => {
  const path = temporary()
  const writer = createLogWriter({ path, partitions: 3, segmentBytes: 10_000, blockBytes: 1000 })
  for (let index = 0; index < 900; index++) writer.write(index % 2, 'click', click(index))
  const summary = writer.close()
  assert.deepEqual(summary.records, [450, 450, 0])
  assert.equal(summary.segments, files(path).length)
  assert.equal(
    summary.bytes,
    files(path).reduce((sum, name) => sum + readFileSync(join(path, name)).length, 0),
  )
  assert.ok(files(path).length > 3)
  assert.deepEqual(await readContainers([join(path, 'p02', '00000000000000000000.avro')]), [])
})

test('the same records give the same bytes', () => {
  const contents = [1, 2].map(() => {
    const path = temporary()
    const writer = createLogWriter({ path, partitions: 1, codec: 'snappy' })
    for (let index = 0; index < 5000; index++) writer.write(0, 'click', click(index))
    writer.close()
    return files(path).map(name => readFileSync(join(path, name)))
  })
  assert.deepEqual(contents[0], contents[1])
})

test('a new log replaces the segments of the old one and leaves other files alone', () => {
  const path = temporary()
  const old = createLogWriter({ path, partitions: 4 })
  for (let index = 0; index < 10; index++) old.write(index % 4, 'click', click(index))
  old.close()
  writeFileSync(join(path, 'p03', 'notes.txt'), 'mine')
  writeFileSync(join(path, 'truth.csv'), 'mine')
  createLogWriter({ path, partitions: 1 }).close()
  assert.deepEqual(files(path), ['p00/00000000000000000000.avro'])
  assert.deepEqual(readdirSync(path).sort(), ['p00', 'p03', 'truth.csv'])
  assert.deepEqual(readdirSync(join(path, 'p03')), ['notes.txt'])
})

test('a record that its schema can not hold is INTERNAL', () => {
  const writer = createLogWriter({ path: temporary(), partitions: 1 })
  assert.throws(() => writer.write(0, 'click', { ...click(1), item: 2n ** 63n }), { code: 'INTERNAL' })
  assert.throws(() => writer.write(0, 'click', { ...click(1), user: 7 as never }), { code: 'INTERNAL' })
  writer.close()
})

test('a folder that can not be made is OUTPUT_FAILED', () => {
  const path = temporary()
  writeFileSync(join(path, 'file'), '')
  assert.throws(() => createLogWriter({ path: join(path, 'file'), partitions: 1 }), { code: 'OUTPUT_FAILED' })
})
