/** Challengers in whole runs: they change nothing of what answers, and survive kills, resumes and changes of the configuration as it does. */
import assert from 'node:assert/strict'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { createLogWriter } from '../../src/sink/log-writer.js'
import type { MetricRecord } from '../../src/sink/output-records.js'
import { millrace } from '../helpers/process.js'
import { smallConfig, Workspace, writePlainLog } from '../helpers/workspace.js'

const PAGES = 1200
const checkpoint = { path: 'checkpoints', everyEvents: 2000, keep: 100 }
const lone = { ...smallConfig, checkpoint }
const plain = { name: 'plain', set: { 'weights.method': 'manual', 'model.architecture': 'shared-bottom' } }
const quick = { name: 'quick', set: { 'optimizer.rows.rate': 0.2, 'tasks.buy.prior': 2, 'model.seed': 7 } }
const contest = { ...lone, challengers: [plain, quick], promotion: { minLabels: 500 } }

const alone = new Workspace(lone)
const together = new Workspace(contest)

async function replay(of: Workspace, ...flags: string[]): Promise<{ stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await millrace(['replay', of.path('millrace.yaml'), '--json', ...flags])
  assert.equal(code, 0, stderr)
  return { stdout, stderr }
}

let said = { stdout: '', stderr: '' }
before(async () => {
  const log = createLogWriter({ path: alone.path('log'), partitions: 1 })
  writePlainLog(log, PAGES)
  log.close()
  together.copyLog(alone)
  await replay(alone)
  said = await replay(together)
})

test('what answers publishes the same bytes with challengers as without, and its part of the checkpoint is the same', async () => {
  const [before, after] = [alone.outputs(), together.outputs()]
  for (const [file, digest] of Object.entries(before)) {
    if (!file.startsWith('metrics/')) assert.equal(after[file], digest, file)
  }
  const metrics = async (of: Workspace) => (await of.records<MetricRecord>('metrics')).map(record => ({ ...record }))
  const own = (await metrics(together)).filter(({ challenger }) => challenger === null)
  assert.deepEqual(own, await metrics(alone))

  const last = alone.checkpoints().at(-1) ?? ''
  const parts = alone.checkpoint(last)
  const with2 = together.checkpoint(last)
  const differing = Object.keys(parts).filter(file => with2[file] !== parts[file])
  // Its byte counts of the metrics output, and the list of parts.
  assert.deepEqual(
    differing.filter(file => !/^(manifest|output-metrics)/.test(file)),
    [],
  )
})

test('challengers have their figures in the metrics, the leaderboard and the report, and differ from what answers', async () => {
  const records = await together.records<MetricRecord>('metrics')
  for (const name of ['plain', 'quick']) {
    const own = records.filter(({ challenger }) => challenger === name)
    const total = own.filter(({ window, split, task }) => window === 'total' && split === 'all' && task === 'click')
    const first = records.filter(
      one => one.challenger === null && one.window === 'total' && one.split === 'all' && one.task === 'click',
    )
    assert.equal(total.length, first.length)
    assert.equal(total.at(-1)?.counts.count, first.at(-1)?.counts.count)
    assert.notEqual(total.at(-1)?.values.logLoss, first.at(-1)?.values.logLoss)
    assert.ok(own.some(({ window, task }) => window === 'comparison' && task === ''))
  }
  const summary = JSON.parse(said.stdout)
  assert.deepEqual(
    summary.variants.map(({ name }: { name: string }) => name),
    ['small', 'small/plain', 'small/quick'],
  )
  assert.ok(summary.variants[1].standing.labels > 3000)
})

test('resumed from any checkpoint with its challengers a run writes the same bytes', async () => {
  const expected = together.final()
  for (const name of together.checkpoints().slice(0, 3)) {
    const again = new Workspace(contest)
    for (const part of ['log', 'out', join('checkpoints', name)])
      cpSync(together.path(part), again.path(part), { recursive: true })
    await replay(again, '--resume')
    assert.deepEqual(again.final(), expected, `from ${name}`)
  }
})

test('a challenger is found again by its settings, a new one begins, one that is gone is dropped, and nothing of what answers changes', async () => {
  const again = new Workspace({
    ...lone,
    challengers: [
      { ...quick, name: 'renamed' },
      { name: 'late', set: { 'optimizer.rows.rate': 0.1 } },
    ],
  })
  const name = together.checkpoints()[1] ?? ''
  for (const part of ['log', 'out', join('checkpoints', name)])
    cpSync(together.path(part), again.path(part), { recursive: true })
  const { stderr: lines } = await replay(again, '--resume')
  assert.match(lines, /a challenger begins with nothing learned/)
  assert.match(lines, /a challenger that the configuration has no more is dropped/)
  const [before, after] = [alone.outputs(), again.outputs()]
  for (const output of ['predictions', 'journal', 'snapshots'])
    for (const [file, digest] of Object.entries(before))
      if (file.startsWith(`${output}/`)) assert.equal(after[file], digest, file)

  const wanted = together.checkpoints().at(-1) ?? ''
  const learned = (of: Workspace) =>
    Object.entries(of.checkpoint(wanted)).filter(([file]) => /^lane-/.test(file) && /learner|model|tables/.test(file))
  const known = new Map(learned(together))
  const same = learned(again).filter(([file, digest]) => known.get(file) === digest)
  assert.equal(same.length, 3, 'the renamed one is where it would have been')
  const records = await again.records<MetricRecord>('metrics')
  const late = records.filter(({ challenger, window }) => challenger === 'late' && window === 'total')
  assert.ok((late.at(-1)?.counts.count ?? 0) > 100)
  assert.equal(late.at(-1)?.step, records.findLast(({ challenger }) => challenger === null)?.step)
})

test('a configuration whose checkpoint was made by a challenger alone is told apart, and settings that all share are refused', async () => {
  const other = new Workspace({ ...lone, model: { ...smallConfig.model, dim: 4 }, challengers: [plain] })
  const name = together.checkpoints().at(-1) ?? ''
  for (const part of ['log', join('checkpoints', name)])
    cpSync(together.path(part), other.path(part), { recursive: true })
  const { code, stderr } = await millrace(['replay', other.path('millrace.yaml'), '--resume'])
  assert.notEqual(code, 0)
  assert.match(stderr, /was made by model configuration .* its challenger plain is/)

  other.configure({ ...lone, challengers: [{ name: 'faster', set: { 'fast.tick': '1m' } }] })
  const refused = await millrace(['config', 'lint', other.path('millrace.yaml')])
  assert.match(refused.stderr + refused.stdout, /fast\.tick: is made once for all who learn from this stream/)
})
