/**
 * Where a new row starts: normal numbers that are a function of (seed, key) alone, so that neither the order in which
 * ids arrive nor an eviction in between changes them. Counter-based: pair j of the row hashes (key, j) to two uniforms
 * and takes both of Box and Muller's normals.
 */
const TWO_PI = 2 * Math.PI

function mix(word: number): number {
  word = Math.imul(word ^ (word >>> 16), 0x21f0aaad)
  word = Math.imul(word ^ (word >>> 15), 0x735a2d97)
  return (word ^ (word >>> 15)) >>> 0
}

/** Writes [at, at + dim) of out. */
export function startRow(
  out: Float32Array,
  at: number,
  dim: number,
  scale: number,
  seed: number,
  lo: number,
  hi: number,
): void {
  const first = mix(mix(seed ^ 0x9e3779b9) ^ lo)
  const second = mix(first ^ hi)
  for (let d = 0; d < dim; d += 2) {
    const u = mix(first ^ mix(second + Math.imul(d + 1, 0x9e3779b9)))
    const v = mix(second ^ mix(u + Math.imul(d + 2, 0x9e3779b9)))
    const radius = scale * Math.sqrt(-2 * Math.log((u + 0.5) / 4294967296))
    const angle = (TWO_PI * v) / 4294967296
    out[at + d] = radius * Math.cos(angle)
    if (d + 1 < dim) out[at + d + 1] = radius * Math.sin(angle)
  }
}
