import type { Closers, Ends } from './ends.js'
import { openFileEnds } from './file-ends.js'
import type { Observation } from './observation.js'
import type { SessionOptions } from './session-options.js'

export async function openEnds(
  options: SessionOptions,
  observation: Observation,
  closers: Closers,
  stop: AbortSignal,
): Promise<Ends> {
  const { kafka } = options.loaded.config.source
  if (kafka === undefined) return openFileEnds(options, observation, closers)
  // With files at both ends its hundreds of modules are not needed.
  const { openKafkaEnds } = await import('./kafka-ends.js')
  return openKafkaEnds(options, kafka, observation, closers, stop)
}
