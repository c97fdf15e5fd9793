/**
 * Chunks and manifests, in the order of their output → versions that are whole. A chunk counts for the manifest that comes
 * next with its version and kind; what a manifest does not find (compaction took it, or a writer died in the middle) makes
 * that version incomplete, and says so. Memory: the chunks of one version; those of another are dropped when its first
 * chunk comes.
 */
import { createHash } from 'node:crypto'
import type { LoadedState, SnapshotKind } from '../domain/state.js'
import type { ManifestPart, SnapshotManifest, SnapshotRecord } from '../sink/output-records.js'
import { runThrough } from '../std/slices.js'
import { decodePart } from './part-file.js'
import { checksumOf } from './publication.js'

/** Between two stops: a tenth of a millisecond. */
const HASHED_BYTES = 1 << 17

export interface WholeVersion {
  state: 'whole'
  version: number
  kind: SnapshotKind
  parent: number | null
  manifest: SnapshotManifest
  /** In the order of the manifest. */
  parts: { part: ManifestPart; state: LoadedState }[]
}

export interface IncompleteVersion {
  state: 'incomplete'
  version: number
  kind: SnapshotKind
  manifest: SnapshotManifest
  reason: string
}

export class VersionAssembler {
  #of = ''
  /** By part: its chunks by their numbers. */
  readonly #chunks = new Map<string, Map<number, Uint8Array>>()

  /** Whether chunks have come without their manifest. */
  get isInMiddle(): boolean {
    return this.#chunks.size > 0
  }

  /** A version, with its manifest; undefined: more is to come. The record's payload is kept until then. */
  take(record: SnapshotRecord): WholeVersion | IncompleteVersion | undefined {
    return runThrough(this.takeSlices(record))
  }

  /** The same, little by little. No other record may come in between. */
  *takeSlices(record: SnapshotRecord): Generator<void, WholeVersion | IncompleteVersion | undefined> {
    const { version, kind, parent, manifest } = record
    const of = `${version} ${kind}`
    if (of !== this.#of) this.#chunks.clear()
    this.#of = of
    if (manifest === null) {
      const chunks = this.#chunks.get(record.part) ?? new Map<number, Uint8Array>()
      this.#chunks.set(record.part, chunks.set(record.chunk, record.payload))
      return undefined
    }
    const parts: WholeVersion['parts'] = []
    const incomplete = (reason: string) => ({ state: 'incomplete' as const, version, kind, manifest, reason })
    try {
      if (checksumOf(manifest.parts) !== manifest.checksum) return incomplete('the manifest does not fit its checksum')
      for (const part of manifest.parts) {
        const bytes = yield* this.#join(part)
        if (typeof bytes === 'string') return incomplete(bytes)
        parts.push({ part, state: decodePart(bytes) })
      }
    } finally {
      this.#chunks.clear()
    }
    return { state: 'whole', version, kind, parent, manifest, parts }
  }

  /** The part's bytes, or what is wrong with them. */
  *#join({ name, bytes, chunks, sha256 }: ManifestPart): Generator<void, Uint8Array | string> {
    const found = this.#chunks.get(name)
    // Every byte is written below, and zeroes for a large part would take their time.
    const joined = Buffer.allocUnsafeSlow(bytes)
    const hash = createHash('sha256')
    let at = 0
    for (let chunk = 0; chunk < chunks; chunk++) {
      yield
      const payload = found?.get(chunk)
      if (payload === undefined) return `chunk ${chunk} of ${chunks} of part ${name} is not there`
      if (at + payload.length > bytes) return `part ${name} is longer than its manifest says`
      joined.set(payload, at)
      for (let from = 0; from < payload.length; from += HASHED_BYTES) {
        hash.update(payload.subarray(from, from + HASHED_BYTES))
        yield
      }
      at += payload.length
    }
    if (at !== bytes || hash.digest('hex') !== sha256) return `part ${name} does not fit its checksum`
    return joined
  }
}
