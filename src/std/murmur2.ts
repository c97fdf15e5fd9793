/**
 * MurmurHash2 as Kafka's Java client partitions by it (seed 0x9747b28c), over the UTF-8 bytes of the key. A log file
 * and a topic with the same number of partitions therefore agree on where a user's events lie.
 */
const SEED = 0x9747b28c
const encoder = new TextEncoder()

export function murmur2(key: string): number {
  const length = key.length
  let h = (SEED ^ length) | 0
  const whole = length & ~3
  for (let at = 0; at < whole; at += 4) {
    const a = key.charCodeAt(at)
    const b = key.charCodeAt(at + 1)
    const c = key.charCodeAt(at + 2)
    const d = key.charCodeAt(at + 3)
    // Characters that are bytes need no encoding, and most keys are of nothing else.
    if ((a | b | c | d) > 127) return murmur2Bytes(encoder.encode(key))
    h = mixed(h, a | (b << 8) | (c << 16) | (d << 24))
  }
  for (let at = length - 1; at >= whole; at--) {
    const code = key.charCodeAt(at)
    if (code > 127) return murmur2Bytes(encoder.encode(key))
    h ^= code << (8 * (at - whole))
    if (at === whole) h = Math.imul(h, 0x5bd1e995)
  }
  return finished(h)
}

function murmur2Bytes(bytes: Uint8Array): number {
  const length = bytes.length
  let h = (SEED ^ length) | 0
  const whole = length & ~3
  for (let at = 0; at < whole; at += 4) {
    h = mixed(
      h,
      byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16) | (byte(bytes, at + 3) << 24),
    )
  }
  const rest = length & 3
  if (rest === 3) h ^= byte(bytes, whole + 2) << 16
  if (rest >= 2) h ^= byte(bytes, whole + 1) << 8
  if (rest >= 1) h = Math.imul(h ^ byte(bytes, whole), 0x5bd1e995)
  return finished(h)
}

function mixed(h: number, word: number): number {
  let k = Math.imul(word, 0x5bd1e995)
  k ^= k >>> 24
  k = Math.imul(k, 0x5bd1e995)
  return Math.imul(h, 0x5bd1e995) ^ k
}

function finished(hash: number): number {
  let h = hash ^ (hash >>> 13)
  h = Math.imul(h, 0x5bd1e995)
  return h ^ (h >>> 15)
}

/** The partition of a key, as Kafka's default partitioner chooses it. */
export function partitionOf(key: string, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2(key) & 0x7fffffff) % partitions
}

/** The same for a key that is there as bytes. */
export function partitionOfBytes(key: Uint8Array, partitions: number): number {
  return partitions === 1 ? 0 : (murmur2Bytes(key) & 0x7fffffff) % partitions
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}
