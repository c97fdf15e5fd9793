import type { Interval } from '../src/evaluate/report/intervals.js'
import { meanOverSeeds } from '../src/evaluate/report/seeds.js'

/** Repeated measurements of one thing, in short. */
export interface Spread {
  min: number
  median: number
  max: number
  /** In the order measured. */
  runs: number[]
}

export function spreadOf(runs: readonly number[]): Spread {
  const sorted = [...runs].sort((a, b) => a - b)
  const [min = Number.NaN] = sorted
  return { min, median: medianOf(sorted), max: sorted.at(-1) ?? Number.NaN, runs: [...runs] }
}

/** The upper one of the two in the middle, so that it was measured. */
export function medianOf(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
}

/** A figure of several seeds. */
export interface SeedMean {
  mean: number
  /** Student's, 95 % of the mean. Absent with fewer than three seeds. */
  interval?: Interval
  /** 95 % over users, of the first seed: what other users would give. */
  users?: Interval
  /** By seed. */
  runs: number[]
}

export function overSeeds(runs: readonly number[], users?: readonly [low: number, high: number]): SeedMean {
  const { mean, interval } = meanOverSeeds(runs) ?? { mean: runs[0] ?? Number.NaN }
  return {
    mean,
    ...(interval && { interval }),
    ...(users && { users: { low: users[0], high: users[1] } }),
    runs: [...runs],
  }
}
