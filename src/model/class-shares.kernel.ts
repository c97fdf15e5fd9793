/**
 * The probabilities of all classes of categorical tasks.
 *
 * Fast part and stack know one number of such a task: v, the probability of the classes that are asked for
 * (`label.of`). Only the network tells the others apart. So each class has a share of its side, which is the classes asked
 * for or the rest, by the network's softmax, and v divides the whole between the sides:
 *
 *   share_j = P_j / Σ_{i on j's side} P_i         p_j = v share_j, or (1 − v) share_j
 *
 * They sum to 1, and those asked for to v, however far the stack has moved v from what the network alone would say. The
 * shares are made when the example is scored and wait beside its score.
 */
import { classColumns, type TaskClasses } from '../config/task-classes.js'

/**
 * logs: [n, columns] log P by the network → shares [n, columns]. Where the network says no numbers, the shares are those of
 * the labels so far (by task, log); so a lost network stops no answer.
 */
export function sharesOfSides(
  logs: Float32Array,
  all: readonly TaskClasses[],
  n: number,
  fallback: (task: number) => Float32Array,
  shares: Float32Array,
): void {
  const columns = classColumns(all)
  for (const { task, first, asked } of all) {
    for (let i = 0; i < n; i++) {
      const at = i * columns + first
      if (areNumbers(logs, at, asked.length)) writeShares(logs, at, asked, shares, at)
      else writeShares(fallback(task), 0, asked, shares, at)
    }
  }
}

function areNumbers(logs: Float32Array, at: number, size: number): boolean {
  for (let j = at; j < at + size; j++) if (!Number.isFinite(logs[j]!)) return false
  return true
}

/** Around the highest of each side: no side is a sum of nothing, however small its probabilities. */
function writeShares(
  logs: Float32Array,
  from: number,
  asked: readonly boolean[],
  shares: Float32Array,
  to: number,
): void {
  let highestAsked = Number.NEGATIVE_INFINITY
  let highestRest = Number.NEGATIVE_INFINITY
  for (let j = 0; j < asked.length; j++) {
    const log = logs[from + j]!
    if (asked[j]!) highestAsked = Math.max(highestAsked, log)
    else highestRest = Math.max(highestRest, log)
  }
  let sumAsked = 0
  let sumRest = 0
  for (let j = 0; j < asked.length; j++) {
    if (asked[j]!) sumAsked += Math.exp(logs[from + j]! - highestAsked)
    else sumRest += Math.exp(logs[from + j]! - highestRest)
  }
  for (let j = 0; j < asked.length; j++) {
    const log = logs[from + j]!
    shares[to + j] = asked[j]! ? Math.exp(log - highestAsked) / sumAsked : Math.exp(log - highestRest) / sumRest
  }
}

/**
 * One example: shares [columns] from `from` on and values [tasks] from `valueAt` on → probabilities [columns] from `to` on.
 */
export function classProbabilities(
  shares: Float32Array,
  from: number,
  values: Float32Array,
  valueAt: number,
  all: readonly TaskClasses[],
  into: Float32Array,
  to: number,
): void {
  for (const { task, first, asked } of all) {
    const value = values[valueAt + task]!
    for (let j = 0; j < asked.length; j++)
      into[to + first + j] = (asked[j]! ? value : 1 - value) * shares[from + first + j]!
  }
}
