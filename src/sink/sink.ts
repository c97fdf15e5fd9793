/**
 * A sink takes the records of one named output. Callers know outputs, never files or topics.
 *
 * append() only buffers (encoding happens at once, so the caller may reuse the record). flush() writes what is buffered
 * when it is called, and no more, and resolves when the operating system has it durably (fsync). saveState() says how far the output has got, including
 * a partly filled block; loadState() brings an output back to exactly that point: what was written after it is cut off.
 * Bytes written are a function of the records appended alone: neither flush() nor a checkpoint moves a block boundary.
 *
 * Errors: DISK_FULL, OUTPUT_FAILED.
 */
import type { EventKind } from '../domain/event.js'
import type { LoadedState, PartState } from '../domain/state.js'

export interface Sink<T> {
  append(record: T): void
  /** Bytes buffered and not yet handed to the operating system; the pipeline flushes when this grows. */
  readonly pendingBytes: number
  /** after: nothing is written before this has resolved, nor if it rejects. */
  flush(after?: Promise<void>): Promise<void>
  saveState(): PartState
  loadState(state: LoadedState): Promise<void>
  close(): Promise<void>
}

/**
 * Writes event logs (import, simulate): one folder a partition, segments named by their first offset, every segment a
 * container file whose schema is the union of all input events. write() encodes at once, so records may be reused, and
 * writes blocks to the disk as they fill, so memory is bounded whatever the log's size. The bytes are a function of the
 * records alone. Same errors as a sink; a record that its schema can not hold is INTERNAL.
 */
export interface LogWriter {
  write<K extends EventKind>(partition: number, kind: K, record: LogRecords[K]): void
  /** Writes what is buffered, makes it durable and closes the files. */
  close(): LogSummary
}

interface LogSummary {
  /** Records of each partition. */
  records: number[]
  bytes: number
  segments: number
}

/** Text, or a long: kept as such in the log and exact at any size. */
export type LogId = string | bigint

interface LogStamp {
  eventId: string
  /** Milliseconds since 1970; a whole number. */
  eventTime: number
}

interface LogInteraction extends LogStamp {
  user: LogId
  item: LogId
  requestId?: string | null
  context?: Record<string, string> | null
}

interface LogProfile extends LogStamp {
  id: LogId
  attributes?: Record<string, string[]>
  numbers?: Record<string, number>
  embedding?: number[] | null
  embeddings?: Record<string, number[]>
}

/** The records of schemas/*.avsc, as the log writer takes them; absent fields get the schema's default. */
export interface LogRecords {
  impression: LogInteraction & { position?: number | null }
  click: LogInteraction
  buy: LogInteraction & { value?: number }
  rating: LogInteraction & { value: number }
  item: LogProfile & {
    title?: string | null
    text?: string | null
    category?: string | null
    brand?: string | null
    price?: number | null
  }
  user: LogProfile
  'score-request': LogStamp & {
    requestId: string
    user: LogId
    candidates: LogId[]
    context?: Record<string, string> | null
  }
  erase: LogStamp & { user: LogId }
}

/** The same sink, but for what happens when something is appended. */
export function withAppend<T>(sink: Sink<T>, append: (record: T) => void): Sink<T> {
  return {
    append,
    get pendingBytes() {
      return sink.pendingBytes
    },
    flush: after => sink.flush(after),
    saveState: () => sink.saveState(),
    loadState: state => sink.loadState(state),
    close: () => sink.close(),
  }
}
