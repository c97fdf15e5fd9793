/**
 * Running standardisation: (x − mean) / deviation with the mean and deviation of what was learned before x.
 * Until MEMORY values it is the plain mean and variance (Welford 1962), afterwards an exponentially weighted one, so that
 * a stream of years can drift. With few values the result is damped (n / FEW), since their deviation means little yet.
 */
import type { LoadedState, PartState } from '../domain/state.js'
import { loadedArray } from './loaded.js'

const MEMORY = 1_000_000
const FEW = 10
const CLIP = 5
/** Beyond this a value is cut, so that its square stays finite. */
const LARGEST = 1e15

export class Scaler {
  /** [features, 3] count, mean, variance. */
  readonly #stats: Float64Array

  constructor(features: number) {
    this.#stats = new Float64Array(features * 3)
  }

  scale(feature: number, x: number): number {
    const count = this.#stats[feature * 3]!
    const mean = this.#stats[feature * 3 + 1]!
    const variance = this.#stats[feature * 3 + 2]!
    // Of a feature that has been constant so far any change is clipped and none divided by 0, and rounding stays small.
    const deviation = Math.sqrt(variance) + 1e-9 * (Math.abs(mean) + 1)
    const z = ((bounded(x) - mean) / deviation) * Math.min(1, count / FEW)
    return Math.max(-CLIP, Math.min(CLIP, z))
  }

  learn(feature: number, x: number): void {
    const at = feature * 3
    const count = Math.min(MEMORY, this.#stats[at]! + 1)
    const weight = 1 / count
    const difference = bounded(x) - this.#stats[at + 1]!
    this.#stats[at] = count
    this.#stats[at + 1] = this.#stats[at + 1]! + weight * difference
    this.#stats[at + 2] = (1 - weight) * (this.#stats[at + 2]! + weight * difference * difference)
  }

  saveState(): PartState {
    return { meta: {}, arrays: { stats: this.#stats } }
  }

  loadState(state: LoadedState): void {
    this.#stats.set(loadedArray(state, 'stats', Float64Array, this.#stats.length))
  }
}

function bounded(x: number): number {
  return Math.max(-LARGEST, Math.min(LARGEST, x))
}
