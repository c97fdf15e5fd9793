/** Root mean squared error and mean absolute error of numeric predictions, in the label's own unit. */
export class PredictionError {
  static readonly size = 3
  /** summed squares, summed absolute errors, labels */
  readonly #sums: Float64Array

  constructor(sums: Float64Array) {
    this.#sums = sums
  }

  add(prediction: number, label: number): void {
    const sums = this.#sums
    const error = prediction - label
    sums[0] = (sums[0] ?? 0) + error * error
    sums[1] = (sums[1] ?? 0) + Math.abs(error)
    sums[2] = (sums[2] ?? 0) + 1
  }

  get count(): number {
    return this.#sums[2] ?? 0
  }

  rmse(): number | undefined {
    return this.count > 0 ? Math.sqrt((this.#sums[0] ?? 0) / this.count) : undefined
  }

  mae(): number | undefined {
    return this.count > 0 ? (this.#sums[1] ?? 0) / this.count : undefined
  }
}
