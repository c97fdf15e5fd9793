/**
 * Checkpoints: one folder each, named by the records they include, complete or not there at all. The parts are written
 * into NAME.tmp and made durable, then the manifest, then the folder is renamed: a crash at any point leaves either the
 * old checkpoints alone or the new one beside them. Older ones beyond `keep` go last.
 *
 * Nothing in a checkpoint depends on the wall clock or on timing: two runs of one log write the same bytes.
 */
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '../domain/errors.js'

const FORMAT = 1
const NAME = /^checkpoint-\d{15}(-end)?$/

export interface Manifest {
  format: number
  configHash: string
  backend: string
  /** Records of the log that are included, of all partitions. */
  records: number
  step: number
  partitions: { name: string; nextOffset: string }[]
  parts: { name: string; bytes: number; sha256: string }[]
}

export interface FoundCheckpoint {
  folder: string
  manifest: Manifest
}

/** The name says which records are included and whether the log's end has been dealt with; later states sort later. */
export function checkpointName(records: number, ended: boolean): string {
  return `checkpoint-${String(records).padStart(15, '0')}${ended ? '-end' : ''}`
}

/** write() fills the given empty folder with part files and returns the manifest's content. A checkpoint that is there already is kept: equal names are equal states. */
export async function writeCheckpoint(
  root: string,
  keep: number,
  name: string,
  write: (folder: string) => Promise<Omit<Manifest, 'format'>>,
): Promise<string> {
  const folder = join(root, name)
  if ((await checkpointNames(root)).includes(name)) return folder
  const draft = `${folder}.tmp`
  try {
    await rm(draft, { recursive: true, force: true })
    await mkdir(draft, { recursive: true })
    const manifest: Manifest = { format: FORMAT, ...(await write(draft)) }
    const file = await open(join(draft, 'manifest.json'), 'w')
    await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`)
    await file.sync()
    await file.close()
    await syncFolder(draft)
    await rename(draft, folder)
    await syncFolder(root)
    const names = await checkpointNames(root)
    for (const old of names.slice(0, Math.max(0, names.length - keep)))
      await rm(join(root, old), { recursive: true, force: true })
  } catch (cause) {
    throw diskError(cause, `the checkpoint ${folder} can not be written`)
  }
  return folder
}

/** Complete checkpoints, newest first. Half-written ones are removed. */
export async function findCheckpoints(root: string): Promise<FoundCheckpoint[]> {
  const found: FoundCheckpoint[] = []
  for (const name of (await checkpointNames(root)).reverse()) {
    const folder = join(root, name)
    const text = await readFile(join(folder, 'manifest.json'), 'utf8').catch(() => undefined)
    if (text === undefined) continue
    const manifest = JSON.parse(text) as Manifest
    if (manifest.format !== FORMAT) {
      throw new MillraceError(
        'CHECKPOINT_INCOMPATIBLE',
        `${folder} has format ${manifest.format}, this program reads format ${FORMAT}`,
      )
    }
    found.push({ folder, manifest })
  }
  return found
}

/** Removes every checkpoint below the folder: a fresh start. */
export async function removeCheckpoints(root: string): Promise<void> {
  for (const name of await entries(root)) {
    if (NAME.test(name) || NAME.test(name.replace(/\.tmp$/, '')))
      await rm(join(root, name), { recursive: true, force: true })
  }
}

async function checkpointNames(root: string): Promise<string[]> {
  return (await entries(root)).filter(name => NAME.test(name)).sort()
}

async function entries(root: string): Promise<string[]> {
  return readdir(root).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Errors of the disk under one of our codes; errors that have a code already stay as they are. */
function diskError(cause: unknown, what: string): MillraceError {
  if (cause instanceof MillraceError) return cause
  const code = (cause as NodeJS.ErrnoException).code
  const full = code === 'ENOSPC' || code === 'EDQUOT'
  return new MillraceError(full ? 'DISK_FULL' : 'OUTPUT_FAILED', `${what}: ${(cause as Error).message}`, { cause })
}
