/**
 * The promise, of a folder of several partitions that somebody else writes to: which partitions were waited for depends on
 * when records came, so the journal says it. After each kill -9 what anybody has seen is there again, byte for byte; and
 * who has the log and the journal has the model.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import avro from 'avsc'
import { isByClock } from '../../src/pipeline/journal.js'
import { readJournalFiles } from '../../src/sink/file-delivery.js'
import type { JournalRecord } from '../../src/sink/output-records.js'
import { Random } from '../../src/std/random.js'
import { millrace, type Running, start } from '../helpers/process.js'
import { UnsteadyWriter } from '../helpers/unsteady-writer.js'
import { digests, sizeOf, smallConfig, Workspace } from '../helpers/workspace.js'

const PARTITIONS = 4
/** Before the first life, and in each. */
const BURSTS = { first: 10, each: 40 }
const OUTPUTS = ['journal', 'predictions', 'metrics', 'snapshots', 'dead-letters']
const SEGMENT = '00000000000000000000.avro'

const config = {
  ...smallConfig,
  outputs: { ...smallConfig.outputs, metricsEvery: 150, deltaEvery: '1h' },
  checkpoint: { path: 'checkpoints', every: '700ms', keep: 100 },
  batch: { maxExamples: 48, tick: '1h', linger: '60ms' },
}

const follow = (workspace: Workspace, ...settings: string[]) =>
  start(['run', workspace.path('millrace.yaml'), '--follow', '--json', '--set', 'log.level=debug', ...settings])

const outputFile = (workspace: Workspace, output: string) => workspace.path('out', output, SEGMENT)
const checkpointAt = (records: number) => `checkpoint-${String(records).padStart(15, '0')}`
const journalOf = (workspace: Workspace) => readJournalFiles(workspace.path('out', 'journal'), 0)

/** What a reader of an output has by now, as text; the last block may be torn. */
async function seenOf(workspace: Workspace, output: string): Promise<string[]> {
  const records: string[] = []
  if (!existsSync(outputFile(workspace, output))) return records
  try {
    for await (const record of avro.createFileDecoder(outputFile(workspace, output)))
      records.push(JSON.stringify(record))
  } catch (error) {
    assert.match(String(error), /truncated|trailing/)
  }
  return records
}

const seenOfAll = (workspace: Workspace) => Promise.all(OUTPUTS.map(output => seenOf(workspace, output)))

/** Everything is read, made visible, and no partition is waited for any more. */
function isAtRest(journal: readonly JournalRecord[], records: number): boolean {
  const idle = new Set<number>()
  for (const { kind, partition } of journal) {
    if (kind === 'idle') idle.add(partition)
    if (kind === 'active') idle.delete(partition)
  }
  return idle.size === PARTITIONS && journal.some(entry => entry.records === records && isByClock(entry))
}

async function untilAtRest(life: Running, workspace: Workspace, records: number): Promise<void> {
  let isDone = false
  let isLooking = false
  const look = async () => {
    isLooking = true
    isDone = isAtRest(await journalOf(workspace), records)
    isLooking = false
  }
  await life.until(() => {
    if (!isLooking) void look()
    return isDone
  }, 50)
}

const random = new Random(11)
const workspace = new Workspace(config)
const along = new Workspace(config)
const writer = new UnsteadyWriter(workspace.path('log'), PARTITIONS, 7)
after(() => writer.close())

const isLive = ({ stderr }: Running) => /reading goes on live|begins with nothing learned/.test(stderr)
const hasResumed = ({ stderr }: Running) => stderr.includes('resumed from a checkpoint')

/** When a run is killed; called all the time. isLater: records come when it reads what comes, not while it starts. */
const MOMENTS: { name: string; isLater?: true; settings?: string[]; moment(life: Running): () => boolean }[] = [
  {
    name: 'amid its live reading',
    isLater: true,
    moment: () => () => hasGrown(4000),
  },
  {
    name: 'as soon as the outputs have been cut back',
    moment: life => () => hasResumed(life),
  },
  {
    name: 'while it repeats, with checkpoints in between',
    settings: ['checkpoint.everyEvents=40'],
    moment: life => () => hasResumed(life) && checkpointsSince(life) >= 2,
  },
  {
    name: 'right behind the end of the repetition',
    moment: life => () => isLive(life),
  },
  {
    name: 'amid its live reading, and again',
    isLater: true,
    moment: () => () => hasGrown(2500),
  },
  {
    name: 'some looks after a checkpoint',
    isLater: true,
    moment: life => {
      let looks = random.integer(40)
      return () => hasGrown(1000) && checkpointsSince(life) >= 2 && looks-- <= 0
    },
  },
]

