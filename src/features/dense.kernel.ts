import type { NumericConfig } from '../config/schema.js'
import { NONE } from './entity-table.kernel.js'
import type { KeyedState } from './keyed-state.kernel.js'
import { createReadNumber, type ReadNumber } from './numbers.kernel.js'
import { Scaler } from './scaler.kernel.js'
import type { FeatureSubject } from './subject.js'

/** Numeric features: read, transformed, standardised, written as float32. A missing number is 0; NaN can not enter. */
export class DenseInputs {
  /** Of the last subject, before transforming; NONE = missing. */
  readonly numbers: Float64Array
  readonly scaler: Scaler
  /** How many inputs they are. */
  readonly width: number
  readonly #config: readonly NumericConfig[]
  readonly #read: readonly ReadNumber[]

  constructor(config: readonly NumericConfig[], state: KeyedState) {
    this.#config = config
    this.#read = config.map(numeric => createReadNumber(numeric, state))
    this.numbers = new Float64Array(config.length)
    this.scaler = new Scaler(config.length)
    this.width = config.reduce((sum, { since }) => sum + (since === undefined ? 1 : 2), 0)
  }

  /** dense: [.., inputs], written from `at` on. */
  write(subject: FeatureSubject, dense: Float32Array, at: number, learnScale: boolean): void {
    for (let index = 0; index < this.#read.length; index++) {
      const config = this.#config[index]!
      const read = this.#read[index]!(subject)
      const number = Number.isFinite(read) ? read : NONE
      this.numbers[index] = number
      dense[at++] = number === NONE ? 0 : this.#input(index, config, number, learnScale)
      if (config.since !== undefined) dense[at++] = number === NONE ? 1 : 0
    }
  }

  #input(index: number, config: NumericConfig, number: number, learnScale: boolean): number {
    // Odd, so that negative numbers have a logarithm too.
    const x = config.transform === 'log1p' ? Math.sign(number) * Math.log1p(Math.abs(number)) : number
    if (!config.standardise) return Number.isFinite(Math.fround(x)) ? x : 0
    const scaled = this.scaler.scale(index, x)
    if (learnScale) this.scaler.learn(index, x)
    return scaled
  }
}
