/** Checkpoints that can not be used: an older one is, or the program says why it stops. Nothing is ever begun anew silently. */
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { millrace } from '../helpers/process.js'
import { digests, Workspace, writePlainLog } from '../helpers/workspace.js'

const PAGES = 900
/** More checkpoints than one, at the log's batches of 1024 records. */
const SETTINGS = ['--set', 'checkpoint.everyEvents=1000', 'checkpoint.keep=2']

const workspace = new Workspace()
const untouched = new Workspace()
let expected: ReturnType<Workspace['final']>

const replay = (...flags: string[]) => millrace(['replay', workspace.path('millrace.yaml'), ...flags, ...SETTINGS])
const resume = () => replay('--resume')

before(async () => {
  const writer = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  writePlainLog(writer, PAGES)
  writer.close()
  const { code, stderr } = await replay()
  assert.equal(code, 0, stderr)
  expected = workspace.final()
  cpSync(workspace.folder, untouched.folder, { recursive: true })
})

/** Back to the state after the first replay: two checkpoints, the newer of the log's end. */
function restore(): { older: string; newest: string } {
  rmSync(workspace.folder, { recursive: true })
  cpSync(untouched.folder, workspace.folder, { recursive: true })
  const [older = '', newest = ''] = workspace.checkpoints()
  return { older: workspace.path('checkpoints', older), newest: workspace.path('checkpoints', newest) }
}

function flip(file: string, at: number): void {
  const bytes = readFileSync(file)
  const place = at < 0 ? bytes.length + at : at
  bytes.writeUInt8((bytes[place] ?? 0) ^ 1, place)
  writeFileSync(file, bytes)
}

const damages: Record<string, (newest: string) => void> = {
  'a flipped bit in the tables': newest => flip(join(newest, 'tables.part'), -100),
  'a flipped bit in the header of a part': newest => flip(join(newest, 'joiner.part'), 30),
  'a part that is shorter': newest => {
    const file = join(newest, 'model.part')
    writeFileSync(file, readFileSync(file).subarray(0, -8))
  },
  'a part that is longer': newest => writeFileSync(join(newest, 'features.part'), 'x', { flag: 'a' }),
  'a part that is not there': newest => rmSync(join(newest, 'clock.part')),
  'a flipped digit in the manifest': newest => {
    const file = join(newest, 'manifest.json')
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"step": \d/, '"step": 9'))
  },
  'a manifest that is no JSON': newest => writeFileSync(join(newest, 'manifest.json'), '{"format": 1,'),
  'an empty folder': newest => {
    rmSync(newest, { recursive: true })
    mkdirSync(newest)
  },
}

for (const [name, damage] of Object.entries(damages)) {
  test(`${name}: the older checkpoint is used, and said, and the newer is written anew`, async () => {
    const { newest, older } = restore()
    damage(newest)
    const { code, stderr } = await resume()
    assert.equal(code, 0, stderr)
    assert.ok(stderr.includes('a damaged checkpoint is skipped') && stderr.includes(newest), stderr)
    assert.ok(stderr.includes(`"folder":"${older}"`), stderr)
    assert.deepEqual(workspace.final(), expected)
  })
}

test('if no checkpoint is whole the program stops, says so, and leaves everything as it is', async () => {
  const { newest, older } = restore()
  for (const folder of [newest, older]) flip(join(folder, 'tables.part'), -100)
  const before = digests(workspace.folder)
  const { code, stderr, stdout } = await resume()
  assert.deepEqual({ code, stdout }, { code: 4, stdout: '' }, stderr)
  assert.match(stderr, /millrace: CHECKPOINT_CORRUPT: no checkpoint in .* is whole: .*tables\.part is not the file/)
  assert.match(stderr, /--fresh/)
  assert.deepEqual(digests(workspace.folder), before)
  // And what the message advises works.
  const fresh = await millrace(['run', workspace.path('millrace.yaml'), '--fresh', ...SETTINGS])
  assert.equal(fresh.code, 0, fresh.stderr)
  assert.deepEqual(workspace.final(), expected)
})

test('what a crash left of a checkpoint that was being written is ignored and removed', async () => {
  const { newest } = restore()
  renameSync(newest, `${newest}.tmp`)
  rmSync(join(`${newest}.tmp`, 'manifest.json'))
  cpSync(`${newest}.tmp`, workspace.path('checkpoints', 'checkpoint-000000000000500.tmp'), { recursive: true })
  const { code, stderr } = await resume()
  assert.equal(code, 0, stderr)
  assert.deepEqual(workspace.final(), expected)
  assert.ok(workspace.checkpoints().every(name => !name.endsWith('.tmp')))
})

test('a checkpoint of another model is refused by the names of both, and kept', async () => {
  const { newest } = restore()
  const before = workspace.checkpoint(workspace.checkpoints().at(-1) ?? '')
  const { code, stderr } = await replay('--resume', '--set', 'model.dim=4')
  assert.equal(code, 4)
  assert.match(
    stderr,
    /CHECKPOINT_INCOMPATIBLE: .* was made by model configuration [0-9a-f]{16}, .*millrace\.yaml is [0-9a-f]{16}/,
  )
  assert.ok(stderr.includes(newest))
  assert.deepEqual(workspace.checkpoint(workspace.checkpoints().at(-1) ?? ''), before)
})

test('a checkpoint of another version of the program is refused by both numbers', async () => {
  const { newest } = restore()
  const file = join(newest, 'manifest.json')
  const { checksum, ...manifest } = JSON.parse(readFileSync(file, 'utf8'))
  assert.ok(checksum)
  writeFileSync(file, JSON.stringify({ ...manifest, format: 7, something: 'new' }))
  const { code, stderr } = await resume()
  assert.equal(code, 4)
  assert.match(stderr, /CHECKPOINT_INCOMPATIBLE: .* has format 7, this program reads format 3/)
})

test('a checkpoint of a log with other partitions is refused', async () => {
  restore()
  cpSync(workspace.path('log', 'p00'), workspace.path('log', 'a-new-one'), { recursive: true })
  const { code, stderr } = await resume()
  assert.equal(code, 4)
  assert.match(stderr, /CHECKPOINT_INCOMPATIBLE: .* partitions 'p00', this one has 'a-new-one', 'p00'/)
})

test('outputs that were cut or removed behind the back of a checkpoint are not written on', async () => {
  restore()
  const folder = workspace.path('out', 'predictions')
  for (const file of readdirSync(folder)) rmSync(join(folder, file))
  const gone = await resume()
  assert.equal(gone.code, 7)
  assert.match(gone.stderr, /OUTPUT_FAILED: .*predictions/)
  assert.doesNotMatch(gone.stderr, /^ +at /m)
})
