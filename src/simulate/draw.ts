/** Draws from distributions that std/random.ts does not have. */
import type { Random } from '../std/random.js'

/** A separate stream of random numbers a concern: changing one setting does not reshuffle everything else. */
export function streamSeed(seed: number, stream: number): number {
  return (Math.imul(seed ^ (seed / 4294967296), 0x9e3779b1) ^ Math.imul(stream + 1, 0x85ebca77)) >>> 0
}

/** The index of the first prefix sum above a uniform draw, among the first `count` of them. */
export function drawByWeight(random: Random, prefix: Float64Array, count: number): number {
  const wanted = random.uniform() * (prefix[count - 1] ?? 0)
  let low = 0
  let high = count - 1
  while (low < high) {
    const middle = (low + high) >> 1
    if ((prefix[middle] ?? 0) > wanted) high = middle
    else low = middle + 1
  }
  return low
}

export function logNormal(random: Random, median: number, sigma: number): number {
  return median * Math.exp(sigma * random.normal())
}

export function exponential(random: Random, mean: number): number {
  return -mean * Math.log(1 - random.uniform())
}

/** Number of successes before a failure, plus one; mean 1 / (1 - more). */
export function geometric(random: Random, more: number, most: number): number {
  let count = 1
  while (count < most && random.uniform() < more) count++
  return count
}

export function logistic(logit: number): number {
  return 1 / (1 + Math.exp(-logit))
}

/** Distribution function of the standard normal; Abramowitz & Stegun 26.2.17, error below 7.5e-8. */
export function normalCdf(x: number): number {
  const t = 1 / (1 + 0.2316419 * Math.abs(x))
  const series = t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))))
  const tail = (series * Math.exp(-(x * x) / 2)) / Math.sqrt(2 * Math.PI)
  return x > 0 ? 1 - tail : tail
}
