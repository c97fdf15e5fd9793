/** Rows as they are published: what a table's record of changes gives, and back. See domain/state.ts. */
import { MillraceError } from '../../domain/errors.js'
import {
  type Json,
  type LoadedState,
  type PublishedState,
  ROW_ENCODINGS,
  type RowEncoding,
  type SnapshotKind,
} from '../../domain/state.js'
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

/**
 * How a reader's rows are to be read when this publication has come. SNAPSHOT_CORRUPT: this program can not read it, or
 * it changes rows that were published otherwise.
 */
export function followedEncoding(kind: SnapshotKind, held: RowEncoding, published: string): RowEncoding {
  const encoding = ROW_ENCODINGS.find(one => one === published)
  if (encoding === undefined)
    throw new MillraceError(
      'SNAPSHOT_CORRUPT',
      `this program does not know how rows of encoding '${published}' are read`,
    )
  if (kind === 'delta' && encoding !== held)
    throw new MillraceError('SNAPSHOT_CORRUPT', `rows of encoding ${encoding} do not change rows of encoding ${held}`)
  return encoding
}
