/**
 * Which checkpoint a run goes on from: the newest one that is whole. A damaged one is skipped, said and, as soon as an
 * older one is known to be whole, removed: the run will come by again and must be free to write it anew.
 */
import type { LoadedConfig } from '../config/load.js'
import { MillraceError } from '../domain/errors.js'
import type { Log } from '../observe/log.js'
import { loadParts } from '../pipeline/commit.js'
import type { Contest } from '../pipeline/contest.js'
import { loadContest } from '../pipeline/contest-state.js'
import type { History } from '../pipeline/history.js'
import type { LearnerPort } from '../pipeline/learner.js'
import type { PipelineParts } from '../pipeline/pipeline.js'
import type { JournalRecord } from '../sink/output-records.js'
import { findCheckpoints, type Manifest, readManifest, removeCheckpoint, removeDrafts } from '../snapshot/checkpoint.js'
import { checkPart, readPart } from '../snapshot/part-file.js'
import type { JournalTail } from './journal-tail.js'

export interface WholeCheckpoint {
  folder: string
  manifest: Manifest
}

/** Undefined: there is none. CHECKPOINT_CORRUPT: there are some, and none is whole. */
export async function newestWhole(
  root: string,
  config: Pick<LoadedConfig, 'hash' | 'file' | 'challengers'>,
  logger: Log,
): Promise<WholeCheckpoint | undefined> {
  await removeDrafts(root)
  const damaged: { folder: string; error: MillraceError }[] = []
  for (const folder of await findCheckpoints(root)) {
    try {
      const manifest = await readManifest(folder)
      for (const part of manifest.parts) await checkPart(folder, part)
      checkConfig(folder, manifest, config)
      for (const { folder } of damaged) await removeCheckpoint(folder)
      return { folder, manifest }
    } catch (error) {
      if (!(error instanceof MillraceError && error.code === 'CHECKPOINT_CORRUPT')) throw error
      logger.warn({ folder, reason: error.message }, 'a damaged checkpoint is skipped')
      damaged.push({ folder, error })
    }
  }
  const [newest] = damaged
  if (newest === undefined) return undefined
  throw new MillraceError('CHECKPOINT_CORRUPT', `no checkpoint in ${root} is whole: ${newest.error.message}`, {
    cause: newest.error,
  })
}

/** It may be of a challenger that was promoted. */
function checkConfig(
  folder: string,
  { configHash }: Manifest,
  { hash, file, challengers }: Pick<LoadedConfig, 'hash' | 'file' | 'challengers'>,
): void {
  if (configHash === hash || challengers.some(one => one.hash === configHash)) return
  const others = challengers.map(({ name, hash }) => `, its challenger ${name} is ${hash}`)
  throw new MillraceError(
    'CHECKPOINT_INCOMPATIBLE',
    `${folder} was made by model configuration ${configHash}, ${file} is ${hash}${others.join('')}`,
  )
}

/** Offsets are kept by place in the list of partitions, so the log's list must begin with the checkpoint's. */
export function checkPartitions({ folder, manifest }: WholeCheckpoint, partitions: readonly string[]): void {
  for (const [index, { name }] of manifest.partitions.entries()) {
    if (partitions[index] === name) continue
    throw new MillraceError(
      'CHECKPOINT_INCOMPATIBLE',
      `${folder} was made of a log with partitions ${manifest.partitions.map(one => `'${one.name}'`).join(', ')}, this one has ${partitions.map(one => `'${one}'`).join(', ')}`,
    )
  }
}

/** Brings freshly made parts to the checkpoint's state; the outputs are cut back to it. Returns what the wall clock did behind it. */
export async function loadCheckpoint(
  { folder, manifest }: WholeCheckpoint,
  deps: {
    learner: LearnerPort & { readonly backend: string }
    parts: PipelineParts
    history: History
    journalTail: Pick<JournalTail, 'keep'>
    logger: Log
  },
): Promise<JournalRecord[]> {
  const { learner, parts, history, journalTail, logger } = deps
  if (manifest.backend !== learner.backend) {
    logger.warn(
      { folder, backend: manifest.backend, now: learner.backend },
      'the checkpoint was made with another backend: learning goes on, but not to the same bytes',
    )
  }
  const { contest, columns, position } = parts
  const tail = await journalTail.keep(manifest.journalSeq)
  if (contest !== undefined) resumeContest(contest, manifest, logger)
  await learner.load(folder, manifest.parts)
  const partNamed = (name: string) => manifest.parts.find(part => part.name === name)
  const rows = await loadParts(parts, history, name => {
    const part = partNamed(name)
    if (part === undefined) throw new MillraceError('CHECKPOINT_INCOMPATIBLE', `${folder} has no part '${name}'`)
    return readPart(folder, part)
  })
  if (contest !== undefined) {
    // A checkpoint from before there were challengers has neither.
    const [part, past] = [partNamed('contest'), partNamed('contest-history')]
    await loadContest(contest, columns, rows, part && (await readPart(folder, part)), position.eventTimeMs)
    const known = new Set([contest.answering, ...contest.challengers].map(({ hash }) => hash))
    if (past !== undefined) history.challengersFromJson((await readPart(folder, past)).meta, known)
  }
  parts.journal.follow(tail)
  return tail
}

function resumeContest(contest: Contest, manifest: Manifest, logger: Log): void {
  for (const hash of contest.resume(manifest))
    logger.info({ hash }, 'a challenger that the configuration has no more is dropped')
  for (const { name, hash } of contest.beginners)
    logger.info({ name, hash }, 'a challenger begins with nothing learned')
  const { lane, name, hash } = contest.answering
  if (lane > 0) logger.info({ name, hash }, 'the challenger that was promoted goes on answering')
}
