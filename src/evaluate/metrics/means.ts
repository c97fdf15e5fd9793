/**
 * Mean prediction, mean label, and their ratio PCOC (predicted clicks over observed clicks): 1 is calibrated on average,
 * 1.1 promises a tenth too many. PCOC is undefined until something was observed.
 */
export class Means {
  static readonly size = 3
  /** summed predictions, summed labels, labels */
  readonly #sums: Float64Array

  constructor(sums: Float64Array) {
    this.#sums = sums
  }

  add(prediction: number, label: number): void {
    const sums = this.#sums
    sums[0] = (sums[0] ?? 0) + prediction
    sums[1] = (sums[1] ?? 0) + label
    sums[2] = (sums[2] ?? 0) + 1
  }

  get count(): number {
    return this.#sums[2] ?? 0
  }

  meanPrediction(): number | undefined {
    return this.count > 0 ? (this.#sums[0] ?? 0) / this.count : undefined
  }

  meanLabel(): number | undefined {
    return this.count > 0 ? (this.#sums[1] ?? 0) / this.count : undefined
  }

  pcoc(): number | undefined {
    const observed = this.#sums[1] ?? 0
    return observed > 0 ? (this.#sums[0] ?? 0) / observed : undefined
  }
}
