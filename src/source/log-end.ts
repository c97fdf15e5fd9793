/**
 * Where a log folder ends: what a writer that goes on with it has to know. Offsets are counted as a reader counts them,
 * a torn block at the end included, so that what is appended behind it has the offsets that its segment's name says.
 */
import { open } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { MillraceError } from '../domain/errors.js'
import { listPartitions } from './avro-file.js'
import { ContainerReader } from './container.js'
import { listSegments } from './partition.js'

export interface PartitionEnd {
  folder: string
  /** Names of its segment files. */
  segments: string[]
  /** The last of them, if there is one, and how long it is. */
  last: { name: string; bytes: number } | undefined
  /** Offset of the next record. No segment has it as its name, unless the last one is empty. */
  next: bigint
}

/** LOG_NOT_FOUND: there is no log. LOG_CORRUPT: segments are not named by their offsets. */
export async function findLogEnd(path: string): Promise<PartitionEnd[]> {
  const names = await listPartitions(path)
  return Promise.all(names.map(name => findPartitionEnd(join(path, name))))
}

async function findPartitionEnd(folder: string): Promise<PartitionEnd> {
  const segments = await listSegments(folder)
  const unnumbered = segments.find(({ first }) => first === undefined)
  if (unnumbered !== undefined)
    throw new MillraceError('LOG_CORRUPT', `${unnumbered.file}: its name is no offset, so nothing can be put behind it`)
  const last = segments.at(-1)
  if (last === undefined) return { folder, segments: [], last: undefined, next: 0n }
  const first = last.first ?? 0n
  const records = last.bytes === 0 ? 0n : await countRecords(last.file)
  return {
    folder,
    segments: segments.map(({ file }) => basename(file)),
    last: { name: basename(last.file), bytes: last.bytes },
    // A segment with a header alone has taken its name: offsets may have gaps, names may not repeat.
    next: first + (records > 0n || last.bytes === 0 ? records : 1n),
  }
}

/** As a reader reserves offsets for them (partition.ts). */
async function countRecords(file: string): Promise<bigint> {
  const reader = new ContainerReader(file, await open(file), 0)
  try {
    const header = await reader.header(true)
    if (typeof header === 'string') return 0n
    if ('kind' in header) return 1n
    let records = 0n
    for (;;) {
      const stretch = await reader.next(true)
      if (typeof stretch === 'string') return records
      records += BigInt(stretch.kind === 'damage' ? Math.max(stretch.count ?? 1, 1) : stretch.count)
    }
  } finally {
    await reader.close()
  }
}
