import { Means } from './means.js'
import { PredictionError } from './prediction-error.js'
import { definedValues, type MetricValues } from './task-metrics.js'

/** What is measured of a task that is not binary. A view of `sums`, which the caller owns, merges by addition, and saves. */
export class NumericMetrics {
  readonly histogram = undefined
  readonly positives = 0
  readonly #error: PredictionError
  readonly #means: Means

  static readonly size = PredictionError.size + Means.size

  constructor(sums: Float64Array) {
    this.#error = new PredictionError(sums.subarray(0, PredictionError.size))
    this.#means = new Means(sums.subarray(PredictionError.size))
  }

  /** There is no histogram, and no place in it: -1. */
  add(prediction: number, label: number): number {
    this.#error.add(prediction, label)
    this.#means.add(prediction, label)
    return -1
  }

  get count(): number {
    return this.#error.count
  }

  values(): MetricValues {
    return definedValues({
      rmse: this.#error.rmse(),
      mae: this.#error.mae(),
      meanPrediction: this.#means.meanPrediction(),
      meanLabel: this.#means.meanLabel(),
    })
  }
}
