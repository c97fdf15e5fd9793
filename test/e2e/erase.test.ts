/**
 * Erasing a user in whole runs of the program: nothing of the user's own is in a checkpoint or a snapshot behind it, other
 * users keep what they have, and a run that is killed and goes on says the same as one that was not.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { loadChecked } from '../../src/app/load-checked.js'
import { snapshotPlace } from '../../src/app/snapshot-records.js'
import { createLogWriter } from '../../src/sink/log-writer.js'
import type { LogRecords, LogWriter } from '../../src/sink/sink.js'
import { Hasher } from '../../src/std/hash.js'
import { millrace, start } from '../helpers/process.js'
import { START_MS, smallConfig, Workspace } from '../helpers/workspace.js'

const GONE = 'user-03'
const STAYS = 'user-04'
const PAGES = 900
const MINUTE = 60_000

/** What is kept by users in every way there is: crosses too, in the network and in the fast part, and counters of pairs. */
const config = {
  ...smallConfig,
  join: { ...smallConfig.join, organic: 'negatives' },
  fast: { tick: '10m' },
  features: {
    ...smallConfig.features,
    slots: [
      ...smallConfig.features.slots,
      { name: 'taste', cross: ['user', 'category'], bias: true, max: 1 },
      { name: 'tastes', cross: ['recent', 'taste'], embed: false, wide: true, max: 3 },
    ],
    numeric: [
      ...smallConfig.features.numeric,
      { name: 'category-clicks', count: 'click', by: ['item.category', 'user'], halfLife: '7d' },
      { name: 'age', from: 'user.age' },
    ],
  },
  outputs: { ...smallConfig.outputs, snapshotEverySteps: 0, deltaEvery: '30m' },
}

/** Ten users; every page is clicked, some without an impression. erased: before which pages the user is. */
function writePages(writer: LogWriter, erased: readonly number[], comesBack: boolean): void {
  let events = 0
  const write = <K extends keyof LogRecords>(
    kind: K,
    timeMs: number,
    record: Omit<LogRecords[K], 'eventId' | 'eventTime'>,
  ) => writer.write(0, kind, { ...record, eventId: `e${events++}`, eventTime: timeMs } as never)
  for (let item = 0; item < 20; item++)
    write('item', START_MS, { id: `item-${item}`, category: `c${item % 4}`, price: 5 + item })
  for (let user = 0; user < 10; user++) write('user', START_MS, { id: `user-0${user}`, numbers: { age: 20 + user } })
  for (let page = 0; page < PAGES; page++) {
    const atMs = START_MS + page * MINUTE
    // Its own time is of no account.
    if (erased.includes(page)) write('erase', atMs + 400 * 86_400_000, { user: GONE })
    const isAfter = erased.some(before => page >= before)
    const user = page % 10 === 3 && isAfter && !comesBack ? STAYS : `user-0${page % 10}`
    const requestId = `r${page}`
    const itemAt = (position: number) => `item-${(page * 3 + position * 5) % 20}`
    for (let position = 1; position <= 4; position++)
      write('impression', atMs + position, { user, item: itemAt(position), requestId, position })
    write('click', atMs + 5000, { user, item: itemAt(1), requestId })
    if (page % 4 === 3) write('click', atMs + 6000, { user, item: `item-${(page * 7) % 20}` })
    if (page % 5 === 3) write('buy', atMs + 20_000, { user, item: itemAt(1), requestId })
    if (page % 5 === 3) write('rating', atMs + 30_000, { user, item: itemAt(1), requestId, value: 1 + (page % 5) })
    // What never gets a label waits longest.
    if (page % 10 === 3)
      write('score-request', atMs + 40_000, { user, requestId: `q${page}`, candidates: ['item-1', 'item-2'] })
  }
}

function workspaceOf(erased: readonly number[], comesBack = false): Workspace {
  const workspace = new Workspace(config)
  const writer = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  writePages(writer, erased, comesBack)
  writer.close()
  return workspace
}

/** Everything that a user can be found by, as it lies in the files: the id, its hash, and all keys that are made of it. */
function tracesOf(user: string): Map<string, Buffer> {
  const hasher = new Hasher()
  const bytes = ([lo, hi]: Key) => Buffer.from(Uint32Array.of(lo, hi).buffer)
  const text = (of: string): Key => {
    hasher.text(of)
    return [hasher.lo, hasher.hi]
  }
  const mix = (a: Key, b: Key): Key => {
    hasher.mix(...a, ...b)
    return [hasher.lo, hasher.hi]
  }
  const hash = text(user)
  const userKey = mix(text('user'), hash)
  const traces = new Map<string, Buffer>([
    ['id', Buffer.from(user)],
    ['hash', bytes(hash)],
    ['row', bytes(userKey)],
  ])
  for (let category = 0; category < 4; category++) {
    const value = text(`c${category}`)
    traces.set(`cell c${category}`, bytes(mix(value, hash)))
    const taste = mix(text('taste'), mix(mix([0, 0], userKey), mix(text('category'), value)))
    traces.set(`taste c${category}`, bytes(taste))
    for (let item = 0; item < 20; item++)
      traces.set(
        `tastes c${category} ${item}`,
        bytes(mix(text('tastes'), mix(mix([0, 0], mix(text('item'), text(`item-${item}`))), taste))),
      )
  }
  for (let item = 0; item < 20; item++) {
    traces.set(`waiting ${item}`, bytes(mix(hash, text(`item-${item}`))))
    traces.set(`pair ${item}`, bytes(mix(text(`item-${item}`), hash)))
  }
  return traces
}
type Key = [lo: number, hi: number]

