/**
 * A replay of topics, or of what a live run has learned, runs beside a learner that may be live with the same configuration:
 * it must not take that one's checkpoints for its own, nor cut its outputs off. So it keeps both in folders of its own.
 */
import { resolve } from 'node:path'
import type { LoadedConfig } from '../config/load.js'

export function besideLive(loaded: LoadedConfig, followJournal = false): LoadedConfig {
  const { config } = loaded
  if (config.source.kafka === undefined && !followJournal) return loaded
  const checkpoint = { ...config.checkpoint, path: `${config.checkpoint.path}-replay` }
  const outputs = { ...config.outputs, path: `${config.outputs.path}-replay` }
  return { ...loaded, config: { ...config, checkpoint, outputs } }
}

/** The same configuration on another log: a folder instead of what it names, such as an export of its topics. */
export function onLog(loaded: LoadedConfig, log: string | undefined): LoadedConfig {
  if (log === undefined) return loaded
  const { kafka, import: imported, simulate, ...source } = loaded.config.source
  return { ...loaded, config: { ...loaded.config, source: { ...source, log: resolve(log) } } }
}
