/** Events from a log folder, outputs to files or nowhere. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createMessageLogDecoder } from '../decode/message-log.js'
import { createDecoderFactory } from '../decode/record-decoder.js'
import { MESSAGE_LOG_FILE, type MessageLogManifest, parseManifest } from '../domain/message-log.js'
import type { PipelineParts } from '../pipeline/pipeline.js'
import type { Delivery } from '../sink/delivery.js'
import { createFileDelivery, readJournalFiles } from '../sink/file-delivery.js'
import type { JournalRecord } from '../sink/output-records.js'
import type { Manifest } from '../snapshot/checkpoint.js'
import { AvroFileSource } from '../source/avro-file.js'
import type { Resume } from '../source/repetition.js'
import type { Closers, DecisionHandlers, Ends } from './ends.js'
import { assertWritable, createDiscardOutputs, createFileOutputs } from './file-outputs.js'
import { JournalTail } from './journal-tail.js'
import type { Observation } from './observation.js'
import { observeDelivery } from './observe-delivery.js'
import { decisionOf, repeatJournal } from './repeat-journal.js'
import type { SessionOptions } from './session-options.js'

export async function openFileEnds(options: SessionOptions, observation: Observation, closers: Closers): Promise<Ends> {
  const { loaded } = options
  const { config, folder } = loaded
  const decoderFor = createDecoderFactory(config.source)
  const { follow } = config.source
  const manifest = readManifest(options.log)
  let decided: DecisionHandlers | undefined
  const source = new AvroFileSource({
    path: options.log,
    follow,
    decoderFor: manifest === undefined ? decoderFor : createMessageLogDecoder(manifest, decoderFor),
    asTopics: manifest !== undefined,
    maxFutureMs: config.join.maxFuture,
    onDecision: decision => decided?.merge(decision),
    logger: options.logger,
  })
  closers.push(() => source.close())
  const lingerMs = config.batch.linger
  return {
    source,
    delivery: observeDelivery(await fileDelivery(options), observation, follow),
    live: follow ? { lingerMs, commitEveryMs: lingerMs, journalsCommits: true } : undefined,
    journalTail: new JournalTail(resolve(folder, config.checkpoint.path), resolve(folder, config.outputs.path)),
    onDecision(handlers) {
      decided = handlers
    },
    async recover(parts, checkpoint, tail) {
      const { followJournal } = options
      if (followJournal !== undefined) {
        const name = followJournal.folder
        return repeatJournal(parts, source, { name, entries: await readJournalFiles(name, 0) })
      }
      // A finite log is read in the order of its times, whatever was idle before.
      if (checkpoint !== undefined && (follow || tail.length > 0)) source.resume(resumeAt(parts, checkpoint, tail))
      return undefined
    },
    startOffsets: () => [],
  }
}

/** Behind the checkpoint: the journal's entries tell how it was read, up to the last of them. */
function resumeAt({ position }: PipelineParts, checkpoint: Manifest, tail: readonly JournalRecord[]): Resume {
  const partitions = checkpoint.partitions.map(({ name }) => name)
  const reached = tail.at(-1)?.consumed.map(({ offset }) => offset) ?? []
  return {
    partitions,
    records: position.records,
    decisions: [...position.standing, ...tail.flatMap(decisionOf)],
    until: [...reached, ...position.nextOffsets.slice(reached.length)],
  }
}

/** Undefined: the log is one of events, not of messages. */
export function readManifest(log: string): MessageLogManifest | undefined {
  const file = join(log, MESSAGE_LOG_FILE)
  return existsSync(file) ? parseManifest(readFileSync(file, 'utf8'), file) : undefined
}

/** Outputs as files, or nothing. */
export async function fileDelivery({ loaded, outputs, followJournal }: SessionOptions): Promise<Delivery> {
  const { config } = loaded
  const folder = resolve(loaded.folder, config.outputs.path)
  // A live run's outputs are repeated to the same bytes.
  const isLive = config.source.follow || (followJournal !== undefined && config.source.kafka === undefined)
  if (outputs === 'discard') return createFileDelivery(createDiscardOutputs(), undefined)
  await assertWritable(folder)
  return createFileDelivery(createFileOutputs(folder, config, isLive), join(folder, 'journal'))
}