/** The journal, by so many bytes beyond where the life before had it; an entry has some 120. */
const hasGrown = (bytes: number) => sizeOf(outputFile(workspace, 'journal')) > journalBytes + bytes
let journalBytes = 0

const before = new WeakMap<Running, number>()
const checkpointsSince = (life: Running) =>
  workspace.checkpoints().filter(name => !name.endsWith('.tmp')).length - (before.get(life) ?? 0)

test('a followed folder of several partitions is learned once, to the same bytes, whenever its reader is killed', {
  timeout: 600_000,
}, async t => {
  await writer.write(BURSTS.first)
  const seen: string[][][] = []
  for (const { name, isLater, settings = [], moment } of MOMENTS) {
    journalBytes = sizeOf(outputFile(workspace, 'journal'))
    const life = follow(workspace, ...settings)
    before.set(life, workspace.checkpoints().length)
    if (isLater) await life.until(() => isLive(life))
    const writing = writer.write(BURSTS.each)
    const isNow = moment(life)
    let isWritten = false
    writing.then(() => {
      isWritten = true
    })
    // A moment can be missed; any will do then.
    await life.until(() => isNow() || (isLater === true && isWritten), 1)
    const { signal, stderr } = await life.kill('SIGKILL')
    assert.equal(signal, 'SIGKILL', `${name}: ${stderr}`)
    seen.push(await seenOfAll(workspace))
    if (seen.length === 1)
      cpSync(workspace.path('checkpoints', checkpointAt(0)), along.path('checkpoints', checkpointAt(0)), {
        recursive: true,
      })
    await writing
    t.diagnostic(
      `killed ${name}: ${seen
        .at(-1)
        ?.map(records => records.length)
        .join(', ')} records of ${OUTPUTS}`,
    )
  }

  // No checkpoint at the end but the last one.
  const last = follow(workspace, 'checkpoint.every=1h')
  await last.until(() => isLive(last))
  await writer.write(BURSTS.each)
  await untilAtRest(last, workspace, writer.records)
  const { code, stderr } = await last.kill('SIGTERM')
  assert.equal(code, 0, stderr)
  const journal = await journalOf(workspace)
  const woken = journal.filter(({ kind }) => kind === 'active').length
  t.diagnostic(`${writer.records} records, ${journal.length} entries, ${woken} partitions woken`)
  assert.ok(woken >= 3)

  const final = await seenOfAll(workspace)
  for (const [life, outputs] of seen.entries())
    for (const [output, records] of outputs.entries())
      assert.deepEqual(final[output]?.slice(0, records.length), records, `${OUTPUTS[output]} of life ${life}`)
  const predicted = (await workspace.records<{ eventId: string }>('predictions')).map(({ eventId }) => eventId)
  assert.equal(new Set(predicted).size, predicted.length)
  assert.equal(predicted.filter(id => id.startsWith('r')).length, writer.impressions)
  assert.ok(final[OUTPUTS.indexOf('dead-letters')]!.length >= writer.unusable)

  // A run that was never killed, along the journal, with a wall clock that closes nothing.
  const end = checkpointAt(writer.records)
  for (const part of ['log', join('out', 'journal')])
    cpSync(workspace.path(part), along.path(part), { recursive: true })
  const undisturbed = follow(along, 'batch.linger=1h')
  await undisturbed.until(() => along.checkpoints().includes(end))
  assert.equal((await undisturbed.kill('SIGTERM')).code, 0)
  assert.deepEqual(along.outputs(), workspace.outputs())
  assert.deepEqual(along.checkpoint(end), workspace.checkpoint(end))

  // And the log from its first record, beside the live run.
  const replayed = await millrace(['replay', workspace.path('millrace.yaml'), '--journal', '--json'])
  assert.equal(replayed.code, 0, replayed.stderr)
  assert.deepEqual(digests(workspace.path('out-replay')), workspace.outputs())
  assert.deepEqual(digests(workspace.path('checkpoints-replay', end)), workspace.checkpoint(end))
})

test('a replay of a journal whose log has lost records says so instead of learning something else', async () => {
  const short = new Workspace(config)
  for (const part of ['log', join('out', 'journal')])
    cpSync(workspace.path(part), short.path(part), { recursive: true })
  const file = short.path('log', 'p02', SEGMENT)
  truncateSync(file, Math.floor(sizeOf(file) / 2))
  const { code, stderr } = await millrace(['replay', short.path('millrace.yaml'), '--journal'])
  assert.notEqual(code, 0)
  assert.match(stderr, /LOG_CORRUPT.*does not hold what was recorded/)
})
