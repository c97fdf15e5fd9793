/** One line of the prediction output: what the model of `modelVersion` said about one user and item. */
export interface Prediction {
  eventId: string
  requestId: string | null
  eventTimeMs: number
  user: string
  item: string
  /** Number of steps learned when the score was made. */
  modelVersion: number
  /** Per task, natural units: probability, rating. Order of the configured tasks. */
  values: Float32Array
  /** Probabilities of the classes of all categorical tasks, side by side. Absent: there are no such tasks. */
  classes?: Float32Array | undefined
  /** The fused score that lists are ordered by. */
  rankScore: number
}

/** What pages are ordered by: the sum of the tasks' values, from `at` on, by the tasks' `rank`. */
export function rankScoreOf(ranks: readonly number[], values: ArrayLike<number>, at = 0): number {
  let sum = 0
  for (const [task, rank] of ranks.entries()) sum += rank * (values[at + task] ?? 0)
  return sum
}
