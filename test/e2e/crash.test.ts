/**
 * The promise: kill the process anywhere, start it again, and what it published and what it learned are byte for byte
 * those of a run that was never killed. One replay dies twenty times here: while it starts and restores, before its
 * first checkpoint, in the middle of writing one, right behind one, and between them.
 */
import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { before, test } from 'node:test'
import { simulateLog } from '../../src/app/prepare-log.js'
import { Random } from '../../src/std/random.js'
import { millrace, type Running, start } from '../helpers/process.js'
import { sizeOf, Workspace } from '../helpers/workspace.js'

const KILLS = 20
const SEED = 20
const RECORDS = 40_000
/** The last kill is planned before this share of the log, so that no life gets to the end. */
const PLANNED = 0.6
/** A moment can be over between two looks; so far behind it any moment will do. */
const MISSED = 4000
const SEGMENT = '00000000000000000000.avro'

const unkilled = new Workspace()
const killed = new Workspace()
const random = new Random(SEED)

before(async () => {
  const { seed, days, users, items } = { seed: 3, days: 20, users: 500, items: 200 }
  const options = { seed, events: RECORDS, users, items, days, partitions: 2, bots: 0.01, malformed: 0.005 }
  await simulateLog(options, unkilled.path('log'), () => {})
  killed.copyLog(unkilled)
})

interface Moment {
  name: string
  /** Whether now is the moment; asked all the time. */
  isNow(life: Running): boolean
}

/** Checkpoints that are being written or done, by the records they include. */
function checkpointFolders(): { name: string; records: number; isDraft: boolean }[] {
  return killed.checkpoints().flatMap(name => {
    const records = Number(/^checkpoint-(\d+)/.exec(name)?.[1])
    return Number.isNaN(records) ? [] : [{ name, records, isDraft: name.endsWith('.tmp') }]
  })
}

function filesIn(folder: string): number {
  return existsSync(folder) ? readdirSync(folder).length : 0
}

const moments = {
  /** When the learner is up: it restores, cuts the outputs back, or reads its first records. */
  restoring(): Moment {
    let looks = random.integer(30)
    return { name: 'restoring', isNow: life => life.stderr.includes('worker is ready') && looks-- <= 0 }
  },
  /** Amid the writing of a checkpoint, with some of its parts there. */
  drafting(records: number): Moment {
    const parts = random.integer(18)
    const isNow = () =>
      checkpointFolders().some(
        one => one.isDraft && one.records >= records && filesIn(killed.path('checkpoints', one.name)) >= parts,
      )
    return { name: `writing ${parts} parts of a checkpoint from record ${records} on`, isNow }
  },
  /** Right behind a checkpoint; some looks later the next records are on their way. */
  behind(records: number): Moment {
    let looks = random.integer(60)
    const isNow = () => checkpointFolders().some(one => !one.isDraft && one.records >= records) && looks-- <= 0
    return { name: `behind a checkpoint of record ${records} or later`, isNow }
  },
  /** When an output has grown to where the whole run has it then; outputs are written between checkpoints too. */
  publishing(records: number): Moment {
    const output = ['predictions', 'journal', 'snapshots', 'dead-letters'][random.integer(4)] ?? 'predictions'
    const bytes = (sizeOf(unkilled.path('out', output, SEGMENT)) * records) / RECORDS
    return {
      name: `${output} at ${Math.round(bytes)} bytes`,
      isNow: () => sizeOf(killed.path('out', output, SEGMENT)) >= bytes,
    }
  },
}

const isBeyond = (records: number) => checkpointFolders().some(one => !one.isDraft && one.records >= records + MISSED)

/** Ascending through the log, so that every life gets further than the one before. */
function plan(): Moment[] {
  const later = [moments.drafting, moments.behind, moments.publishing]
  return Array.from({ length: KILLS }, (_, kill) => {
    if (kill === 0 || kill % 6 === 5) return moments.restoring()
    if (kill === 1) return moments.drafting(0)
    const records = Math.round((RECORDS * PLANNED * (kill - 1 + random.uniform())) / (KILLS - 1))
    const { name, isNow } = (later[kill % later.length] ?? moments.behind)(records)
    return { name, isNow: life => isNow(life) || isBeyond(records) }
  })
}

test(`a replay that is killed ${KILLS} times ends with the bytes of one that never was`, {
  timeout: 1_800_000,
}, async t => {
  const whole = await millrace(['replay', unkilled.path('millrace.yaml'), '--json'])
  assert.equal(whole.code, 0, whole.stderr)
  const { counts } = JSON.parse(whole.stdout)
  assert.ok(counts.events['score-request'] > 0 && counts.rejects['invalid-id'] > 0)

  for (const [index, moment] of plan().entries()) {
    const everyEvents = 600 + random.integer(2000)
    const settings = [`checkpoint.everyEvents=${everyEvents}`, 'log.level=debug']
    const resume = index === 0 ? [] : ['--resume']
    const life = start(['replay', killed.path('millrace.yaml'), ...resume, '--set', ...settings])
    const came = await life.sees(() => moment.isNow(life))
    const { code, signal, stderr } = await life.kill('SIGKILL')
    assert.ok(came && signal === 'SIGKILL', `life ${index} ended with ${code} before: ${moment.name}\n${stderr}`)
    t.diagnostic(`life ${index} killed: ${moment.name}; then there: ${killed.checkpoints().join(', ')}`)
  }

  const last = await millrace(['replay', killed.path('millrace.yaml'), '--resume', '--json'])
  assert.equal(last.code, 0, last.stderr)
  assert.match(last.stderr, /resumed from a checkpoint/)
  assert.deepEqual(killed.final(), unkilled.final())
  assert.deepEqual(Object.keys(killed.final().outputs ?? {}).length, 6)

  // Not only the bytes on the disk: what the run reports is that of the whole, too.
  const { tasks, counts: counted, steps, records } = JSON.parse(last.stdout)
  const { tasks: wholeTasks, steps: wholeSteps, records: wholeRecords } = JSON.parse(whole.stdout)
  assert.deepEqual(
    { tasks, counted, steps, records },
    { tasks: wholeTasks, counted: counts, steps: wholeSteps, records: wholeRecords },
  )
})
