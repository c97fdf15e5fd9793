/** Which negatives are learned where a task keeps only a share of them: a function of the example and the seed. */

/** Uniform in [0, 1) by the pair's key and the impression's time: the lower the rate, the fewer of the same are kept. */
export function drawOf(seed: number, pairLo: number, pairHi: number, timeMs: number): number {
  let h = seed | 0
  for (const word of [pairLo, pairHi, timeMs | 0]) h = scramble(h ^ word)
  return (h >>> 0) / 4_294_967_296
}

/** MurmurHash3's finaliser. */
function scramble(word: number): number {
  let h = word ^ (word >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  return (h ^ (h >>> 16)) + 0x9e3779b9
}
