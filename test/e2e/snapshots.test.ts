/** What a learner publishes is what it had: chains of deltas against full snapshots, and what `millrace snapshots` says of them. */
import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { before, test } from 'node:test'
import { loadChecked } from '../../src/app/load-checked.js'
import { simulateLog } from '../../src/app/prepare-log.js'
import { snapshotPlace } from '../../src/app/snapshot-records.js'
import type { SnapshotRecord } from '../../src/sink/output-records.js'
import { createKeptPart } from '../../src/snapshot/kept-parts.js'
import { SnapshotReader, type Step } from '../../src/snapshot/reader.js'
import { millrace } from '../helpers/process.js'
import { smallConfig, Workspace } from '../helpers/workspace.js'

const SHOP = { seed: 4, events: 8_000, users: 300, items: 150, days: 12, partitions: 2, bots: 0.01, malformed: 0.005 }
/** Rows come and go: admission, expiry and a limit. */
const TABLE = { admitAfter: 2, expireAfter: '3d', maxRows: 250 }
const workspace = new Workspace({ ...smallConfig, table: TABLE })
const file = workspace.path('millrace.yaml')
/** The segments of the snapshots, whole. */
const segment = (output = 'out') => workspace.path(output, 'snapshots', '00000000000000000000.avro')
const EVERY_STEP = [
  'outputs.snapshotEverySteps=0',
  'outputs.deltaEvery=0s',
  'outputs.path=every',
  'checkpoint.path=none',
]

before(async () => {
  await simulateLog(SHOP, workspace.path('log'), () => {})
  for (const settings of [[], ['--set', ...EVERY_STEP]]) {
    const { code, stderr } = await millrace(['replay', file, ...settings])
    assert.equal(code, 0, stderr)
  }
})

async function readRecords(...set: string[]): Promise<SnapshotRecord[]> {
  const found: SnapshotRecord[] = []
  await snapshotPlace(loadChecked(file, { set })).read(record => void found.push(record))
  return found
}

/** What a reader makes of them, chunks left out. */
function follow(records: readonly SnapshotRecord[]): Step[] {
  const reader = new SnapshotReader(createKeptPart)
  return records.map(record => reader.take(record)).filter(step => step.kind !== 'more')
}

test('a delta with every step leads to the same bits as full snapshots now and then, at every version', async () => {
  const usual = await readRecords()
  const manifests = usual.flatMap(({ manifest, kind, version }) => (manifest ? [{ ...manifest, kind, version }] : []))
  const count = (wanted: string) => manifests.filter(({ kind }) => kind === wanted).length
  assert.ok(count('full') > 5 && count('delta') > count('full'), `${count('full')} full, ${count('delta')} deltas`)
  const parts = manifests.flatMap(manifest => manifest.parts)
  assert.ok(Math.max(...parts.map(({ removed }) => removed)) > 0, 'rows have gone')

  const chain = follow(await readRecords(...EVERY_STEP))
  const ofChain = new Map(
    chain.flatMap(step => {
      // The last one is ignored: the log's end in full is what there is already.
      assert.ok(step.kind === 'taken' || step === chain.at(-1))
      if (step.kind !== 'taken') return []
      return [[step.held.version, step.held.manifest.checksum] as const]
    }),
  )
  for (const { version, checksum } of manifests) assert.equal(ofChain.get(version), checksum, `version ${version}`)
})

test('the command reconstructs the newest version, verifies it and describes it', async () => {
  const { code, stdout, stderr } = await millrace(['snapshots', file, '--json', '--set', ...EVERY_STEP])
  assert.equal(code, 0, stderr)
  const found = JSON.parse(stdout)
  const last = follow(await readRecords(...EVERY_STEP)).findLast(step => step.kind === 'taken')
  assert.ok(last?.kind === 'taken')
  const { version, full, deltas, manifest } = last.held
  assert.deepEqual(
    { version: found.version, full: found.full, deltas: found.deltas, checksum: found.checksum },
    { version, full, deltas, checksum: manifest.checksum },
  )
  assert.equal(found.isOfConfiguration, true)
  assert.deepEqual(
    found.offsets.map(({ partition }: { partition: string }) => partition),
    ['p00', 'p01'],
  )
  const item = found.parts.find(({ name }: { name: string }) => name === 'table.item')
  // Two words of key, eight floats, a bias a task, two floats of a wide weight a task.
  assert.equal(item.bytes, item.rows * (2 + 8 + 3 + 6) * 4)
  assert.ok(found.metrics['click.auc'] > 0 && found.seen.gaps === 0)
  const text = await millrace(['snapshots', file])
  assert.match(text.stdout, /^version [\d,]+ in .*out\/snapshots: whole and verified\n/)
  assert.match(text.stdout, /^table\.item +float32 /m)
})

test('a damaged link is mended by the next full snapshot; a damaged or missing newest version is a clear error', async () => {
  const damage = (output: string, place: (length: number) => number) => {
    const bytes = readFileSync(segment(output))
    const at = place(bytes.length)
    bytes[at] = (bytes[at] ?? 0) ^ 255
    writeFileSync(segment(output), bytes)
  }
  // The log's end was published in full.
  damage('every', length => Math.floor(length / 2))
  const mended = await millrace(['snapshots', file, '--set', ...EVERY_STEP])
  assert.equal(mended.code, 0, mended.stderr)
  assert.match(mended.stdout, /versions before it can not be had/)
  damage('out', length => length - 5000)
  const broken = await millrace(['snapshots', file])
  assert.equal(broken.code, 4)
  assert.match(
    broken.stderr,
    /SNAPSHOT_CORRUPT: version \d+ in .* can not be reconstructed: .* the newest that can be is \d+\n/,
  )
  rmSync(segment())
  const none = await millrace(['snapshots', file])
  assert.equal(none.code, 4)
  assert.match(none.stderr, /SNAPSHOT_NOT_FOUND/)
})
