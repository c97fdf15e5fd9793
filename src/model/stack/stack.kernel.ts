/**
 * Makes one prediction of several: online ridge (Gaussian) or logistic regression on the members' predictions and 1.
 *
 *   z = w · [f, 1]
 *   A ← KEEP · A + (1 − KEEP) · ridge · I + h f fᵀ        w ← w + A⁻¹ f g
 *
 * in information form with the ridge re-added, so that its gain can never wind up: textbook recursive least squares with
 * forgetting diverges here, because the members are nearly collinear. It starts at `start` and may only learn from
 * predictions that were made before the label was known: they travel with the example.
 */
import { fakeNegativeWeight } from '../fake-negatives.js'
import { HUBER } from '../fast/constants.js'
import { type Link, sigmoid } from '../fast/link.js'

const RIDGE: Record<Link, number> = { gaussian: 100, logistic: 30 }
/** Forgetting a label: a memory of 100,000 labels. */
const KEEP = 0.99999
const LEAST_CURVATURE = 0.002

export class Stack {
  readonly #link: Link
  readonly #ridge: number
  readonly #size: number
  /** [inputs + 1] */
  readonly weights: Float64Array
  /** [inputs + 1, inputs + 1], lower triangle kept. */
  readonly information: Float64Array
  /** Cholesky factor and right side of the last step. */
  readonly #factor: Float64Array
  readonly #solution: Float64Array
  /** [inputs + 1]: the caller fills the first ones; the last stays 1. */
  readonly inputs: Float64Array

  /** start: weight of each input before anything is learned. */
  constructor(link: Link, start: readonly number[], ridge = RIDGE[link]) {
    const size = start.length + 1
    this.#link = link
    this.#ridge = ridge
    this.#size = size
    this.weights = Float64Array.from([...start, 0])
    this.information = new Float64Array(size * size)
    for (let i = 0; i < size; i++) this.information[i * size + i] = this.#ridge
    this.#factor = new Float64Array(size * size)
    this.#solution = new Float64Array(size)
    this.inputs = new Float64Array(size).fill(1, size - 1)
  }

  /** Of `inputs`. */
  predict(): number {
    let z = 0
    for (let i = 0; i < this.#size; i++) z += this.weights[i]! * this.inputs[i]!
    return z
  }

  /** inputs: as they were when the prediction was made; y in latent units. weighted: as one of fake-negatives.ts. logOdds: of kept-negatives.ts. */
  learn(y: number, weighted = false, logOdds = 0): void {
    const size = this.#size
    const f = this.inputs
    const z = this.predict()
    let curvature = 1
    let gradient: number
    if (this.#link === 'gaussian') gradient = Math.max(-HUBER, Math.min(HUBER, y - z))
    else {
      const probability = sigmoid(z + logOdds)
      const weight = weighted ? fakeNegativeWeight(probability, y) : 1
      curvature = weight * Math.max(LEAST_CURVATURE, probability * (1 - probability))
      gradient = weight * (y - probability)
    }
    const information = this.information
    for (let i = 0; i < size; i++) {
      const scaled = curvature * f[i]!
      for (let j = 0; j <= i; j++) information[i * size + j] = KEEP * information[i * size + j]! + scaled * f[j]!
      information[i * size + i]! += (1 - KEEP) * this.#ridge
    }
    this.#solve(gradient)
    for (let i = 0; i < size; i++) this.weights[i]! += this.#solution[i]!
  }

  /** What was learned as 0 is 1 after all (logistic): the gradient is the difference of both, the information is there. */
  takeBack(): void {
    this.#solve(1)
    for (let i = 0; i < this.#size; i++) this.weights[i]! += this.#solution[i]!
  }

  /** A x = f · gradient by Cholesky; A is positive definite by its ridge. */
  #solve(gradient: number): void {
    const size = this.#size
    const l = this.#factor
    const x = this.#solution
    for (let i = 0; i < size; i++) {
      for (let j = 0; j <= i; j++) {
        let sum = this.information[i * size + j]!
        for (let k = 0; k < j; k++) sum -= l[i * size + k]! * l[j * size + k]!
        l[i * size + j] = i === j ? Math.sqrt(sum) : sum / l[j * size + j]!
      }
    }
    for (let i = 0; i < size; i++) {
      let sum = this.inputs[i]! * gradient
      for (let k = 0; k < i; k++) sum -= l[i * size + k]! * x[k]!
      x[i] = sum / l[i * size + i]!
    }
    for (let i = size - 1; i >= 0; i--) {
      let sum = x[i]!
      for (let k = i + 1; k < size; k++) sum -= l[k * size + i]! * x[k]!
      x[i] = sum / l[i * size + i]!
    }
  }
}
