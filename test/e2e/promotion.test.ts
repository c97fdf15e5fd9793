/** A challenger takes over by the rule: at a place that the log alone decides, with a full version of its own, and followers go along. */
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { loadChecked } from '../../src/app/load-checked.js'
import { snapshotPlace } from '../../src/app/snapshot-records.js'
import { follow } from '../../src/index.js'
import { createLogWriter } from '../../src/sink/log-writer.js'
import type { MetricRecord } from '../../src/sink/output-records.js'
import { millrace } from '../helpers/process.js'
import { smallConfig, Workspace, writePlainLog } from '../helpers/workspace.js'

const PAGES = 3600
/** What answers at first hardly learns. */
const slow = {
  ...smallConfig,
  fast: { enabled: false },
  optimizer: { dense: { rate: 1e-7 }, rows: { rate: 1e-7 }, biases: { rate: 1e-7 }, wide: { alpha: 1e-7 } },
  checkpoint: { path: 'checkpoints', everyEvents: 4000, keep: 100 },
}
const changes = {
  'optimizer.dense.rate': 0.002,
  'optimizer.rows.rate': 0.05,
  'optimizer.biases.rate': 0.1,
  'optimizer.wide.alpha': 0.05,
  'model.seed': 5,
}
const challengers = [{ name: 'quick', set: changes }]
const config = { ...slow, challengers, promotion: { rule: 'better', minLabels: 1000 } }
const workspace = new Workspace(config)

async function replay(of: Workspace, ...flags: string[]): Promise<string> {
  const { code, stderr } = await millrace(['replay', of.path('millrace.yaml'), ...flags])
  assert.equal(code, 0, stderr)
  return stderr
}

const promotions = async (of: Workspace) =>
  (await of.records<MetricRecord>('metrics')).filter(({ window }) => window === 'promotion')

async function versionsOf(of: Workspace) {
  const versions: { version: number; kind: string; configHash: string }[] = []
  const place = snapshotPlace(loadChecked(of.path('millrace.yaml'), {}))
  await place.read(({ version, kind, manifest }) => {
    if (manifest !== null) versions.push({ version, kind, configHash: manifest.configHash })
  })
  return versions
}

before(async () => {
  const log = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  writePlainLog(log, PAGES)
  log.close()
  const said = await replay(workspace)
  assert.match(said, /a challenger is promoted/)
})

test('the better one takes over once, the next version is full and of its configuration, deltas follow it', async () => {
  const [promotion, ...more] = await promotions(workspace)
  assert.deepEqual(more, [])
  assert.equal(promotion?.challenger, 'quick')
  assert.ok((promotion?.values.difference ?? 0) < 0)
  const { hash, challengers: known } = loadChecked(workspace.path('millrace.yaml'), {})
  const [quick] = known
  const step = promotion?.step ?? 0
  const versions = await versionsOf(workspace)
  const [ahead, behind] = [versions.filter(one => one.version <= step), versions.filter(one => one.version > step)]
  assert.ok(ahead.length > 1 && ahead.every(({ configHash }) => configHash === hash))
  assert.ok(behind.length > 3 && behind.every(({ configHash }) => configHash === quick?.hash))
  assert.deepEqual([behind[0]?.kind, behind[1]?.kind], ['full', 'delta'])
})

test('from then on it predicts what it would have predicted alone', async () => {
  const [promotion] = await promotions(workspace)
  const alone = new Workspace({ ...slow, checkpoint: { ...slow.checkpoint, path: 'none' } })
  alone.copyLog(workspace)
  const settings = Object.entries(changes).flatMap(([key, value]) => (key === 'model.seed' ? [] : [`${key}=${value}`]))
  await replay(alone, '--set', ...settings, 'model.seed=5')
  const scores = async (of: Workspace) =>
    new Map(
      (await of.records<{ eventId: string; modelVersion: number; values: Record<string, number> }>('predictions')).map(
        one => [one.eventId, one],
      ),
    )
  const [mine, its] = [await scores(workspace), await scores(alone)]
  let same = 0
  for (const [id, { modelVersion, values }] of mine) {
    if (modelVersion <= (promotion?.step ?? 0)) continue
    assert.deepEqual({ ...values }, { ...its.get(id)?.values }, id)
    same++
  }
  assert.ok(same > 1000, `${same}`)
})

test('the same log promotes at the same place, also resumed from before and behind it', async () => {
  const expected = workspace.final()
  const [promotion] = await promotions(workspace)
  const names = workspace.checkpoints()
  const recordsOf = (name: string) => Number(/\d+/.exec(name)?.[0])
  const behind = names.find(name => recordsOf(name) >= (promotion?.events ?? 0))
  const before = names.findLast(name => recordsOf(name) < (promotion?.events ?? 0)) ?? names[0]
  for (const name of [before, behind].filter(one => one !== undefined)) {
    const again = new Workspace(config)
    for (const part of ['log', 'out', join('checkpoints', name)])
      cpSync(workspace.path(part), again.path(part), { recursive: true })
    await replay(again, '--resume')
    assert.deepEqual(again.final(), expected, `from ${name}`)
  }
})

test('a promotion is made permanent by its settings: the challenger goes on as the configuration itself', async () => {
  const last = workspace.checkpoints().at(-1) ?? ''
  const optimizer = { dense: { rate: 0.002 }, rows: { rate: 0.05 }, biases: { rate: 0.1 }, wide: { alpha: 0.05 } }
  const permanent = new Workspace({ ...slow, optimizer, model: { ...slow.model, seed: 5 } })
  for (const part of ['log', 'out', join('checkpoints', last)])
    cpSync(workspace.path(part), permanent.path(part), { recursive: true })
  assert.match(await replay(permanent, '--resume'), /resumed from a checkpoint/)
  assert.deepEqual(permanent.outputs(), workspace.outputs())

  const forgotten = new Workspace(slow)
  cpSync(workspace.path('log'), forgotten.path('log'), { recursive: true })
  cpSync(workspace.path('checkpoints', last), forgotten.path('checkpoints', last), { recursive: true })
  const { code, stderr } = await millrace(['replay', forgotten.path('millrace.yaml'), '--resume'])
  assert.notEqual(code, 0)
  assert.match(stderr, /was made by model configuration/)
})

test('a follower that knows the challengers goes from the one model to the other and back', async () => {
  const follower = await follow(workspace.path('millrace.yaml'))
  try {
    await follower.ready()
    const last = (await versionsOf(workspace)).at(-1)
    const { version } = await follower.score({ user: 'u1', items: ['i1', 'i2'] })
    assert.equal(version, last?.version)
    const outcomes = new Set(follower.versions().map(({ outcome }) => outcome))
    assert.deepEqual([...outcomes], ['taken'])
    const first = (await versionsOf(workspace))[0]
    await follower.pin(first?.version ?? 0)
    assert.equal((await follower.score({ user: 'u1', items: ['i1'] })).version, first?.version)
    await follower.unpin()
    assert.equal((await follower.score({ user: 'u1', items: ['i1'] })).version, last?.version)
  } finally {
    await follower.close()
  }
})
