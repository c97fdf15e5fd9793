/** Parts of a snapshot that are kept and checked, whatever is in them: for who wants to know of a version, not to score. */
import type { LoadedState } from '../domain/state.js'
import type { ManifestPart } from '../sink/output-records.js'
import { ChangedRows, recordWords } from '../std/changed-rows.kernel.js'
import { KeyIndex } from '../std/key-index.kernel.js'
import { LogDigest } from '../std/log-digest.kernel.js'
import type { FollowedPart } from './reader.js'

/** Of a key: its two words. */
const KEY_WORDS = 2

export interface KeptPart extends FollowedPart {
  readonly bytes: number
}

export function createKeptPart({ form }: ManifestPart): KeptPart {
  return { rows: createKeptRows, log: createKeptLog, whole: createKeptWhole }[form]()
}

/** Of the entries only their checksum. */
function createKeptLog(): KeptPart {
  const digest = new LogDigest()
  let kept = 0
  return {
    get bytes() {
      return kept
    },
    apply(kind, { meta, arrays }, { bytes }) {
      if (kind === 'full') digest.restore((meta as { digest: string }).digest)
      else digest.add(arrays.entries as Uint32Array, 0, arrays.entries?.length ?? 0)
      kept = kind === 'full' ? bytes : kept + bytes
      return digest.text
    },
  }
}

function createKeptWhole(): KeptPart {
  let kept = 0
  return {
    apply(_kind, _state, { bytes, sha256 }) {
      kept = bytes
      return sha256
    },
    get bytes() {
      return kept
    },
  }
}

function createKeptRows(): KeptPart {
  let kept: ChangedRows | undefined
  let index: KeyIndex | undefined
  return {
    get bytes() {
      return (index?.size ?? 0) * (KEY_WORDS + (kept?.width ?? 0)) * 4
    },
    apply(kind, { meta, arrays }: LoadedState) {
      const { words: width } = meta as { words: number }
      const { keys, rows, removed } = arrays as { keys: Uint32Array; rows: Float32Array; removed: Uint32Array }
      if (kind === 'full') {
        index = new KeyIndex(Math.max(16, keys.length / KEY_WORDS), KEY_WORDS + width)
        const places = Int32Array.from({ length: width }, (_, at) => KEY_WORDS + at)
        kept = new ChangedRows(index, recordWords(index, KEY_WORDS + width, places))
      }
      const words = new Uint32Array(rows.buffer, rows.byteOffset, rows.length)
      kept?.apply({ keys, words, removed }, kind === 'full')
      return kept?.digest ?? ''
    },
  }
}
