/** Same log, same configuration, same backend: same bytes, whatever happened on the way. */
import assert from 'node:assert/strict'
import { cpSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { simulateShop } from '../../src/simulate/simulate.js'
import { createLogWriter, type LogWriterOptions } from '../../src/sink/log-writer.js'
import { millrace, start } from '../helpers/process.js'
import { DAY_MS, START_MS, Workspace, writePlainLog } from '../helpers/workspace.js'

const SHOP = { seed: 5, events: 12_000, users: 300, items: 150, days: 10, partitions: 2, bots: 0.01, malformed: 0.005 }

async function simulated(writer: Partial<LogWriterOptions> = {}): Promise<Workspace> {
  const workspace = new Workspace()
  const log = createLogWriter({ path: workspace.path('log'), partitions: SHOP.partitions, ...writer })
  await simulateShop(SHOP, log)
  log.close()
  return workspace
}

/** Replays to the end; what is compared, and what the run said. */
async function replay(workspace: Workspace, ...flags: string[]) {
  const { code, stdout, stderr } = await millrace(['replay', workspace.path('millrace.yaml'), '--json', ...flags])
  assert.equal(code, 0, stderr)
  const { tasks, counts, steps, records, tableRows } = JSON.parse(stdout)
  return { ...workspace.final(), said: { tasks, counts, steps, records, tableRows } }
}

let expected: Awaited<ReturnType<typeof replay>>
const workspace = simulated()
before(async () => {
  expected = await replay(await workspace)
})

test('a second replay writes the same bytes over the first, elsewhere too', async () => {
  assert.deepEqual(await replay(await workspace), expected)
  assert.deepEqual(await replay(await simulated()), expected)
})

test('how often checkpoints are written and how many are kept changes nothing', async () => {
  const other = await simulated()
  assert.deepEqual(await replay(other, '--set', 'checkpoint.everyEvents=700', 'checkpoint.keep=5'), expected)
  assert.equal(other.checkpoints().length, 5)
})

test('a log of many small compressed segments is learned like the same log in one segment', async () => {
  const split = await simulated({ segmentBytes: 20_000, blockBytes: 1500, codec: 'deflate' })
  assert.ok(readdirSync(split.path('log', 'p00')).length > 5)
  assert.deepEqual(await replay(split), expected)
})

test('a replay that is stopped by SIGTERM again and again and resumed writes the same bytes', async () => {
  // Several segments an output, compressed: all of them have to be cut back and go on.
  const settings = ['outputs.codec=snappy', 'outputs.segmentBytes=65536', 'checkpoint.everyEvents=600']
  const straight = await simulated()
  const whole = await replay(straight, '--set', ...settings)
  assert.ok(readdirSync(straight.path('out', 'predictions')).length > 3)

  const stopped = await simulated()
  const stops: string[] = []
  for (let stop = 0; stop < 3; stop++) {
    const flags = [...(stop === 0 ? [] : ['--resume']), '--json', '--set', ...settings]
    const life = start(['replay', stopped.path('millrace.yaml'), ...flags])
    const before = stopped.checkpoints().at(-1) ?? ''
    await life.until(() => (stopped.checkpoints().at(-1) ?? '') > before)
    const { code, signal, stderr, stdout } = await life.kill('SIGTERM')
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr)
    assert.match(stderr, /"signal":"SIGTERM".*stopping/)
    // What it had learned by then is in a checkpoint of its own.
    const { records } = JSON.parse(stdout)
    stops.push(stopped.checkpoints().at(-1) ?? '')
    assert.equal(stops.at(-1), `checkpoint-${String(records).padStart(15, '0')}`)
  }
  assert.equal(new Set(stops).size, 3)
  assert.deepEqual(await replay(stopped, '--resume', '--set', ...settings), whole)
})

test('a log that is learned to its end, and resumed, is left as it is', async () => {
  const done = await workspace
  const { said } = await replay(done, '--resume')
  assert.deepEqual({ ...done.final(), said }, expected)
})

/** Records of a batch of the source: checkpoints come at multiples of it. */
const BATCH = 1024

/**
 * A log that is in the middle of something at each of its checkpoints: a record far ahead of its time is the last before
 * it, so that nobody has judged it; a late one, a copy, and a click before its impression are the first ones behind it.
 */
function writeInterrupted(workspace: Workspace): void {
  const log = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  let written = 0
  let page = 0
  const stamp = (afterMs: number) => ({ eventId: `x${written}`, eventTime: START_MS + page * 60_000 + afterMs })
  const pair = { user: 'u1', item: 'i1' }
  for (let batch = 0; batch < 4; batch++) {
    // Pages until the next would not fit, then fillers.
    for (; written + 30 < (batch + 1) * BATCH - 3; page++) {
      writePlainLog(log, 1, page)
      written += (page === 0 ? 20 : 0) + (page % 5 === 0 ? 7 : 5)
    }
    const add = (kind: 'impression' | 'click', record: { eventId: string; eventTime: number; requestId?: string }) => {
      log.write(0, kind, { ...pair, ...record })
      written++
    }
    while (written < (batch + 1) * BATCH - 2) add('impression', stamp(-50_000))
    const twice = stamp(-49_000)
    add('impression', twice)
    add('impression', stamp(2 * DAY_MS))
    assert.equal(written % BATCH, 0)
    add('impression', stamp(-3 * 3_600_000))
    add('impression', twice)
    const shown = { ...stamp(-40_000), requestId: `early${batch}` }
    add('click', { ...shown, eventId: `click${written}`, eventTime: shown.eventTime + 500 })
    add('impression', shown)
  }
  log.close()
}

/** Organic positives wait, or begin funnels while labels of others are learned early. */
const IN_THE_MIDDLE = {
  'organic examples': ['join.organic=negatives'],
  'funnels and early labels': ['join.organic=funnel', 'tasks.1.given=click', 'tasks.0.calibration=platt'],
}

for (const [name, own] of Object.entries(IN_THE_MIDDLE)) {
  test(`from each of its checkpoints a replay goes on to the same bytes, whatever was in the middle of what: ${name}`, async () => {
    const whole = new Workspace()
    writeInterrupted(whole)
    const settings = ['--set', 'checkpoint.everyEvents=1000', 'checkpoint.keep=100', ...own]
    const all = await replay(whole, ...settings)
    assert.equal(all.said.counts.rejects['future-time'], 4)
    assert.equal(all.said.counts.drops.duplicate, 4)
    const checkpoints = whole.checkpoints()
    assert.equal(checkpoints.length, 5)
    for (const [index, name] of checkpoints.slice(0, -1).entries()) {
      assert.match(name, new RegExp(`-0*${(index + 1) * BATCH}$`))
      const again = new Workspace()
      for (const part of ['log', 'out', join('checkpoints', name)])
        cpSync(whole.path(part), again.path(part), { recursive: true })
      assert.deepEqual(await replay(again, '--resume', ...settings), all, `from ${name}`)
    }
  })
}
