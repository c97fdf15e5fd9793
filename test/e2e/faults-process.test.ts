/** A learner that diverges, signals, and readers that go away. */
import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { before, test } from 'node:test'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { readManifest } from '../../src/snapshot/checkpoint.js'
import { checkPart } from '../../src/snapshot/part-file.js'
import { millrace, type Running, shell, start } from '../helpers/process.js'
import { START_MS, smallConfig, Workspace, writePlainLog } from '../helpers/workspace.js'

const PAGES = 900
const workspace = new Workspace()
const file = workspace.path('millrace.yaml')

before(() => {
  const writer = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  // A first batch of nothing to learn from, so that a checkpoint comes before the first step.
  for (let user = 0; user < 1100; user++)
    writer.write(0, 'user', { eventId: `user${user}`, eventTime: START_MS, id: `u${user % 10}` })
  writePlainLog(writer, PAGES)
  writer.close()
})

test('without a fast part a loss that is not a number stops the run, names its step, and leaves the last good checkpoint', async () => {
  const diverging = ['--set', 'fast.enabled=false', 'optimizer.dense.rate=1e30', 'checkpoint.everyEvents=1000']
  const { code, stdout, stderr } = await millrace(['replay', file, ...diverging])
  assert.deepEqual({ code, stdout }, { code: 5, stdout: '' }, stderr)
  const said =
    /LOSS_NOT_FINITE: the loss of step (\d+) \((\d+) examples, event time (2024-\S+)\) is (NaN|Infinity)/.exec(stderr)
  assert.ok(said, stderr)
  assert.match(stderr, /Lower the learning rates/)
  assert.doesNotMatch(stderr, /^ +at /m)
  // The journal has the step, so that its records can be found.
  const journal = await workspace.records<{
    step: number
    kind: string
    examples: number
    consumed: { offset: number }[]
  }>('journal')
  const entry = journal.find(one => one.kind === 'learn' && one.step === Number(said[1]))
  assert.equal(entry?.examples, Number(said[2]))
  assert.ok((entry?.consumed[0]?.offset ?? 0) > 1100)

  const [checkpoint = ''] = workspace.checkpoints()
  assert.equal(checkpoint, 'checkpoint-000000000001024')
  assert.deepEqual(workspace.checkpoints(), [checkpoint])
  const folder = workspace.path('checkpoints', checkpoint)
  for (const part of (await readManifest(folder)).parts) await checkPart(folder, part)
  // It comes again with the same configuration, because nothing has changed; and what the message advises helps.
  const again = await millrace(['replay', file, '--resume', ...diverging])
  assert.equal(again.code, 5, again.stderr)
  assert.ok(again.stderr.includes(said[0]), again.stderr)
  const tamed = await millrace(['run', file, '--fresh'])
  assert.equal(tamed.code, 0, tamed.stderr)
})

/** Until it has learned all that is there and waits. */
async function following(flags: string[] = []): Promise<Running> {
  rmSync(workspace.path('checkpoints'), { recursive: true, force: true })
  const life = start(['run', file, '--follow', '--fresh', '--set', 'checkpoint.every=50ms', ...flags])
  const all = `checkpoint-${String(1100 + 20 + PAGES * 5 + 2 * (PAGES / 5)).padStart(15, '0')}`
  await life.until(() => workspace.checkpoints().includes(all))
  return life
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} ends a live run in order: exit 0, checkpointed, published, reported`, async () => {
    const life = await following(['--json'])
    const { code, signal: by, stdout, stderr } = await life.kill(signal)
    assert.deepEqual({ code, by }, { code: 0, by: null }, stderr)
    assert.ok(stderr.includes(`"signal":"${signal}"`), stderr)
    assert.equal(JSON.parse(stdout).counts.events.impression, PAGES * 4)
    const predictions = await workspace.records('predictions')
    assert.ok(predictions.length > PAGES * 3)
  })
}

test('with a fast part it does not: the network starts afresh, which is said, and answers stay numbers', async () => {
  const { code, stdout, stderr } = await millrace(['evaluate', file, '--json', '--set', 'optimizer.dense.rate=1e30'])
  assert.equal(code, 0, stderr)
  assert.match(stderr, /"deepRestarts":[1-9]\d*.*the network is lost/)
  const { tasks } = JSON.parse(stdout) as { tasks: Record<string, { logLoss?: number; auc?: number }> }
  for (const [name, { logLoss = 0 }] of Object.entries(tasks)) assert.ok(Number.isFinite(logLoss), name)
})

test('a second SIGINT ends the process at once, with 130', async () => {
  // The orderly stop may be quicker than the second signal, and the process no longer listen; then once more.
  for (let attempt = 0; attempt < 10; attempt++) {
    const life = await following()
    life.child.kill('SIGINT')
    await life.sees(() => life.stderr.includes('once more to stop at once'))
    const { code, signal, stdout } = await life.kill('SIGINT')
    if (code === 0 || signal !== null) continue
    assert.deepEqual({ code, stdout }, { code: 130, stdout: '' })
    // And that is a crash like any other.
    const { code: after, stderr } = await millrace(['run', file])
    assert.equal(after, 0, stderr)
    return
  }
  assert.fail('the process was never caught while it stopped')
})

test('a signal while the log is still being made ends the command at once, and leaves no log', async () => {
  const making = new Workspace({ ...smallConfig, source: { log: 'log', simulate: { events: 5_000_000 } } })
  for (const args of [
    ['run', making.path('millrace.yaml')],
    ['simulate', '--log', making.path('log'), '--events', '5000000'],
  ]) {
    const life = start(args)
    await life.until(() => existsSync(making.path('log.partial')))
    const { signal } = await life.kill('SIGINT')
    assert.equal(signal, 'SIGINT')
    assert.equal(existsSync(making.path('log')), false)
  }
})

test('a signal ends a comparison of several configurations, not only the first', async () => {
  const life = start(['evaluate', file, file, file, '--json', '--set', 'log.level=debug'])
  await life.until(() => life.stderr.includes('worker is ready'))
  const { code, stdout, stderr } = await life.kill('SIGTERM')
  assert.equal(code, 0, stderr)
  assert.equal(stderr.split('worker is ready').length, 2)
  assert.ok(JSON.parse(stdout))
})

test('a reader of the output that goes away is no fault, and learning runs on', async () => {
  const docs = await shell('$MILLRACE config docs | head -1')
  assert.deepEqual(docs, { code: 0, signal: null, stdout: '# Configuration\n', stderr: '' })

  const { code, stdout } = await shell(`$MILLRACE run ${file} --fresh --set log.level=debug 2>&1 | head -1`)
  assert.equal(code, 0)
  assert.match(stdout, /"the dashboard"/)
  assert.match(workspace.checkpoints().at(-1) ?? '', /-end$/)
})
