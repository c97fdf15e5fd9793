/** The publish gate in whole runs: labels that turn round are not published, and when they are back the chain goes on. */
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { loadChecked } from '../../src/app/load-checked.js'
import { snapshotPlace } from '../../src/app/snapshot-records.js'
import { createLogWriter } from '../../src/sink/log-writer.js'
import type { MetricRecord, SnapshotManifest } from '../../src/sink/output-records.js'
import { createKeptPart } from '../../src/snapshot/kept-parts.js'
import { SnapshotReader } from '../../src/snapshot/reader.js'
import { millrace } from '../helpers/process.js'
import { START_MS, smallConfig, Workspace } from '../helpers/workspace.js'

const HOUR_MS = 3_600_000
const PAGE_MS = 60_000
/** Pages of four impressions; in between, what was clicked is not, and the other way round. */
const [FLIPPED, BACK, END] = [1100, 1500, 2300]
const outputs = { path: 'out', metricsEvery: 2000, snapshotEverySteps: 40, deltaEvery: '1h', gate: {} }
const config = { ...smallConfig, outputs, checkpoint: { path: 'checkpoints', everyEvents: 1000, keep: 100 } }
const workspace = new Workspace(config)

/** Who is shown an item that a user of this kind likes clicks it, nine times of ten. */
function writeLog(): void {
  const log = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  for (let page = 0; page < END; page++) {
    const isFlipped = page >= FLIPPED && page < BACK
    const atMs = START_MS + page * PAGE_MS
    const user = `u${page % 10}`
    for (let position = 1; position <= 4; position++) {
      const item = `i${(page * 3 + position * 5) % 20}`
      const stamp = { user, item, requestId: `r${page}` }
      const eventId = `r${page}-${position}`
      log.write(0, 'impression', { ...stamp, eventId, eventTime: atMs + position, position })
      const isLiked = ((page % 10) + Number(item.slice(1))) % 2 === 0 && (page + position) % 10 !== 0
      if (isLiked !== isFlipped)
        log.write(0, 'click', { ...stamp, eventId: `c${eventId}`, eventTime: atMs + 5000 + position })
    }
  }
  log.close()
}

interface Version extends SnapshotManifest {
  version: number
  kind: string
  parent: number | null
}

async function versionsOf(of: Workspace, ...set: string[]) {
  const loaded = loadChecked(of.path('millrace.yaml'), { set })
  const reader = new SnapshotReader(createKeptPart)
  const versions: Version[] = []
  const steps: string[] = []
  await snapshotPlace(loaded).read(record => {
    const step = reader.take(record)
    if (step.kind !== 'more') steps.push(step.kind)
    const { version, kind, parent, manifest } = record
    if (manifest !== null) versions.push({ ...manifest, version, kind, parent })
  })
  return { versions, steps }
}

async function replay(of: Workspace, ...flags: string[]): Promise<string> {
  const { code, stderr } = await millrace(['replay', of.path('millrace.yaml'), ...flags])
  assert.equal(code, 0, stderr)
  return stderr
}

const FULLS = ['outputs.snapshotEverySteps=1', 'outputs.path=fulls', 'checkpoint.path=none']
let said = ''
before(async () => {
  writeLog()
  said = await replay(workspace)
})

test('while labels are the other way round nothing is published, with an alarm; afterwards a delta covers all of it', async () => {
  const { versions, steps } = await versionsOf(workspace)
  const times = versions.map(({ eventTime }) => Number(eventTime) - START_MS)
  const next = times.findIndex(time => time > (BACK - 1) * PAGE_MS)
  const [heldFrom = 0, heldTo = 0] = [times[next - 1], times[next]]
  // A label is judged half an hour after its impression.
  assert.ok(
    heldFrom >= (FLIPPED - 60) * PAGE_MS && heldFrom <= FLIPPED * PAGE_MS + 3 * HOUR_MS,
    `from ${heldFrom / PAGE_MS}`,
  )
  assert.ok(heldTo >= BACK * PAGE_MS && heldTo <= (BACK + 400) * PAGE_MS, `to ${heldTo / PAGE_MS}`)
  const [last, again] = [versions[next - 1], versions[next]]
  assert.equal(again?.kind, 'delta')
  assert.equal(again?.parent, last?.version)
  assert.ok((again?.version ?? 0) - (last?.version ?? 0) > 5)
  assert.deepEqual([...new Set(steps)], ['taken'])

  const alarms = (await workspace.records<MetricRecord>('metrics')).filter(({ window }) => window === 'alarm')
  const ofGate = alarms.filter(({ split }) => split.startsWith('gate-'))
  assert.ok(
    ofGate.some(({ task, split }) => task === 'click' && split === 'gate-loss'),
    JSON.stringify(alarms),
  )
  assert.ok(ofGate.every(({ values }) => (values.lossNow ?? 0) !== (values.lossBefore ?? 0)))
  assert.match(said, /versions are held back: the model is worse than it was/)
  assert.match(said, /versions are published again/)
})

test('what the deltas lead to across a hold has the checksum of the full snapshots, version by version', async () => {
  await replay(workspace, '--set', ...FULLS)
  const full = new Map(
    (await versionsOf(workspace, ...FULLS)).versions.map(({ version, checksum }) => [version, checksum]),
  )
  const { versions } = await versionsOf(workspace)
  const both = versions.filter(({ version }) => full.has(version))
  assert.ok(both.length > versions.length - 3, `${both.length} of ${versions.length}`)
  for (const { version, checksum } of both) assert.equal(checksum, full.get(version), `version ${version}`)
})

test('killed before, within and behind the hold, and resumed, it writes the same bytes', async () => {
  const expected = workspace.final()
  const records = workspace.checkpoints().map(name => ({ name, records: Number(/\d+/.exec(name)?.[0]) }))
  const wanted = [0.4, 0.6, 0.75].map(share =>
    records.find(one => one.records >= share * (records.at(-1)?.records ?? 0)),
  )
  for (const { name } of wanted.filter(one => one !== undefined)) {
    const again = new Workspace(config)
    for (const part of ['log', 'out', join('checkpoints', name)])
      cpSync(workspace.path(part), again.path(part), { recursive: true })
    await replay(again, '--resume')
    assert.deepEqual(again.final(), expected, `from ${name}`)
  }
})
