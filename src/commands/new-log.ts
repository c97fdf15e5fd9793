/**
 * The folder that `import` and `simulate` write to. A log that is there is replaced only when asked, and only if it is
 * nothing but a log: --force on the wrong folder must not cost anyone their files.
 */
import { existsSync, readdirSync } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { MillraceError } from '../domain/errors.js'

const OF_A_LOG = /^(p\d{2,}|truth\.avro|messages\.json)$/

/** Makes a log at `folder`; the one that it replaces goes only when the new one is whole. */
export async function newLog<T>(
  folder: string,
  force: boolean,
  make: (path: string) => Promise<T>,
): Promise<{ path: string; made: T }> {
  const path = resolve(folder)
  if (!existsSync(path)) return { path, made: await make(path) }
  if (!force)
    throw new MillraceError('USAGE', `${path} is there already; --force replaces it, --log names another folder`)
  const strange = readdirSync(path).find(name => !OF_A_LOG.test(name))
  if (strange !== undefined)
    throw new MillraceError('USAGE', `${path} is not replaced: it holds '${strange}', which is not part of a log`)
  const beside = `${path}.new`
  await rm(beside, { recursive: true, force: true })
  const made = await make(beside)
  await rm(path, { recursive: true })
  await rename(beside, path)
  return { path, made }
}

/** 'impression 176,754 · click 15,914', leaving out what did not occur. */
export function countsText(counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).filter(([, count]) => count > 0)
  return parts.length === 0 ? 'none' : parts.map(([name, count]) => `${name} ${count.toLocaleString('en')}`).join(' · ')
}