/** Which traces there are in which parts of the newest checkpoint; the ends of outputs, which hold what was published, left out. */
function found(workspace: Workspace, user: string): string[] {
  const name = workspace.checkpoints().at(-1) ?? ''
  const folder = workspace.path('checkpoints', name)
  return readdirSync(folder)
    .filter(file => !file.startsWith('output-'))
    .flatMap(file => {
      const content = readFileSync(`${folder}/${file}`)
      return [...tracesOf(user)].flatMap(([trace, bytes]) => (content.includes(bytes) ? `${file} ${trace}` : []))
    })
}

async function replayed(workspace: Workspace, ...set: string[]) {
  const args = ['replay', workspace.path('millrace.yaml'), '--json']
  const { code, stdout, stderr } = await millrace(set.length === 0 ? args : [...args, '--set', ...set])
  assert.equal(code, 0, stderr)
  return { report: JSON.parse(stdout), stderr }
}

// Right behind a page of the user, whose rating is still to be learned.
const plain = workspaceOf([604])
let said = ''
before(async () => {
  const { report, stderr } = await replayed(plain)
  said = stderr
  assert.equal(report.counts.events.erase, 1)
  assert.ok(report.counts.drops.erased > 100, `${report.counts.drops.erased} waited`)
})

test('nothing of an erased user is in the checkpoint, by id, hash or any key; of others there is', () => {
  assert.deepEqual(found(plain, GONE), [])
  const kept = found(plain, STAYS)
  for (const part of ['tables', 'fast', 'features', 'recommend'])
    assert.ok(
      kept.some(line => line.startsWith(part)),
      `${part} of another user:\n${kept.join('\n')}`,
    )
  for (const trace of ['hash', 'row', 'cell', 'taste', 'tastes', 'pair', 'id'])
    assert.ok(
      kept.some(line => line.split(' ')[1] === trace),
      `${trace} of another user`,
    )
})

test('the next version says that the rows are gone, and no later one has them', async () => {
  const records: { version: number; kind: string; parts: Record<string, Buffer>; removed: number }[] = []
  let parts: Record<string, Buffer> = {}
  await snapshotPlace(loadChecked(plain.path('millrace.yaml'), {})).read(
    ({ version, kind, part, payload, manifest }) => {
      if (manifest === null) parts[part] = Buffer.concat([parts[part] ?? Buffer.alloc(0), payload])
      else {
        const removed = manifest.parts.reduce((sum, one) => sum + one.removed, 0)
        records.push({ version, kind, parts, removed })
        parts = {}
      }
    },
  )
  const journal = await plain.records<{
    kind: string
    trigger: string
    step: number
    partition: number
    offset: number
  }>('journal')
  const entry = journal.find(({ kind }) => kind === 'erase')
  assert.ok(entry)
  assert.equal(entry.partition, 0)
  const next = records.findIndex(({ version }) => version >= entry.step)
  assert.ok(next > 0 && next < records.length - 5)
  assert.equal(records[next]?.kind, 'delta')
  assert.ok((records[next]?.removed ?? 0) > 20)
  const row = tracesOf(GONE).get('row') as Buffer
  const isIn = ({ parts }: (typeof records)[number]) => Object.values(parts).some(content => content.includes(row))
  assert.ok(records.slice(0, next).some(isIn), 'the row was published before')
  for (const { version, kind, parts } of records.slice(next + 1))
    for (const [part, content] of Object.entries(parts))
      for (const [trace, bytes] of tracesOf(GONE))
        assert.ok(!content.includes(bytes), `${trace} in ${part} of the ${kind} of version ${version}`)
  assert.equal(records.at(-1)?.kind, 'full')
})

test('the log and the journal say that it was done, and why, without the id', async () => {
  const line = said.split('\n').find(one => one.includes('USER_ERASED'))
  assert.ok(line)
  const { partition, offset, removed } = JSON.parse(line)
  assert.equal(partition, 'p00')
  assert.ok(removed.impressions > 50 && removed.rows > 5 && removed.fast > 5 && removed.pairs >= 3)
  assert.equal(removed.entities.user, 1)
  assert.ok(removed.entities['item+user'] >= 3 && removed.entities['item.category+user'] >= 3)
  assert.ok(!line.includes(GONE))
  const journal = await plain.records<{ kind: string; offset: number }>('journal')
  assert.deepEqual(
    journal.filter(({ kind }) => kind === 'erase').map(({ offset }) => String(offset)),
    [offset],
  )
})

