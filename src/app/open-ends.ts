import type { Closers, Ends } from './ends.js'
import { openFileEnds } from './file-ends.js'
import { openKafkaEnds } from './kafka-ends.js'
import type { Observation } from './observation.js'
import type { SessionOptions } from './session-options.js'

export async function openEnds(
  options: SessionOptions,
  observation: Observation,
  closers: Closers,
  stop: AbortSignal,
): Promise<Ends> {
  const { kafka } = options.loaded.config.source
  return kafka === undefined
    ? openFileEnds(options, observation, closers)
    : openKafkaEnds(options, kafka, observation, closers, stop)
}
