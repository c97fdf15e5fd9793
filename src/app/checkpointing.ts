/** Writes checkpoints of a session: what both threads own, at a batch barrier, as one folder. */
import type { LoadedConfig } from '../config/load.js'
import { saveParts } from '../pipeline/commit.js'
import type { History } from '../pipeline/history.js'
import type { LearnerPort } from '../pipeline/learner.js'
import type { PipelineParts } from '../pipeline/pipeline.js'
import { checkpointName, writeCheckpoint } from '../snapshot/checkpoint.js'
import { writePart } from '../snapshot/part-file.js'
import type { JournalTail } from './journal-tail.js'

interface CheckpointDeps {
  root: string
  loaded: LoadedConfig
  learner: LearnerPort & { readonly backend: string }
  parts: PipelineParts
  history: History
  journalTail: Pick<JournalTail, 'drop'>
}

/** Called when everything sent is answered and committed. Returns its size; undefined: it was there already. */
export async function checkpointSession(deps: CheckpointDeps): Promise<number | undefined> {
  const { root, loaded, learner, parts, history, journalTail } = deps
  const { source, position, dispatcher, journal } = parts
  const name = checkpointName(position.records, position.ended)
  let bytes: number | undefined
  await writeCheckpoint(root, loaded.config.checkpoint.keep, name, async folder => {
    const files = await learner.save(folder)
    for (const [part, state] of Object.entries(saveParts(parts, history)))
      files.push(await writePart(folder, part, state))
    bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    const partitions = source.partitions.map((partition, index) => ({
      name: partition,
      nextOffset: String(position.nextOffsets[index] ?? 0n),
    }))
    const { records } = position
    const { backend } = learner
    return {
      configHash: loaded.hash,
      backend,
      records,
      step: dispatcher.steps,
      journalSeq: journal.seq,
      partitions,
      parts: files,
    }
  })
  if (!journal.following) await journalTail.drop()
  return bytes
}
