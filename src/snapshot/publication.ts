/**
 * The pieces of a published version: each part encoded (part-file.ts), with what a reader needs to know that it has all
 * of it, and the checksum of the version as a whole. That one is the same whether the version was published in full or
 * as a delta: so a reader that followed a chain of deltas knows that it has what a full snapshot would have given it.
 */
import { createHash } from 'node:crypto'
import type { PublishedState } from '../domain/state.js'
import type { ManifestPart } from '../sink/output-records.js'
import { encodePart } from './part-file.js'

/** Into how many chunks it is cut is decided where its messages are made. */
export interface PublishedPart {
  part: Omit<ManifestPart, 'chunks'>
  bytes: Uint8Array<ArrayBuffer>
}

export function encodePublished(name: string, published: PublishedState): PublishedPart {
  const { state, form, encoding, rows, changed, removed } = published
  const pieces = [...encodePart(state)]
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.byteLength, 0))
  let at = 0
  for (const piece of pieces) {
    bytes.set(piece, at)
    at += piece.byteLength
  }
  const sha256 = createHash('sha256').update(bytes).digest('hex')
  const digest = published.digest ?? sha256
  return { part: { name, form, encoding, rows, changed, removed, bytes: bytes.length, sha256, digest }, bytes }
}

export function checksumOf(parts: readonly Pick<ManifestPart, 'name' | 'digest'>[]): string {
  const hash = createHash('sha256')
  for (const { name, digest } of parts) hash.update(`${name} ${digest}\n`)
  return hash.digest('hex')
}
