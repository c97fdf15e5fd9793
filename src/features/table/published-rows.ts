/** Rows as they are published: what a table's record of changes gives, and back. See domain/state.ts. */
import type { Json, LoadedState, PublishedState, SnapshotKind } from '../../domain/state.js'
import type { ChangedRows } from '../../std/changed-rows.kernel.js'

/** rows: how many the table has. about: what else a reader of its words must know. */
export function publishRows(
  changes: ChangedRows,
  kind: SnapshotKind,
  rows: number,
  about: Record<string, Json>,
  encoding: PublishedState['encoding'] = 'float32',
): PublishedState {
  const { keys, words, removed } = kind === 'full' ? changes.takeAll() : changes.takeChanges()
  const view = encoding === 'float32' ? new Float32Array(words.buffer, words.byteOffset, words.length) : words
  return {
    form: 'rows',
    encoding,
    state: { meta: { words: changes.width, ...about }, arrays: { keys, rows: view, removed } },
    rows,
    changed: keys.length / 2,
    removed: removed.length / 2,
    digest: changes.digest,
  }
}

/** In slices. Returns the checksum of all rows then. */
export function* applyRows(changes: ChangedRows, kind: SnapshotKind, { arrays }: LoadedState): Generator<void, string> {
  const { keys, rows, removed } = arrays as { keys: Uint32Array; rows: Float32Array; removed: Uint32Array }
  const words = new Uint32Array(rows.buffer, rows.byteOffset, rows.length)
  yield* changes.applySlices({ keys, words, removed }, kind === 'full')
  return changes.digest
}
