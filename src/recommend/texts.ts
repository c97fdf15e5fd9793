/** Lists of ids as arrays of a saved state: lengths in bytes, and the UTF-8 bytes one after the other. */
import type { Id } from '../domain/event.js'

export function packTexts(texts: readonly Id[]): { lengths: Uint32Array; bytes: Uint8Array } {
  const encoder = new TextEncoder()
  const encoded = texts.map(text => encoder.encode(text))
  const bytes = new Uint8Array(encoded.reduce((sum, text) => sum + text.length, 0))
  let at = 0
  for (const text of encoded) {
    bytes.set(text, at)
    at += text.length
  }
  return { lengths: Uint32Array.from(encoded, text => text.length), bytes }
}

export function unpackTexts(lengths: Uint32Array, bytes: Uint8Array): Id[] {
  const decoder = new TextDecoder()
  let at = 0
  return Array.from(lengths, length => {
    const text = decoder.decode(bytes.subarray(at, at + length))
    at += length
    return text
  })
}
