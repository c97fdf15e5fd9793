/** Writes checkpoints of a session: what both threads own, at a batch barrier, as one folder. */
import type { LoadedConfig } from '../config/load.js'
import { saveParts } from '../pipeline/commit.js'
import type { History } from '../pipeline/history.js'
import type { LearnerPort, PartFile } from '../pipeline/learner.js'
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

async function writeOwn(folder: string, states: ReturnType<typeof saveParts>): Promise<PartFile[]> {
  const files: PartFile[] = []
  for (const [part, state] of Object.entries(states)) files.push(await writePart(folder, part, state))
  return files
}

/** Called when everything sent is answered and committed. Returns its size; undefined: it was there already. */
export async function checkpointSession(deps: CheckpointDeps): Promise<number | undefined> {
  const { root, loaded, learner, parts, history, journalTail } = deps
  const { contest, source, position, dispatcher, journal } = parts
  const name = checkpointName(position.records, position.ended)
  let bytes: number | undefined
  await writeCheckpoint(root, loaded.config.checkpoint.keep, name, async folder => {
    // Nothing moves on either side, so both write at once; a failure of one waits for the other, which still writes.
    const saving = await Promise.allSettled([learner.save(folder), writeOwn(folder, saveParts(parts, history))])
    const files = saving.flatMap(saved => {
      if (saved.status === 'rejected') throw saved.reason
      return saved.value
    })
    bytes = files.reduce((sum, file) => sum + file.bytes, 0)
    const partitions = source.partitions.map((partition, index) => ({
      name: partition,
      nextOffset: String(position.nextOffsets[index] ?? 0n),
    }))
    const { records } = position
    const { backend } = learner
    return {
      configHash: contest?.answering.hash ?? loaded.hash,
      ...(contest && { challengers: contest.challengers.map(({ name, hash }) => ({ name, configHash: hash })) }),
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
