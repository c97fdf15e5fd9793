import type { LoadedConfig } from '../config/load.js'
import { SchemaRegistry } from '../decode/registry.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../std/clock.js'
import type { Closers } from './ends.js'

/** The configured registry, if there is one; what becomes of it is said in the log. */
export function openRegistry(
  { config }: LoadedConfig,
  { logger, clock }: { logger: Log; clock: Clock },
  closers: Closers,
): SchemaRegistry | undefined {
  if (config.kafka.registry === undefined) return undefined
  const registry = new SchemaRegistry({
    ...config.kafka.registry,
    clock,
    onState({ reachable, lastError }) {
      if (reachable) logger.info({}, 'the schema registry answers again')
      else
        logger.warn({ reason: lastError }, 'the schema registry does not answer: known schemas are used, others wait')
    },
  })
  closers.push(async () => registry.close())
  return registry
}
