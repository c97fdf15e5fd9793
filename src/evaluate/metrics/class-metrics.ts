/**
 * What is measured of the classes of a categorical task, beside a baseline that knows nothing but how often each class came
 * before: it says these shares, and the most frequent class (of equal ones the first).
 *
 *   cross-entropy: mean of −log p of the class that came, natural logarithm, p clipped to [1e-7, 1 − 1e-7]
 *   class accuracy: share of labels whose class had the highest probability (of equal ones the first)
 *
 * A view of sums, which the caller owns, merges by addition, and saves: [cross-entropy, the baseline's, the baseline's right
 * ones, then C × C counts of what came (row) and what was the most probable (column)].
 */
import { clipProbability } from './log-loss.js'
import { definedValues, type MetricValues } from './task-metrics.js'

/** Of one task, over labels judged. */
export interface Confusion {
  task: string
  /** In the order of the configuration. */
  classes: readonly string[]
  /** [what came][what was said]: labels. */
  counts: number[][]
}

const HEADS = 3

export class ClassMetrics {
  readonly #sums: Float64Array
  readonly #classes: number

  static size(classes: number): number {
    return HEADS + classes * classes
  }

  constructor(sums: Float64Array, classes: number) {
    this.#sums = sums
    this.#classes = classes
  }

  /** probabilities: of the classes, from `from` on. came: the label's class. before: [classes] what the baseline has counted. */
  add(probabilities: Float32Array, from: number, came: number, before: Float64Array): void {
    const sums = this.#sums
    const said = highest(probabilities, from, this.#classes)
    let counted = 0
    for (const count of before) counted += count
    sums[0] = (sums[0] ?? 0) - Math.log(clipProbability(probabilities[from + came] ?? 0))
    sums[1] = (sums[1] ?? 0) - Math.log((before[came] ?? 0) / counted)
    if (highest(before, 0, this.#classes) === came) sums[2] = (sums[2] ?? 0) + 1
    const cell = HEADS + came * this.#classes + said
    sums[cell] = (sums[cell] ?? 0) + 1
  }

  values(): MetricValues {
    const [loss = 0, majorityLoss = 0, majorityRight = 0] = this.#sums
    let count = 0
    let right = 0
    for (const [came, row] of this.confusion().entries()) {
      for (const labels of row) count += labels
      right += row[came] ?? 0
    }
    // Nothing is defined without a label: 0 / 0 is left out.
    return definedValues({
      crossEntropy: loss / count,
      majorityCrossEntropy: majorityLoss / count,
      classAccuracy: right / count,
      majorityAccuracy: majorityRight / count,
    })
  }

  confusion(): number[][] {
    const classes = this.#classes
    return Array.from({ length: classes }, (_, came) =>
      Array.from(this.#sums.subarray(HEADS + came * classes, HEADS + (came + 1) * classes)),
    )
  }
}

function highest(of: ArrayLike<number>, from: number, size: number): number {
  let best = 0
  for (let j = 1; j < size; j++) if ((of[from + j] ?? 0) > (of[from + best] ?? 0)) best = j
  return best
}
