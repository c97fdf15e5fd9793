/** SIGTERM and SIGINT ask for an orderly stop: finish the batch, checkpoint, flush. A second one ends the process at once. */
import type { Log } from '../observe/log.js'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const
const EXIT_CODES = { SIGTERM: 143, SIGINT: 130 }

export function stopOnSignal(logger: Log): { stop: AbortSignal; close(): void } {
  const controller = new AbortController()
  const onSignal = (signal: (typeof SIGNALS)[number]) => {
    if (controller.signal.aborted) process.exit(EXIT_CODES[signal])
    logger.warn({ signal }, 'stopping: the batch is finished and a checkpoint is written; once more to stop at once')
    controller.abort()
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  return {
    stop: controller.signal,
    close() {
      for (const signal of SIGNALS) process.off(signal, onSignal)
    },
  }
}
