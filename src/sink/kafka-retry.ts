/** Tries again what passes, waits in between, and says so; the one place that knows how long. */
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError } from '../domain/errors.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../std/clock.js'
import { kafkaFault, UnacknowledgedError } from './kafka-faults.js'

export type Retry = <T>(doing: string, attempt: () => Promise<T>) => Promise<T>

/** The brokers need some milliseconds to finish a transaction; the client's own default of 300 makes 4 a second. */
const BUSY_WAIT_MS = { first: 5, most: 100 }
const FAULT_WAIT_MS = { first: 100, most: 2000 }
const GROWTH = 1.6
/** Brokers that are busy for longer are spoken of. */
const LONG_BUSY_MS = 10_000

/** unacknowledged: the client called a send done that was not. */
export type RetryReason = 'unreachable' | 'unacknowledged' | 'other'

export interface RetryOptions {
  logger: Log
  clock: Clock
  /** Ends the waiting. */
  signal: AbortSignal
  /** Before another attempt after a fault; its own failure does not matter. */
  refresh?(): Promise<void>
  onFault?(message: string, reason: RetryReason): void
  /** A better error for one of the client's. */
  explain?(error: unknown): unknown
}

/** Rejects with a MillraceError. */
export function createRetry({
  logger,
  clock,
  signal,
  refresh,
  onFault,
  explain = error => error,
}: RetryOptions): Retry {
  return async function retry(doing, attempt) {
    let busyMs = BUSY_WAIT_MS.first
    let busySinceMs: number | undefined
    let busySaidMs = LONG_BUSY_MS
    let faultMs = FAULT_WAIT_MS.first
    let attempts = 0
    let failingSinceMs: number | undefined
    for (;;) {
      try {
        const value = await attempt()
        if (failingSinceMs !== undefined) {
          const afterMs = Math.round(clock.monotonicMs() - failingSinceMs)
          logger.info({ attempts: attempts + 1, afterMs }, `${doing}: succeeded`)
        }
        return value
      } catch (error) {
        const fault = kafkaFault(explain(error), doing)
        if (fault.kind === 'final') throw fault.error
        if (fault.kind === 'fenced') throw new MillraceError('KAFKA_FENCED', fault.message, { cause: error })
        if (signal.aborted) throw closed(doing, error)
        if (fault.kind === 'busy') {
          busySinceMs ??= clock.monotonicMs()
          const waitedMs = clock.monotonicMs() - busySinceMs
          if (waitedMs >= busySaidMs) {
            busySaidMs *= 2
            logger.warn(
              { waitedMs: Math.round(waitedMs) },
              `${doing}: the brokers have not finished an earlier transaction yet`,
            )
          }
          await wait(busyMs, doing, error)
          busyMs = Math.min(busyMs * GROWTH, BUSY_WAIT_MS.most)
          continue
        }
        attempts++
        failingSinceMs ??= clock.monotonicMs()
        if (clock.monotonicMs() - failingSinceMs > fault.giveUpMs) throw fault.otherwise
        logger.warn(
          { code: fault.otherwise.code, attempts, waitMs: Math.round(faultMs) },
          `${fault.message}; it is tried again, nothing is lost`,
        )
        onFault?.(fault.message, reasonOf(fault.unreachable, error))
        await wait(faultMs, doing, error)
        faultMs = Math.min(faultMs * GROWTH, FAULT_WAIT_MS.most)
        await refresh?.().catch(() => undefined)
      }
    }
  }

  async function wait(ms: number, doing: string, cause: unknown): Promise<void> {
    await sleep(ms, undefined, { signal }).catch(() => {
      throw closed(doing, cause)
    })
  }

  function closed(doing: string, cause: unknown): MillraceError {
    return new MillraceError('KAFKA_UNREACHABLE', `${doing}: given up, because this instance ends`, { cause })
  }
}

function reasonOf(unreachable: boolean, error: unknown): RetryReason {
  if (unreachable) return 'unreachable'
  return error instanceof UnacknowledgedError ? 'unacknowledged' : 'other'
}
