/**
 * Live learning from a log that grows, with batches closed by the wall clock, and what is left of the promise then: what
 * anybody has seen stays true. After kill -9 the journal says where batches were closed, and the run that goes on closes
 * them there again: what was published before is published again, byte for byte, and the model is the one of the journal.
 */
import assert from 'node:assert/strict'
import { cpSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import avro from 'avsc'
import { createLogWriter } from '../../src/sink/log-writer.js'
import type { LogWriter } from '../../src/sink/sink.js'
import { type Running, start } from '../helpers/process.js'
import { START_MS, smallConfig, Workspace, writePlainLog } from '../helpers/workspace.js'

const LIVE = {
  checkpoint: { path: 'checkpoints', every: '300ms', keep: 100 },
  batch: { maxExamples: 64, tick: '1h', linger: '50ms' },
}

interface Prediction {
  eventId: string
  modelVersion: number
  values: Record<string, number>
}
interface JournalEntry {
  seq: number
  trigger: string
}

/** What a reader of the growing output would have got by now; the last block may be torn. */
async function published<T>(workspace: Workspace, output: string): Promise<T[]> {
  const folder = workspace.path('out', output)
  const records: T[] = []
  try {
    for (const name of readdirSync(folder).sort())
      for await (const record of avro.createFileDecoder(join(folder, name)))
        records.push(JSON.parse(JSON.stringify(record)))
  } catch (error) {
    assert.match(String(error), /truncated|trailing|ENOENT/)
  }
  return records
}

/** The text of ids is found in the files as it is. */
const isPublished = (workspace: Workspace, text: string) => {
  const file = workspace.path('out', 'predictions', '00000000000000000000.avro')
  return existsSync(file) && readFileSync(file).includes(text)
}

class GrowingLog {
  readonly writer: LogWriter
  pages = 0
  records = 20

  constructor(workspace: Workspace, partitions = 1) {
    // Every record a block: it is there for the reader as soon as it is written.
    this.writer = createLogWriter({ path: workspace.path('log'), partitions, blockBytes: 1 })
  }

  grow(pages: number): void {
    writePlainLog(this.writer, pages, this.pages)
    for (let page = this.pages; page < this.pages + pages; page++) this.records += page % 5 === 0 ? 7 : 5
    this.pages += pages
  }

  /** Nothing to score or to learn, but a record. */
  mark(): void {
    const eventTime = START_MS + this.pages * 60_000 - 1
    this.writer.write(0, 'user', { eventId: `mark${this.pages}`, eventTime, id: 'u1' })
    this.records++
  }

  get lastImpression(): string {
    return `r${this.pages - 1}-4`
  }
}

const follow = (workspace: Workspace, ...settings: string[]) =>
  start(['run', workspace.path('millrace.yaml'), '--follow', '--json', '--set', 'log.level=debug', ...settings])

/** Grows the log burst by burst, each when the one before has been published: so the wall clock closes the batches. */
async function growLive(life: Running, workspace: Workspace, log: GrowingLog, bursts: number): Promise<void> {
  for (let burst = 0; burst < bursts; burst++) {
    log.grow(3)
    await life.until(() => isPublished(workspace, log.lastImpression))
  }
}

const checkpointAt = (records: number) => `checkpoint-${String(records).padStart(15, '0')}`

test('a live run that is killed twice publishes again what it had published, and learns along its journal', {
  timeout: 300_000,
}, async () => {
  const workspace = new Workspace({ ...smallConfig, ...LIVE })
  const log = new GrowingLog(workspace)
  log.grow(120)

  const first = follow(workspace)
  await growLive(first, workspace, log, 6)
  log.grow(7)
  // Amid the burst: some of it has been read.
  await first.until(() => isPublished(workspace, `r${log.pages - 7}-4`))
  const { signal } = await first.kill('SIGKILL')
  assert.equal(signal, 'SIGKILL')
  const seen = await published<Prediction>(workspace, 'predictions')
  const journal = await published<JournalEntry>(workspace, 'journal')
  assert.ok(journal.filter(entry => entry.trigger === 'linger').length >= 6)
  // Only the first checkpoint is left, so all of the journal has to be followed again.
  const [oldest = '', ...others] = workspace.checkpoints()
  assert.equal(oldest, checkpointAt(0))
  for (const name of others) rmSync(workspace.path('checkpoints', name), { recursive: true })

  // Killed again as soon as the outputs have been cut back: what was to be followed must not be lost with them.
  const second = follow(workspace, 'checkpoint.every=1h', 'batch.linger=1h')
  await second.until(() => second.stderr.includes('resumed from a checkpoint'), 1)
  await second.kill('SIGKILL')
  assert.ok((await published(workspace, 'journal')).length < journal.length)

  const third = follow(workspace)
  await growLive(third, workspace, log, 3)
  log.mark()
  await third.until(() => workspace.checkpoints().includes(checkpointAt(log.records)))
  const { code, stderr } = await third.kill('SIGTERM')
  assert.equal(code, 0, stderr)

  const predictions = await workspace.records<Prediction>('predictions')
  assert.deepEqual(predictions.slice(0, seen.length), seen)
  assert.deepEqual((await workspace.records<JournalEntry>('journal')).slice(0, journal.length), journal)
  const impressions = predictions.filter(({ eventId }) => eventId.startsWith('r'))
  assert.equal(new Set(impressions.map(({ eventId }) => eventId)).size, impressions.length)
  assert.equal(impressions.length, log.pages * 4)

  // The journal alone, over the whole log, with a wall clock that closes nothing: the same model and outputs.
  const along = new Workspace({ ...smallConfig, ...LIVE })
  for (const part of ['log', join('out', 'journal'), join('checkpoints', checkpointAt(0))])
    cpSync(workspace.path(part), along.path(part), { recursive: true })
  const replay = follow(along, 'batch.linger=1h')
  await replay.until(() => along.checkpoints().includes(checkpointAt(log.records)))
  assert.equal((await replay.kill('SIGTERM')).code, 0)
  assert.deepEqual(along.outputs(), workspace.outputs())
  assert.deepEqual(along.checkpoint(checkpointAt(log.records)), workspace.checkpoint(checkpointAt(log.records)))
})

test('a batch that the wall clock closed right behind a checkpoint is closed there again', {
  timeout: 300_000,
}, async () => {
  // Longer than the last life needs to read what is new: only the journal closes the batch before that.
  const workspace = new Workspace({ ...smallConfig, ...LIVE, batch: { ...LIVE.batch, linger: '2s' } })
  const log = new GrowingLog(workspace)
  log.grow(93)
  // The checkpoint has all records while the last batch still waits; the next life closes that and keeps no other.
  const first = follow(workspace, 'batch.linger=1h', 'checkpoint.every=50ms')
  await first.until(() => workspace.checkpoints().includes(checkpointAt(log.records)))
  await first.kill('SIGKILL')
  assert.ok(!isPublished(workspace, log.lastImpression))
  const second = follow(workspace, 'checkpoint.every=1h')
  await second.until(() => isPublished(workspace, log.lastImpression))
  await second.kill('SIGKILL')
  assert.equal(workspace.checkpoints().at(-1), checkpointAt(log.records))
  const seen = await published<Prediction>(workspace, 'predictions')
  log.grow(3)
  const third = follow(workspace)
  await third.until(() => isPublished(workspace, log.lastImpression))
  assert.equal((await third.kill('SIGTERM')).code, 0)
  const predictions = await workspace.records<Prediction>('predictions')
  assert.deepEqual(predictions.slice(0, seen.length), seen)
  // Closed before the first new record: those that came with it have a later model.
  const versions = predictions.filter(({ eventId }) => eventId.startsWith('r')).map(one => one.modelVersion)
  const before = versions.slice(0, -12).at(-1) ?? 0
  assert.ok(
    versions.slice(-12).every(version => version > before),
    versions.slice(-16).join(),
  )
})

test('with several partitions a killed live run goes on: every impression is published once, and the wall clock works', {
  timeout: 300_000,
}, async () => {
  const workspace = new Workspace({ ...smallConfig, ...LIVE })
  const log = new GrowingLog(workspace, 2)
  let others = 0
  const growOther = () => {
    const eventTime = START_MS + log.pages * 60_000
    const pair = { user: 'v', item: 'i3' }
    for (let of = 0; of < 5; of++)
      log.writer.write(1, 'impression', { ...pair, eventId: `other${others++}`, eventTime })
  }
  const life = follow(workspace)
  for (let burst = 0; burst < 4; burst++) {
    growOther()
    await growLive(life, workspace, log, 1)
  }
  await life.kill('SIGKILL')
  const next = follow(workspace)
  growOther()
  await growLive(next, workspace, log, 2)
  await next.until(() => isPublished(workspace, `other${others - 1}`))
  const { code, stderr } = await next.kill('SIGTERM')
  assert.equal(code, 0, stderr)
  const predictions = (await workspace.records<Prediction>('predictions')).map(({ eventId }) => eventId)
  const impressions = predictions.filter(id => /^r|^other/.test(id))
  assert.equal(impressions.length, log.pages * 4 + others)
  assert.equal(new Set(impressions).size, impressions.length)
})

test('a live run whose log lost what its journal tells of goes on with what there is', {
  timeout: 300_000,
}, async () => {
  const workspace = new Workspace({ ...smallConfig, ...LIVE })
  const log = new GrowingLog(workspace)
  log.grow(40)
  const life = follow(workspace)
  await growLive(life, workspace, log, 3)
  await life.kill('SIGKILL')
  const [oldest = '', ...others] = workspace.checkpoints()
  assert.equal(oldest, checkpointAt(0))
  for (const name of others) rmSync(workspace.path('checkpoints', name), { recursive: true })

  const shorter = new GrowingLog(workspace)
  shorter.grow(30)
  const next = follow(workspace)
  await next.until(() => next.stderr.includes('the journal goes on behind the end of the log'))
  await growLive(next, workspace, shorter, 2)
  assert.equal((await next.kill('SIGTERM')).code, 0)
})
