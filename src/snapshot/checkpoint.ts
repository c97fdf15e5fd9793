/**
 * Checkpoints: one folder each, named by the records they include, complete or not there at all. The parts are written
 * into NAME.tmp and made durable, then the manifest, then the folder is renamed: a crash at any point leaves either the
 * old checkpoints alone or the new one beside them. Older ones beyond `keep` go last. A failed one leaves no draft, so
 * that a full disk gets its space back.
 *
 * The manifest holds the checksums of the parts and its own. Nothing in a checkpoint depends on the wall clock or on
 * timing: two runs of one log write the same bytes.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '../domain/errors.js'
import { diskFault } from './disk-fault.js'

const FORMAT = 3
const NAME = /^checkpoint-\d{15}(-end)?$/
const DRAFT = '.tmp'

export interface ManifestContent {
  /** Of what answers. */
  configHash: string
  /** Who learns beside it; their parts are named after the hashes. */
  challengers?: { name: string; configHash: string }[]
  backend: string
  /** Records of the log that are included, of all partitions. */
  records: number
  step: number
  /** Number of the journal's next entry. */
  journalSeq: number
  partitions: { name: string; nextOffset: string }[]
  parts: { name: string; bytes: number; sha256: string }[]
}

export interface Manifest extends ManifestContent {
  format: number
}

/** The name says which records are included and whether the log's end has been dealt with; later states sort later. */
export function checkpointName(records: number, ended: boolean): string {
  return `checkpoint-${String(records).padStart(15, '0')}${ended ? '-end' : ''}`
}

/**
 * write() fills the given empty folder with part files and returns the manifest's content. A checkpoint that is there
 * already is kept: equal names are equal states, but for what the wall clock has made of the same records since, and
 * that the journal tells.
 */
export async function writeCheckpoint(
  root: string,
  keep: number,
  name: string,
  write: (folder: string) => Promise<ManifestContent>,
): Promise<string> {
  const folder = join(root, name)
  const draft = `${folder}${DRAFT}`
  try {
    if ((await checkpointNames(root)).includes(name)) return folder
    await rm(draft, { recursive: true, force: true })
    await mkdir(draft, { recursive: true })
    await writeManifest(draft, { format: FORMAT, ...(await write(draft)) })
    await syncFolder(draft)
    await rename(draft, folder)
    await syncFolder(root)
    const names = await checkpointNames(root)
    for (const old of names.slice(0, Math.max(0, names.length - keep))) await removeCheckpoint(join(root, old))
  } catch (cause) {
    await rm(draft, { recursive: true, force: true }).catch(() => undefined)
    throw diskFault(cause, `the checkpoint ${folder} can not be written`)
  }
  return folder
}

/** Folders of the complete checkpoints, newest first. */
export async function findCheckpoints(root: string): Promise<string[]> {
  return (await checkpointNames(root)).reverse().map(name => join(root, name))
}

/** CHECKPOINT_CORRUPT if it is not what was written, CHECKPOINT_INCOMPATIBLE if another version of the program wrote it. */
export async function readManifest(folder: string): Promise<Manifest> {
  const path = join(folder, 'manifest.json')
  let stored: Manifest & { checksum?: unknown }
  try {
    stored = JSON.parse(await readFile(path, 'utf8'))
  } catch (cause) {
    throw new MillraceError('CHECKPOINT_CORRUPT', `${path} can not be read: ${(cause as Error).message}`, { cause })
  }
  const { checksum, ...manifest } = stored
  if (checksum !== undefined && checksum !== checksumOf(manifest))
    throw new MillraceError('CHECKPOINT_CORRUPT', `${path} does not fit its checksum`)
  if (manifest.format !== FORMAT) {
    throw new MillraceError(
      'CHECKPOINT_INCOMPATIBLE',
      `${folder} has format ${manifest.format}, this program reads format ${FORMAT}`,
    )
  }
  if (checksum === undefined) throw new MillraceError('CHECKPOINT_CORRUPT', `${path} has no checksum`)
  return manifest
}

/** The manifest goes first: what is left after a crash in the middle is not taken for a checkpoint. */
export async function removeCheckpoint(folder: string): Promise<void> {
  const draft = `${folder}${DRAFT}`
  await rm(draft, { recursive: true, force: true })
  await rename(folder, draft)
  await rm(draft, { recursive: true, force: true })
}

/** Removes what an interrupted writing or removing has left. */
export async function removeDrafts(root: string): Promise<void> {
  await removeMatching(root, name => name.endsWith(DRAFT) && NAME.test(name.slice(0, -DRAFT.length)))
}

/** Removes every checkpoint below the folder: a fresh start. */
export async function removeCheckpoints(root: string): Promise<void> {
  await removeMatching(root, name => NAME.test(name))
  await removeDrafts(root)
}

async function removeMatching(root: string, matches: (name: string) => boolean): Promise<void> {
  for (const name of (await entries(root)).filter(matches)) {
    await rm(join(root, name), { recursive: true, force: true }).catch(cause => {
      throw diskFault(cause, `${join(root, name)} can not be removed`)
    })
  }
}

async function writeManifest(folder: string, manifest: Manifest): Promise<void> {
  const file = await open(join(folder, 'manifest.json'), 'w')
  try {
    await file.writeFile(`${JSON.stringify({ ...manifest, checksum: checksumOf(manifest) }, null, 2)}\n`)
    await file.sync()
  } finally {
    await file.close()
  }
}

const checksumOf = (manifest: Manifest) => createHash('sha256').update(JSON.stringify(manifest)).digest('hex')

async function checkpointNames(root: string): Promise<string[]> {
  return (await entries(root)).filter(name => NAME.test(name)).sort()
}

async function entries(root: string): Promise<string[]> {
  return readdir(root).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw diskFault(error, `the checkpoints in ${root} can not be listed`)
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
