/** Folders for what a run writes and nobody keeps: one each, as several rows may run at once. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { packageRoot } from '../src/std/package-root.js'

const ROOT = join(packageRoot(), '.data/lab/scratch')

/** The folder is there and empty, and gone afterwards. */
export async function withScratch<T>(name: string, work: (folder: string) => Promise<T>): Promise<T> {
  await mkdir(ROOT, { recursive: true })
  const folder = await mkdtemp(join(ROOT, `${name}-`))
  try {
    return await work(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** What interrupted runs have left. */
export async function clearScratch(): Promise<void> {
  await rm(ROOT, { recursive: true, force: true })
}
