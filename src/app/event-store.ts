/** Where posted events are kept, so that a reader of the log gets them. */
import type { EventKind } from '../domain/event.js'
import type { NewEvent } from '../sink/growing-log.js'
import { GrowingLog } from '../sink/growing-log.js'
import { LogClaim } from '../sink/log-claim.js'
import { findLogEnd } from '../source/log-end.js'

export interface CheckedEvent extends NewEvent {
  /** The record in Avro, by the schema of its kind. */
  body: Buffer
}

export interface EventStore {
  /** Why events of this kind can not be kept; undefined: they can. Absent: all can. */
  lacks?(kind: EventKind): string | undefined
  /** Resolves when they are durable, in this order for each user. One call at a time. */
  append(events: readonly CheckedEvent[]): Promise<void>
  close(): Promise<void>
}

/** The log folder in `path`. After a failed write it is looked at anew, because only the disk knows what it has. */
export async function openLogStore(path: string): Promise<EventStore> {
  const claim = await LogClaim.of(path)
  let log: GrowingLog | undefined = new GrowingLog(await findLogEnd(path), claim)
  return {
    async append(events) {
      log ??= new GrowingLog(await findLogEnd(path), claim)
      try {
        await log.append(events)
      } catch (error) {
        const lost = log
        log = undefined
        await lost.close().catch(() => undefined)
        throw error
      }
    },
    async close() {
      await log?.close()
    },
  }
}
