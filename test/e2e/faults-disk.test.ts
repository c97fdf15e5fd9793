/** A disk that runs full or can not be written to: an orderly stop, a whole checkpoint, and the same bytes once there is space. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { createLogWriter } from '../../src/sink/log-writer.js'
import { findCheckpoints, readManifest } from '../../src/snapshot/checkpoint.js'
import { checkPart } from '../../src/snapshot/part-file.js'
import { type Finished, millrace } from '../helpers/process.js'
import { mountSmallDisk, noSmallDisk } from '../helpers/small-disk.js'
import { digests, smallConfig, Workspace, writePlainLog } from '../helpers/workspace.js'

const skip = noSmallDisk()
const PAGES = 1500
const workspace = new Workspace()

function configure(outputs: string, checkpoints: string): void {
  workspace.configure({
    ...smallConfig,
    outputs: { ...smallConfig.outputs, path: outputs },
    // All outputs are flushed with each checkpoint, so the disk fills bit by bit.
    checkpoint: { path: checkpoints, everyEvents: 1000, keep: 1 },
  })
}

const replay = (...flags: string[]) => millrace(['replay', workspace.path('millrace.yaml'), ...flags])

interface Result {
  outputs: Record<string, string>
  checkpoint: Record<string, string>
}

let expected: Result
const sizes = { outputs: 0, checkpoint: 0 }

const bytesBelow = (folder: string) =>
  readdirSync(folder, { recursive: true }).reduce((sum, file) => sum + statSync(join(folder, String(file))).size, 0)

function resultOf(outputs: string, checkpoints: string): Result {
  const [name = ''] = readdirSync(checkpoints)
  assert.match(name, /-end$/)
  return { outputs: digests(outputs), checkpoint: digests(join(checkpoints, name)) }
}

before(async () => {
  const writer = createLogWriter({ path: workspace.path('log'), partitions: 1 })
  writePlainLog(writer, PAGES)
  writer.close()
  configure('out', 'checkpoints')
  const { code, stderr } = await replay()
  assert.equal(code, 0, stderr)
  expected = resultOf(workspace.path('out'), workspace.path('checkpoints'))
  sizes.outputs = bytesBelow(workspace.path('out'))
  sizes.checkpoint = bytesBelow(workspace.path('checkpoints'))
})

function stopped({ code, stdout, stderr }: Finished, error: 'DISK_FULL' | 'OUTPUT_FAILED', place: string): void {
  assert.deepEqual({ code, stdout }, { code: 7, stdout: '' }, stderr)
  const line = stderr.split('\n').find(line => line.startsWith(`millrace: ${error}: `))
  assert.ok(line?.includes(place), stderr)
  assert.doesNotMatch(stderr, /^ +at /m)
}

/** Every checkpoint that is there is whole, and no draft takes space. */
async function areWhole(root: string): Promise<number> {
  assert.deepEqual(
    readdirSync(root).filter(name => name.endsWith('.tmp')),
    [],
  )
  const folders = await findCheckpoints(root)
  for (const folder of folders) {
    const { parts } = await readManifest(folder)
    for (const part of parts) await checkPart(folder, part)
  }
  return folders.length
}

test('outputs that fill the disk: DISK_FULL, and with more space the bytes of a run that had it', {
  skip,
}, async () => {
  const disk = mountSmallDisk(Math.round((0.5 * sizes.outputs) / 1024))
  try {
    configure(disk.path, 'kept')
    stopped(await replay(), 'DISK_FULL', disk.path)
    assert.equal(await areWhole(workspace.path('kept')), 1)
    // Still full: the same again, and nothing is lost by trying.
    stopped(await replay('--resume'), 'DISK_FULL', disk.path)
    assert.equal(await areWhole(workspace.path('kept')), 1)
    disk.change('size=64m')
    const { code, stderr } = await replay('--resume')
    assert.equal(code, 0, stderr)
    assert.match(stderr, /resumed from a checkpoint/)
    assert.deepEqual(resultOf(disk.path, workspace.path('kept')), expected)
  } finally {
    disk.remove()
  }
})

test('a checkpoint that does not fit beside the last one: DISK_FULL, and the last one is whole', { skip }, async () => {
  const disk = mountSmallDisk(Math.round((1.6 * sizes.checkpoint) / 1024))
  try {
    configure('beside', disk.path)
    stopped(await replay(), 'DISK_FULL', disk.path)
    assert.equal(await areWhole(disk.path), 1)
    disk.change('size=64m')
    const { code, stderr } = await replay('--resume')
    assert.equal(code, 0, stderr)
    assert.match(stderr, /resumed from a checkpoint/)
    assert.deepEqual(resultOf(workspace.path('beside'), disk.path), expected)
  } finally {
    disk.remove()
  }
})

test('outputs or checkpoints that can not be written to are said before anything is learned', { skip }, async () => {
  const disk = mountSmallDisk(1024)
  try {
    disk.change('ro')
    configure(disk.path, 'checkpoints')
    stopped(await replay(), 'OUTPUT_FAILED', `${disk.path} is not a folder that can be written to: `)
    configure('out', join(disk.path, 'below'))
    stopped(await replay(), 'OUTPUT_FAILED', `${disk.path}/below is not a folder that can be written to: `)
    configure('out', 'checkpoints')
    workspace.configure({ ...smallConfig, evaluate: { report: join(disk.path, 'report.html') } })
    const { code, stderr } = await replay()
    assert.equal(code, 7)
    assert.match(stderr, /OUTPUT_FAILED: the report .*report\.html can not be written/)
  } finally {
    disk.remove()
  }
})

test('a file where a folder should be', async () => {
  writeFileSync(workspace.path('file'), '')
  configure('file', 'checkpoints')
  stopped(await replay(), 'OUTPUT_FAILED', `${workspace.path('file')} is not a folder that can be written to`)
  configure('out', 'file/checkpoints')
  stopped(await replay(), 'OUTPUT_FAILED', 'ENOTDIR')
})

test('a log that is made on a disk that runs full is not taken for a log', { skip }, async () => {
  const disk = mountSmallDisk(256)
  try {
    const log = join(disk.path, 'log')
    stopped(await millrace(['simulate', '--log', log, '--events', '20000', '--users', '100']), 'DISK_FULL', disk.path)
    assert.equal(existsSync(log), false)
  } finally {
    disk.remove()
  }
})
