/**
 * Texts by their UTF-8 bytes: one that was made lately is found again without being decoded, and without a new string for
 * the garbage collector. Direct-mapped: a newer text takes the place of an older one with the same hash, so memory is bounded.
 */
const PLACES = 8192
/** Longer ones hardly come again. */
const MAX_BYTES = 48

export class TextCache {
  readonly #texts: string[] = new Array<string>(PLACES).fill('')

  /** The text of these bytes of the buffer. Damaged UTF-8 reads as Buffer reads it. */
  of(buffer: Buffer, start: number, end: number): string {
    const length = end - start
    if (length > MAX_BYTES) return buffer.toString('utf8', start, end)
    let hash = length
    for (let at = start; at < end; at++) hash = Math.imul(hash ^ buffer[at]!, 0x01000193)
    const place = (hash ^ (hash >>> 15)) & (PLACES - 1)
    const kept = this.#texts[place]!
    if (isText(kept, buffer, start, length)) return kept
    const text = buffer.toString('utf8', start, end)
    this.#texts[place] = text
    return text
  }
}

/** Only of ASCII: others are made anew each time. */
function isText(text: string, buffer: Buffer, start: number, length: number): boolean {
  if (text.length !== length) return false
  for (let i = 0; i < length; i++) {
    const code = text.charCodeAt(i)
    if (code > 127 || code !== buffer[start + i]) return false
  }
  return true
}
