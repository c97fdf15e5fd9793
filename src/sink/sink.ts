/**
 * A sink takes the records of one named output. Callers know outputs, never files or topics.
 *
 * append() only buffers (encoding happens at once, so the caller may reuse the record). flush() writes what is buffered
 * and resolves when the operating system has it durably (fsync). saveState() says how far the output has got, including
 * a partly filled block; loadState() brings an output back to exactly that point: what was written after it is cut off.
 * Bytes written are a function of the records appended alone: neither flush() nor a checkpoint moves a block boundary.
 *
 * Errors: DISK_FULL, OUTPUT_FAILED.
 */
import type { LoadedState, PartState } from '../domain/state.js'

export interface Sink<T> {
  append(record: T): void
  /** Bytes buffered and not yet handed to the operating system; the pipeline flushes when this grows. */
  readonly pendingBytes: number
  flush(): Promise<void>
  saveState(): PartState
  loadState(state: LoadedState): Promise<void>
  close(): Promise<void>
}
