import type { Closers, Ends } from './ends.js'
import { openFileEnds } from './file-ends.js'
import { openKafkaEnds } from './kafka-ends.js'
import type { SessionOptions } from './session-options.js'

export async function openEnds(options: SessionOptions, closers: Closers, stop: AbortSignal): Promise<Ends> {
  const { kafka } = options.loaded.config.source
  return kafka === undefined ? openFileEnds(options, closers) : openKafkaEnds(options, kafka, closers, stop)
}
