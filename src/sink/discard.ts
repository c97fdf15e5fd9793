import type { PartState } from '../domain/state.js'
import type { Sink } from './sink.js'

/** An output that nobody wants: evaluation learns exactly like a replay, and writes nothing. */
export function createDiscardSink<T>(): Sink<T> {
  return {
    append() {},
    pendingBytes: 0,
    async flush(after) {
      await after
    },
    saveState: (): PartState => ({ meta: null, arrays: {} }),
    async loadState() {},
    async close() {},
  }
}
