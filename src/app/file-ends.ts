/** Events from a log folder, outputs to files or nowhere. */
import { join, resolve } from 'node:path'
import { createDecoderFactory } from '../decode/record-decoder.js'
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
  const source = new AvroFileSource({ path: options.log, follow: config.source.follow, decoderFor })
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
/** Outputs as files, or nothing. */
export async function fileDelivery({ loaded, outputs }: SessionOptions): Promise<Delivery> {
  const folder = resolve(loaded.folder, loaded.config.outputs.path)
  if (outputs === 'discard') return createFileDelivery(createDiscardOutputs(), undefined)
  await assertWritable(folder)
  return createFileDelivery(createFileOutputs(folder, loaded.config), join(folder, 'journal'))
}
