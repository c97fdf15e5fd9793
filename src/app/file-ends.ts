/** Events from a log folder, outputs to files or nowhere. */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createMessageLogDecoder } from '../decode/message-log.js'
import { createDecoderFactory } from '../decode/record-decoder.js'
import { MESSAGE_LOG_FILE, type MessageLogManifest, parseManifest } from '../domain/message-log.js'
import type { Delivery } from '../sink/delivery.js'
import { createFileDelivery } from '../sink/file-delivery.js'
import { AvroFileSource } from '../source/avro-file.js'
import type { Closers, Ends } from './ends.js'
import { assertWritable, createDiscardOutputs, createFileOutputs } from './file-outputs.js'
import { JournalTail } from './journal-tail.js'
import type { Observation } from './observation.js'
import { observeDelivery } from './observe-delivery.js'
import type { SessionOptions } from './session-options.js'

export async function openFileEnds(options: SessionOptions, observation: Observation, closers: Closers): Promise<Ends> {
  const { loaded } = options
  const { config, folder } = loaded
  const decoderFor = createDecoderFactory(config.source)
  const { follow } = config.source
  const manifest = readManifest(options.log)
  const source = new AvroFileSource(
    manifest === undefined
      ? { path: options.log, follow, decoderFor }
      : {
          path: options.log,
          follow,
          decoderFor: createMessageLogDecoder(manifest, decoderFor),
          asTopics: { maxFutureMs: config.join.maxFuture },
        },
  )
  closers.push(() => source.close())
  const lingerMs = config.batch.linger
  return {
    source,
    delivery: observeDelivery(await fileDelivery(options), observation, config.source.follow),
    live: config.source.follow ? { lingerMs, commitEveryMs: lingerMs } : undefined,
    journalTail: new JournalTail(resolve(folder, config.checkpoint.path), resolve(folder, config.outputs.path)),
    onDecision() {},
    recover: async () => undefined,
    startOffsets: () => [],
  }
}

/** Undefined: the log is one of events, not of messages. */
export function readManifest(log: string): MessageLogManifest | undefined {
  const file = join(log, MESSAGE_LOG_FILE)
  return existsSync(file) ? parseManifest(readFileSync(file, 'utf8'), file) : undefined
}

/** Outputs as files, or nothing. */
export async function fileDelivery({ loaded, outputs }: SessionOptions): Promise<Delivery> {
  const folder = resolve(loaded.folder, loaded.config.outputs.path)
  if (outputs === 'discard') return createFileDelivery(createDiscardOutputs(), undefined)
  await assertWritable(folder)
  return createFileDelivery(createFileOutputs(folder, loaded.config), join(folder, 'journal'))
}
