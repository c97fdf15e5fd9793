/** Contract: the records of a snapshot output as they come, from its beginning or from wherever it still begins. */
import type { SnapshotRecord } from '../sink/output-records.js'

export interface SnapshotFeed {
  /** For people: the folder or the topic. */
  readonly name: string
  /** Calls back with each record from the beginning to the present end, the next when that has resolved. */
  read(take: (record: SnapshotRecord) => void | Promise<void>): Promise<void>
  /**
   * Hands on every record in the order of the output until `stop` is aborted, then resolves; what can not be read is left
   * out. Throws when it can not go on. The next record comes when take() has resolved.
   */
  follow(handlers: FeedHandlers, stop: AbortSignal): Promise<void>
}

export interface FeedHandlers {
  take(record: SnapshotRecord): Promise<void>
  /** All that was there has been handed on. */
  caughtUp(): Promise<void>
  /** The output is another than before, or was cut: its records come from the beginning again. */
  restarted(): void
}
