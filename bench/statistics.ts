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
