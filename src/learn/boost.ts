/** Faster learning after a drift alarm: step sizes times `boost`, falling back to 1 evenly over `boostSteps` steps. */
export class Boost {
  readonly #boost: number
  readonly #steps: number
  stepsLeft = 0

  constructor({ boost, boostSteps }: { boost: number; boostSteps: number }) {
    this.#boost = boost
    this.#steps = boostSteps
  }

  begin(): void {
    this.stepsLeft = this.#steps
  }

  /** The factor of the next step. */
  next(): number {
    if (this.stepsLeft === 0) return 1
    return 1 + ((this.#boost - 1) * this.stepsLeft--) / this.#steps
  }
}
