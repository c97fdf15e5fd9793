/**
 * A challenger is promoted by hand while a live run learns: its place is in the journal, so a restart after kill -9 and
 * `replay --journal` promote it there again, and come to the same bytes.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { createLogWriter } from '../../src/sink/log-writer.js'
import type { JournalRecord, MetricRecord } from '../../src/sink/output-records.js'
import { millrace, type Running, start } from '../helpers/process.js'
import { digests, smallConfig, Workspace, writePlainLog } from '../helpers/workspace.js'

const config = {
  ...smallConfig,
  checkpoint: { path: 'checkpoints', every: '300ms', keep: 100 },
  batch: { maxExamples: 64, tick: '1h', linger: '50ms' },
  outputs: { ...smallConfig.outputs, metricsEvery: 500 },
  challengers: [
    { name: 'plain', set: { 'model.architecture': 'shared-bottom', 'weights.method': 'manual' } },
    { name: 'bold', set: { 'optimizer.rows.rate': 0.2 } },
  ],
  http: { port: 0 },
}

interface Live {
  run: Running
  url: string
}

const follow = (of: Workspace) => open(of, '--follow')

async function open(of: Workspace, ...flags: string[]): Promise<Live> {
  const run = start(['run', of.path('millrace.yaml'), '--json', '--set', 'log.level=debug', ...flags])
  const said = () => /"url":"(http:[^"]+)","msg":"the dashboard"/.exec(run.stderr)?.[1]
  await run.until(() => said() !== undefined)
  return { run, url: said() ?? '' }
}

async function promote({ url }: Live, name: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(`${url}/v1/challengers/${name}/promote`, { method: 'POST' })
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> }
}

const isPublished = (of: Workspace, text: string) => {
  const file = of.path('out', 'predictions', '00000000000000000000.avro')
  return existsSync(file) && readFileSync(file).includes(text)
}

test('promoted by hand, killed, resumed and replayed along the journal: the same place, the same bytes', {
  timeout: 300_000,
}, async () => {
  const workspace = new Workspace(config)
  const writer = createLogWriter({ path: workspace.path('log'), partitions: 1, blockBytes: 1 })
  let pages = 0
  const grow = async (by: number, { run }: Live) => {
    writePlainLog(writer, by, pages)
    pages += by
    await run.until(() => isPublished(workspace, `r${pages - 1}-4`))
  }

  const first = await follow(workspace)
  await grow(120, first)
  const listed = (await (await fetch(`${first.url}/v1/challengers`)).json()) as {
    answering: { name: string }
    challengers: { name: string; labels: number; verdict: string }[]
  }
  assert.equal(listed.answering.name, 'small')
  assert.deepEqual(
    listed.challengers.map(({ name, verdict }) => [name, verdict]),
    [
      ['plain', 'open'],
      ['bold', 'open'],
    ],
  )
  assert.ok(listed.challengers.every(({ labels }) => labels > 100))
  assert.equal((await promote(first, 'nobody')).status, 404)
  const done = await promote(first, 'bold')
  assert.deepEqual([done.status, done.body.answering], [200, 'bold'])
  assert.equal((await promote(first, 'bold')).status, 404)
  // What is answered is durable: nothing that comes later is needed for it.
  await first.run.kill('SIGKILL')
  const [oldest = '', ...others] = workspace.checkpoints()
  for (const name of others) rmSync(workspace.path('checkpoints', name), { recursive: true })
  assert.match(oldest, /^checkpoint-0+$/)

  // No checkpoint at the end but the last one: a replay writes its own behind what the clock closes there.
  const second = await open(workspace, 'checkpoint.every=1h', '--follow')
  await grow(30, second)
  assert.equal((await promote(second, 'small')).status, 200)
  await grow(30, second)
  assert.equal((await promote(second, 'bold')).status, 200)
  await grow(30, second)
  const { code, stderr } = await second.run.kill('SIGTERM')
  assert.equal(code, 0, stderr)

  const promotions = (await workspace.records<JournalRecord>('journal')).filter(({ kind }) => kind === 'promote')
  assert.equal(promotions.length, 3)
  const told = (await workspace.records<MetricRecord>('metrics')).filter(({ window }) => window === 'promotion')
  assert.deepEqual(
    told.map(({ challenger, step }) => [challenger, Number(step)]),
    ['bold', 'small', 'bold'].map((name, index) => [name, Number(promotions[index]?.step)]),
  )
  const outputs = workspace.outputs()
  const last = workspace.checkpoints().at(-1) ?? ''
  const model = workspace.checkpoint(last)

  const again = new Workspace(config)
  cpSync(workspace.path('log'), again.path('log'), { recursive: true })
  cpSync(workspace.path('out', 'journal'), again.path('out', 'journal'), { recursive: true })
  const replayed = await millrace(['replay', again.path('millrace.yaml'), '--journal', '--json'])
  assert.equal(replayed.code, 0, replayed.stderr)
  const repeated = digests(again.path('out-replay'))
  for (const output of ['journal', 'predictions', 'metrics', 'snapshots'])
    for (const [file, digest] of Object.entries(outputs).filter(([file]) => file.startsWith(`${output}/`)))
      assert.equal(repeated[file], digest, file)
  const learned = digests(again.path('checkpoints-replay', last))
  for (const [file, digest] of Object.entries(model))
    if (/^(lane-|model|tables|fast|contest|waiting)/.test(file)) assert.equal(learned[file], digest, file)
})

test('without challengers there is nobody to promote', {
  timeout: 600_000,
}, async () => {
  const { challengers, ...lone } = config
  const workspace = new Workspace(lone)
  const writer = createLogWriter({ path: workspace.path('log'), partitions: 1, blockBytes: 1 })
  writePlainLog(writer, 5)
  const life = await follow(workspace)
  assert.equal((await fetch(`${life.url}/v1/challengers`)).status, 404)
  assert.equal((await promote(life, 'plain')).status, 404)
  await life.run.kill('SIGTERM')
})

test('in a run that ends with its log nobody is promoted by hand, and it learns on to the same bytes', {
  timeout: 300_000,
}, async () => {
  const ending = { ...config, checkpoint: { path: 'checkpoints' } }
  const workspace = new Workspace(ending)
  const writer = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  writePlainLog(writer, 4000)
  writer.close()
  const undisturbed = new Workspace(ending)
  undisturbed.copyLog(workspace)

  const life = await open(workspace)
  let refused = await promote(life, 'bold')
  // Learning has not begun.
  while (refused.status === 404) {
    await pause(20)
    refused = await promote(life, 'bold')
  }
  assert.equal(refused.status, 409)
  assert.match(String(refused.body.detail), /only a run that follows its log/)
  const { code, stderr } = await life.run.finished
  assert.equal(code, 0, stderr)
  assert.equal((await millrace(['replay', undisturbed.path('millrace.yaml'), '--json'])).code, 0)
  assert.deepEqual(workspace.outputs(), undisturbed.outputs())
})
