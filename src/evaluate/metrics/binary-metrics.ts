import { areaUnderCurve } from './auc.js'
import { clipProbability, LogLoss } from './log-loss.js'
import { Means } from './means.js'
import { ScoreHistogram } from './score-histogram.js'
import { definedValues, type MetricValues } from './task-metrics.js'
import { thresholdMetrics } from './threshold.js'

/** What is measured of a binary task. A view of `sums`, which the caller owns, merges by addition, and saves. */
export class BinaryMetrics {
  readonly histogram: ScoreHistogram
  readonly #loss: LogLoss
  readonly #means: Means

  /** Sums before the counts of the histogram. */
  static readonly heads = LogLoss.size + Means.size

  static size(bins: number): number {
    return BinaryMetrics.heads + ScoreHistogram.size(bins)
  }

  constructor(sums: Float64Array) {
    const { heads } = BinaryMetrics
    this.#loss = new LogLoss(sums.subarray(0, LogLoss.size))
    this.#means = new Means(sums.subarray(LogLoss.size, heads))
    this.histogram = new ScoreHistogram(sums.subarray(heads))
  }

  /** prediction: probability. label: 0 or 1; anything from 0.5 counts as 1. Returns its place in the histogram. */
  add(prediction: number, label: number): number {
    const positive = label >= 0.5 ? 1 : 0
    const probability = clipProbability(prediction)
    const logYes = Math.log(probability)
    const logNo = Math.log(1 - probability)
    this.#loss.add(positive === 1 ? -logYes : -logNo, positive)
    this.#means.add(prediction, positive)
    return this.histogram.add(logYes - logNo, positive)
  }

  get count(): number {
    return this.#loss.count
  }

  get positives(): number {
    return this.#loss.positives
  }

  values(): MetricValues {
    return definedValues({
      auc: areaUnderCurve(this.histogram),
      logLoss: this.#loss.logLoss(),
      normalisedEntropy: this.#loss.normalisedEntropy(),
      pcoc: this.#means.pcoc(),
      ...thresholdMetrics(this.histogram),
      meanPrediction: this.#means.meanPrediction(),
      meanLabel: this.#means.meanLabel(),
    })
  }
}
