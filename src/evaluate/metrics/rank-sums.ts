/**
 * Sums of ranks in a list: recall and discounted gain at 10, mean reciprocal rank. One item is right, so recall is the
 * share of hits and the ideal gain is 1. Views of sums that someone else owns, RANK_SUMS from `at` on.
 */
import { definedValues, type MetricValues } from './task-metrics.js'

/** The list that is looked at. */
const CUTOFF = 10
/** Events, those among the first CUTOFF, their discounted gain, reciprocal ranks. */
const COUNT = 0
const HITS = 1
const GAIN = 2
const RECIPROCAL = 3
export const RANK_SUMS = 4

/** rank: 1 = first, Infinity = not in the list. */
export function addRank(sums: Float64Array, at: number, rank: number): void {
  const add = (place: number, value: number) => {
    sums[at + place] = (sums[at + place] ?? 0) + value
  }
  add(COUNT, 1)
  add(RECIPROCAL, 1 / rank)
  if (rank > CUTOFF) return
  add(HITS, 1)
  add(GAIN, 1 / Math.log2(rank + 1))
}

export function rankCount(sums: Float64Array, at: number): number {
  return sums[at + COUNT] ?? 0
}

export function rankHits(sums: Float64Array, at: number): number {
  return sums[at + HITS] ?? 0
}

export function rankFigures(sums: Float64Array, at: number): MetricValues {
  const count = rankCount(sums, at)
  const mean = (sum: number) => (count === 0 ? undefined : (sums[at + sum] ?? 0) / count)
  return definedValues({ recallAt10: mean(HITS), ndcgAt10: mean(GAIN), mrr: mean(RECIPROCAL) })
}
