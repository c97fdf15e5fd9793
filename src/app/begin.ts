/**
 * Where a session begins: at the newest whole checkpoint, or afresh. Until the source is open nothing that earlier runs
 * wrote is touched, so that a run that can not begin leaves it as it is.
 */
import type { LoadedConfig } from '../config/load.js'
import type { History } from '../pipeline/history.js'
import type { LearnerPort } from '../pipeline/learner.js'
import type { PipelineParts } from '../pipeline/pipeline.js'
import type { JournalRecord } from '../sink/output-records.js'
import { removeCheckpoints } from '../snapshot/checkpoint.js'
import type { Closers, Ends } from './ends.js'
import { checkPartitions, loadCheckpoint, newestWhole } from './restore.js'

interface BeginDeps {
  loaded: LoadedConfig
  /** Folder of the checkpoints; undefined: nothing is written or restored. */
  root: string | undefined
  resume: boolean
  ends: Ends
  learner: LearnerPort & { readonly backend: string }
  parts: PipelineParts
  history: History
}

/** Restores the state, takes the outputs over and opens the source; from then on the outputs have to be closed. */
export async function beginSession(deps: BeginDeps, closers: Closers): Promise<void> {
  const { loaded, root, resume, ends, learner, parts, history } = deps
  const { source, position, dispatcher, journal, delivery, logger } = parts
  const checkpoint = root !== undefined && resume ? await newestWhole(root, loaded, logger) : undefined
  let tail: JournalRecord[] = []
  if (checkpoint !== undefined) {
    tail = await loadCheckpoint(checkpoint, { learner, parts, history, journalTail: ends.journalTail, logger })
    logger.info(
      { folder: checkpoint.folder, records: position.records, step: dispatcher.steps },
      'resumed from a checkpoint',
    )
  }
  parts.relearning = await ends.recover(parts, checkpoint?.manifest, tail)
  await source.open(position.nextOffsets)
  if (checkpoint === undefined) position.nextOffsets = ends.startOffsets()
  else checkPartitions(checkpoint, source.partitions)
  while (position.nextOffsets.length < source.partitions.length) position.nextOffsets.push(0n)
  closers.push(() => delivery.close())
  if (root === undefined || checkpoint !== undefined) return
  if (ends.live !== undefined) {
    // Before the old checkpoints go: a crash in between is noticed, because the journal has begun anew behind them.
    journal.begin(source.partitions)
    await dispatcher.settled()
    await delivery.commit(
      source.partitions.map((partition, index) => ({ partition, next: position.nextOffsets[index] ?? 0n })),
    )
  }
  await removeCheckpoints(root)
  await ends.journalTail.discard()
  if (ends.live === undefined) return
  // What a live run does depends on the journal from the first entry on, so there must be something to follow it from.
  await parts.checkpoint()
  logger.info({ partitions: source.partitions.length }, 'begins with nothing learned')
}
