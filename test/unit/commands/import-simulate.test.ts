import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { importCommand } from '../../../src/commands/import.js'
import { countsText, newLog } from '../../../src/commands/new-log.js'
import { simulateCommand } from '../../../src/commands/simulate.js'
import { MillraceError } from '../../../src/domain/errors.js'

const root = mkdtempSync(join(tmpdir(), 'millrace-commands-'))
after(() => rmSync(root, { recursive: true }))

const usage = (message: RegExp) => (error: unknown) =>
  error instanceof MillraceError && error.code === 'USAGE' && message.test(error.message)

const SMALL = ['--events', '500', '--users', '20', '--items', '20', '--days', '2']

test('simulate writes partitions and the truth, refuses a log that is there, and replaces it with --force', async () => {
  const log = join(root, 'shop')
  await simulateCommand().parseAsync([...SMALL, '--log', log, '--partitions', '3', '--json'], { from: 'user' })
  assert.deepEqual(readdirSync(log).sort(), ['p00', 'p01', 'p02', 'truth.avro'])
  const again = (...more: string[]) =>
    simulateCommand().parseAsync([...SMALL, '--log', log, '--json', ...more], { from: 'user' })
  await assert.rejects(again(), usage(/is there already; --force/))
  await again('--force')
  assert.deepEqual(readdirSync(log).sort(), ['p00', 'p01', 'truth.avro'])
  assert.deepEqual(readdirSync(root), ['shop'])
})

test('--force never removes a folder that holds anything but a log', async () => {
  const folder = join(root, 'home')
  mkdirSync(folder)
  writeFileSync(join(folder, 'thesis.txt'), 'ten years')
  await assert.rejects(
    simulateCommand().parseAsync([...SMALL, '--log', folder, '--force'], { from: 'user' }),
    usage(/holds 'thesis\.txt'/),
  )
  assert.ok(existsSync(join(folder, 'thesis.txt')))
})

test('a log stays when making its replacement fails', async () => {
  const folder = join(root, 'kept')
  mkdirSync(join(folder, 'p00'), { recursive: true })
  await assert.rejects(
    newLog(folder, true, () => Promise.reject(new Error('no'))),
    /no/,
  )
  assert.ok(existsSync(join(folder, 'p00')))
})

test('options that are out of range or no numbers are usage errors that name the option', async () => {
  const run = (...args: string[]) =>
    simulateCommand().parseAsync(['--log', join(root, 'never'), ...args], { from: 'user' })
  await assert.rejects(run('--events', '0'), usage(/--events/))
  await assert.rejects(run('--bots', 'many'), usage(/--bots many: expected a number/))
})

test('import needs a mapping; import movielens needs none and takes its own options', async () => {
  await assert.rejects(
    importCommand().parseAsync(['x.csv', '--log', join(root, 'never')], { from: 'user' }),
    usage(/--mapping FILE is needed/),
  )
  const folder = join(root, 'ml')
  mkdirSync(folder)
  writeFileSync(join(folder, 'ratings.csv'), 'userId,movieId,rating,timestamp\n1,1,4.5,964982703\n2,1,3,964982704\n')
  writeFileSync(join(folder, 'movies.csv'), 'movieId,title,genres\n1,Toy Story (1995),Comedy\n')
  const log = join(root, 'films')
  await importCommand().parseAsync(['movielens', folder, '--log', log, '--partitions', '2', '--json'], { from: 'user' })
  assert.deepEqual(readdirSync(log).sort(), ['p00', 'p01'])
})

test('counts leave out what did not occur', () => {
  assert.equal(countsText({ click: 1234, buy: 0, rating: 2 }), 'click 1,234 · rating 2')
  assert.equal(countsText({ click: 0 }), 'none')
})
