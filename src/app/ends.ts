/**
 * The two ends of a session: where events come from and how outputs get out. Files at both, or Kafka at one or both; the
 * pipeline between them is the same.
 */
import { join, resolve } from 'node:path'
import { createDecoderFactory } from '../decode/record-decoder.js'
import type { PipelineParts } from '../pipeline/pipeline.js'
import type { Relearning } from '../pipeline/relearning.js'
import type { Delivery } from '../sink/delivery.js'
import { createFileDelivery } from '../sink/file-delivery.js'
import type { Manifest } from '../snapshot/checkpoint.js'
import { AvroFileSource } from '../source/avro-file.js'
import type { MergeDecision, Source } from '../source/source.js'
import { assertWritable, createDiscardOutputs, createFileOutputs } from './file-outputs.js'
import { JournalTail } from './journal-tail.js'
import { openKafkaEnds } from './kafka-ends.js'
import type { SessionOptions } from './session.js'

export interface Ends {
  source: Source
  delivery: Delivery
  /** Undefined: the source ends. */
  live: PipelineParts['live']
  journalTail: Pick<JournalTail, 'keep' | 'drop' | 'discard'>
  /** What the wall clock decides in the source; belongs into the journal. */
  onDecision(handler: (decision: MergeDecision) => void): void
  /** When the state is restored and before the source is opened: takes the outputs over, and says what is to be learned again. */
  recover(parts: PipelineParts, checkpoint: Manifest | undefined): Promise<Relearning | undefined>
  /** Of an open source that nothing was restored for. */
  startOffsets(): bigint[]
}

export type Closers = (() => Promise<void>)[]

export async function openEnds(options: SessionOptions, closers: Closers, stop: AbortSignal): Promise<Ends> {
  const { config } = options.loaded
  return config.source.kafka === undefined
    ? openFileEnds(options, closers)
    : openKafkaEnds(options, config.source.kafka, closers, stop)
}

async function openFileEnds(options: SessionOptions, closers: Closers): Promise<Ends> {
  const { loaded } = options
  const { config, folder } = loaded
  const decoderFor = createDecoderFactory(config.source)
  const source = new AvroFileSource({ path: options.log, follow: config.source.follow, decoderFor })
  closers.push(() => source.close())
  const lingerMs = config.batch.linger
  return {
    source,
    delivery: await fileDelivery(options),
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
