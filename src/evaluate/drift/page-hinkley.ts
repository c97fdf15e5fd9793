/**
 * Page–Hinkley test (Page 1954; as in River): the sum of deviations from the running mean, each beyond a tolerance
 * `delta`, drifts away from its extremum when the mean changes. Here for losses, so only a rise is an alarm.
 *
 *   m_t = α m_{t−1} + (x_t − mean_t − δ);  alarm when m_t − min m > λ, after 30 numbers
 *
 * λ is in units of the numbers: the caller feeds losses divided by their scale.
 */
import type { DriftDetector } from './detector.js'

const MIN_INSTANCES = 30

export class PageHinkley implements DriftDetector {
  readonly #delta: number
  readonly #threshold: number
  readonly #alpha: number
  #n = 0
  #mean = 0
  #sum = 0
  #least = Number.MAX_VALUE
  #isOver = false

  constructor(options: { delta?: number; threshold?: number; alpha?: number } = {}) {
    this.#delta = options.delta ?? 0.005
    this.#threshold = options.threshold ?? 50
    this.#alpha = options.alpha ?? 1 - 0.0001
  }

  get mean(): number {
    return this.#mean
  }

  get width(): number {
    return this.#n
  }

  update(value: number): boolean {
    if (this.#isOver) this.loadNumbers([0, 0, 0, Number.MAX_VALUE, 0])
    this.#n++
    this.#mean += (value - this.#mean) / this.#n
    this.#sum = this.#alpha * this.#sum + value - this.#mean - this.#delta
    this.#least = Math.min(this.#least, this.#sum)
    this.#isOver = this.#n >= MIN_INSTANCES && this.#sum - this.#least > this.#threshold
    return this.#isOver
  }

  saveNumbers(): number[] {
    return [this.#n, this.#mean, this.#sum, this.#least, this.#isOver ? 1 : 0]
  }

  loadNumbers(numbers: readonly number[]): void {
    ;[this.#n = 0, this.#mean = 0, this.#sum = 0, this.#least = Number.MAX_VALUE] = numbers
    this.#isOver = numbers[4] === 1
  }
}
