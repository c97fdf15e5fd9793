import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import {
  checkpointName,
  findCheckpoints,
  type ManifestContent,
  readManifest,
  removeCheckpoints,
  removeDrafts,
  writeCheckpoint,
} from '../../../src/snapshot/checkpoint.js'
import { writePart } from '../../../src/snapshot/part-file.js'

const base = mkdtempSync(join(tmpdir(), 'millrace-checkpoint-'))
after(() => rmSync(base, { recursive: true }))
let roots = 0
const newRoot = () => join(base, String(roots++), 'checkpoints')

const content = (records: number): ManifestContent => ({
  configHash: 'c0ffee',
  backend: 'none',
  records,
  step: 1,
  journalSeq: 4,
  partitions: [{ name: 'p00', nextOffset: String(records) }],
  parts: [],
})

const write = (root: string, records: number, keep = 2) =>
  writeCheckpoint(root, keep, checkpointName(records, false), async folder => {
    const part = await writePart(folder, 'state', { meta: { records }, arrays: {} })
    return { ...content(records), parts: [part] }
  })

test('later states have later names, and the end of the log comes behind all that it includes', () => {
  const names = [
    checkpointName(0, false),
    checkpointName(999, false),
    checkpointName(1000, false),
    checkpointName(1000, true),
    checkpointName(1e12, false),
  ]
  assert.deepEqual(names, names.toSorted())
  assert.equal(names[3], 'checkpoint-000000000001000-end')
})

test('what is written is found, newest first, with its manifest', async () => {
  const root = newRoot()
  assert.deepEqual(await findCheckpoints(root), [])
  await write(root, 5)
  await write(root, 10)
  const found = await findCheckpoints(root)
  assert.deepEqual(found, [join(root, checkpointName(10, false)), join(root, checkpointName(5, false))])
  const { parts, ...manifest } = await readManifest(found[0] ?? '')
  const { parts: _, ...expected } = content(10)
  assert.deepEqual(manifest, { format: 3, ...expected })
  assert.deepEqual(
    parts.map(part => part.name),
    ['state'],
  )
})

test('the oldest go when there are more than are kept, and only then', async () => {
  const root = newRoot()
  for (const records of [1, 2, 3, 4]) await write(root, records, 3)
  assert.deepEqual(
    readdirSync(root),
    [2, 3, 4].map(records => checkpointName(records, false)),
  )
})

test('a checkpoint that is there is not written again', async () => {
  const root = newRoot()
  const folder = await write(root, 1)
  await writeCheckpoint(root, 2, checkpointName(1, false), async () => assert.fail('it was written again'))
  assert.ok(existsSync(folder))
})

test('a failure in the middle leaves the ones before, no draft, and a code', async () => {
  const root = newRoot()
  await write(root, 1)
  const failing = (error: Error) =>
    writeCheckpoint(root, 1, checkpointName(2, false), async folder => {
      writeFileSync(join(folder, 'state.part'), 'half')
      throw error
    })
  const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
  await assert.rejects(failing(full), {
    code: 'DISK_FULL',
    message: /checkpoint-000000000000002 can not be written: no space/,
  })
  await assert.rejects(failing(new Error('broken')), { code: 'OUTPUT_FAILED' })
  assert.deepEqual(readdirSync(root), [checkpointName(1, false)])
  // And the next one has its place.
  await write(root, 2, 1)
  assert.deepEqual(readdirSync(root), [checkpointName(2, false)])
})

test('drafts are never found, and removing them leaves everything else alone', async () => {
  const root = newRoot()
  await write(root, 1)
  mkdirSync(join(root, `${checkpointName(2, false)}.tmp`))
  mkdirSync(join(root, 'mine.tmp'))
  writeFileSync(join(root, 'notes.txt'), '')
  assert.equal((await findCheckpoints(root)).length, 1)
  await removeDrafts(root)
  assert.deepEqual(readdirSync(root).sort(), [checkpointName(1, false), 'mine.tmp', 'notes.txt'])
  await removeCheckpoints(root)
  assert.deepEqual(readdirSync(root).sort(), ['mine.tmp', 'notes.txt'])
})

test('a manifest that is damaged and one of another version are told apart', async () => {
  const root = newRoot()
  const folder = await write(root, 1)
  const file = join(folder, 'manifest.json')
  const text = readFileSync(file, 'utf8')
  const changed = (change: (manifest: Record<string, unknown>) => unknown) =>
    writeFileSync(file, JSON.stringify(change(JSON.parse(text))))

  for (const damaged of ['', '{', text.replace('c0ffee', 'c0ffea'), text.replace('"format": 3', '"format": 4')]) {
    writeFileSync(file, damaged)
    await assert.rejects(readManifest(folder), { code: 'CHECKPOINT_CORRUPT' }, damaged)
  }
  changed(({ checksum, ...manifest }) => manifest)
  await assert.rejects(readManifest(folder), { code: 'CHECKPOINT_CORRUPT', message: /no checksum/ })
  changed(({ checksum, ...manifest }) => ({ ...manifest, format: 4 }))
  await assert.rejects(readManifest(folder), {
    code: 'CHECKPOINT_INCOMPATIBLE',
    message: /has format 4, this program reads format 3/,
  })
  rmSync(file)
  await assert.rejects(readManifest(folder), { code: 'CHECKPOINT_CORRUPT' })
})

test('a place that can not hold checkpoints is said with its path', async () => {
  const root = newRoot()
  mkdirSync(join(root, '..'), { recursive: true })
  writeFileSync(root, '')
  await assert.rejects(write(root, 1), { code: 'OUTPUT_FAILED', message: new RegExp(root) })
  await assert.rejects(findCheckpoints(root), { code: 'OUTPUT_FAILED', message: new RegExp(root) })
})