test('who comes back is a new user, and can be erased again', async () => {
  const back = workspaceOf([604], true)
  await replayed(back)
  assert.ok(found(back, GONE).length > 20)
  const again = workspaceOf([604, PAGES - 6], true)
  // What waits at the end of the log goes on waiting.
  await replayed(again, 'table.admitAfter=2', 'join.atEnd=wait')
  assert.deepEqual(found(again, GONE), [])
  assert.ok(found(again, STAYS).some(line => line.startsWith('joiner') && line.includes('waiting')))
})

test('a run that is killed right before and right behind an erasure ends with the bytes of one that was not', {
  timeout: 600_000,
}, async () => {
  const erased = [304, 454, 604]
  const whole = workspaceOf(erased, true)
  await replayed(whole)
  const killed = new Workspace(config)
  killed.copyLog(whole)
  for (let life = 0; life < 4; life++) {
    const resume = life === 0 ? [] : ['--resume']
    const everyEvents = `checkpoint.everyEvents=${[211, 503, 307, 401][life]}`
    const run = start(['replay', killed.path('millrace.yaml'), ...resume, '--set', everyEvents])
    const before = killed.checkpoints().length
    let looks = life * 7
    await run.sees(
      () => (run.stderr.includes('USER_ERASED') || killed.checkpoints().length > before + 1) && looks-- <= 0,
    )
    await run.kill('SIGKILL')
  }
  const { code, stderr } = await millrace(['replay', killed.path('millrace.yaml'), '--resume'])
  assert.equal(code, 0, stderr)
  assert.deepEqual(killed.final(), whole.final())
})

test('DELETE erases a user of a live run, once by its id, and a process killed behind it has not forgotten that', {
  timeout: 600_000,
}, async () => {
  const workspace = new Workspace({
    ...config,
    http: { ingest: true, port: 0 },
    batch: { maxExamples: 64, tick: '1h', linger: '50ms' },
    checkpoint: { path: 'checkpoints', every: '1h' },
    outputs: { ...config.outputs, deltaEvery: '100ms' },
  })
  const live = async () => {
    const run = start(['run', workspace.path('millrace.yaml'), '--follow', '--json', '--set', 'observe.port=0'])
    after(() => run.child.kill('SIGKILL'))
    const said = () => /"url":"(http:[^"]+)","msg":"the dashboard"/.exec(run.stderr)?.[1]
    await run.until(() => said() !== undefined && run.stderr.includes('events are taken over HTTP'))
    const url = said() ?? ''
    return {
      run,
      user: async (id: string) => (await fetch(`${url}/v1/users/${id}`)).status,
      erase: async (id: string, eventId: string) => {
        const answer = await fetch(`${url}/v1/users/${id}?eventId=${eventId}`, { method: 'DELETE' })
        return { status: answer.status, ...((await answer.json()) as object) }
      },
      post: async (events: unknown[]) => {
        const headers = { 'content-type': 'application/json' }
        return (await fetch(`${url}/v1/events`, { method: 'POST', headers, body: JSON.stringify(events) })).status
      },
    }
  }
  const page = (user: string, number: number) =>
    ['impression', 'click'].map(type => ({
      ...{
        type,
        eventId: `${type}-${user}-${number}`,
        user,
        item: `item-${number % 5}`,
        requestId: `${user}${number}`,
      },
      eventTime: START_MS + number * 2 * MINUTE,
    }))
  const until = async (reached: () => Promise<boolean>) => {
    while (!(await reached())) await pause(20)
  }
  const first = await live()
  for (let number = 0; number < 40; number++)
    assert.equal(await first.post([...page(GONE, number), ...page(STAYS, number)]), 202)
  await until(async () => (await first.user(GONE)) === 200 && (await first.user(STAYS)) === 200)
  assert.deepEqual(await first.erase(GONE, 'x1'), { status: 202, eventId: 'x1' })
  assert.deepEqual(await first.erase(GONE, 'x1'), { status: 202, eventId: 'x1' })
  await until(async () => (await first.user(GONE)) === 404)
  assert.equal(await first.user(STAYS), 200)
  await first.run.kill('SIGKILL')

  const second = await live()
  // It learns the log again, from before the wish.
  await until(async () => (await second.user(STAYS)) === 200 && (await second.user(GONE)) === 404)
  // The same wish once more changes nothing; a new one does.
  assert.equal((await second.erase(GONE, 'x1')).status, 202)
  assert.equal((await second.erase(STAYS, 'x2')).status, 202)
  await until(async () => (await second.user(STAYS)) === 404)
  const { code, stderr } = await second.run.kill('SIGTERM')
  assert.equal(code, 0, stderr)
  assert.deepEqual(found(workspace, GONE), [])
  const journal = await workspace.records<{ kind: string }>('journal')
  assert.equal(journal.filter(({ kind }) => kind === 'erase').length, 2)
})
