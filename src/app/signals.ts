/**
 * SIGTERM and SIGINT ask learning for an orderly stop: finish the batch, checkpoint, flush. A second one ends the process
 * at once. Only while something is learned: whatever else a command does may be cut off like any program.
 */
import type { Log } from '../observe/log.js'

const SIGNALS = ['SIGTERM', 'SIGINT'] as const
const EXIT_CODES = { SIGTERM: 143, SIGINT: 130 }

/** Whichever comes first. */
export function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise(resolve => {
    for (const signal of SIGNALS) process.once(signal, resolve)
  })
}

/** What the work came to, and whether it was stopped before its end. last: what is done before it stops. */
export async function untilSignal<T>(
  logger: Log,
  work: (stop: AbortSignal) => Promise<T>,
  last = 'the batch is finished and a checkpoint is written',
): Promise<{ value: T; stopped: boolean }> {
  const controller = new AbortController()
  const onSignal = (signal: (typeof SIGNALS)[number]) => {
    if (controller.signal.aborted) process.exit(EXIT_CODES[signal])
    logger.warn({ signal }, `stopping: ${last}; once more to stop at once`)
    controller.abort()
  }
  for (const signal of SIGNALS) process.on(signal, onSignal)
  try {
    return { value: await work(controller.signal), stopped: controller.signal.aborted }
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal)
  }
}
