/**
 * The fast part: a factorisation machine between two sides (Rendle 2010) in which every parameter is a Gaussian, mean m
 * and variance v, updated in closed form at every label: a diagonal extended Kalman filter.
 *
 *   z = constant + Σ bias + w·x + p·q          p, q: sums of the factor vectors of the asking and of the answered side
 *   s = Σ v (∂z/∂m)²                           variance of z
 *   Gaussian  h = 1 / NOISE,    g = (y − z) / NOISE, clipped at HUBER predicted deviations
 *   logistic  h = max(p (1 − p), LEAST_CURVATURE),  g = y − p
 *   m += v d g / (1 + h s)      v = min(prior, v − (v d)² h / (1 + h s) + drift · prior)      d = ∂z/∂m
 *
 * The variance is what an Adagrad accumulator would be, but exact: it starts at the prior, so a new id moves fast and
 * begins at what its side features say, and drift keeps a floor under it, so nothing ever freezes.
 *
 * The parameters of a value lie in its record (features/table), one block a task and member of the bank:
 *   bias mean, bias variance, factor means [FACTORS], factor variances [FACTORS]
 * Constant and numeric weights lie here. A value without a record contributes its mean, which is 0.
 */

import { fakeNegativeWeight } from '../fake-negatives.js'
import {
  CONSTANT,
  DENSE,
  DRIFT,
  DRIFT_SHARED,
  DRIFT_USER,
  FACTORS,
  HUBER,
  ID_FACTOR,
  LEAST_CURVATURE,
  NOISE,
  SIDE_BIAS,
  SIDE_FACTOR,
} from './constants.js'
import { type Link, sigmoid } from './link.js'

/** Words of a block. */
export const BLOCK = 2 + 2 * FACTORS
const VECTOR = 2
const VARIANCES = 2 + FACTORS

/** Where the records of one example's values lie: first the asking side's, then the answered side's, then the rest. */
export interface ValueRecords {
  /** Records of the asking side. */
  asking: number
  /** … and of the answered side, so that [asking, factored) is the answered side and [factored, count) has biases only. */
  factored: number
  count: number
  /** [count] the slab a record lies in, and its first word there. */
  slabs: Float32Array[]
  at: Int32Array
  /** [count] 1 = an id itself, 0 = a side feature. */
  isId: Uint8Array
}

export interface MeanWord {
  place: number
  what: 'bias' | 'coordinate'
}

export class FactorMachine {
  readonly #link: Link
  readonly #offset: number
  readonly #idBias: number
  /** [inputs] places of the numeric inputs among the example's. */
  readonly #inputs: Int32Array
  /** [1 + inputs]: the constant, then the numeric weights. */
  readonly means: Float64Array
  readonly variances: Float64Array
  /** Of the last prediction: sums of the factor vectors of either side, and z. */
  readonly #p = new Float64Array(FACTORS)
  readonly #q = new Float64Array(FACTORS)
  #z = 0

  /** offset: where this machine's block begins in a record. */
  constructor(link: Link, offset: number, idBias: number, inputs: Int32Array) {
    this.#link = link
    this.#offset = offset
    this.#idBias = idBias
    this.#inputs = inputs
    this.means = new Float64Array(1 + inputs.length)
    this.variances = new Float64Array(1 + inputs.length).fill(DENSE)
    this.variances[0] = CONSTANT
  }

  /** Words of a record that predictions read. */
  meanWords(): MeanWord[] {
    const factors = Array.from({ length: FACTORS }, (_, k) => this.#offset + VECTOR + k)
    return [{ place: this.#offset, what: 'bias' }, ...factors.map((place): MeanWord => ({ place, what: 'coordinate' }))]
  }

  /** The block of a new value; startVector(at) draws its factor means. */
  startBlock(record: Float32Array, at: number, isId: boolean, startVector: (at: number) => void): void {
    const to = at + this.#offset
    record[to + 1] = this.#biasPrior(isId ? 1 : 0)
    const prior = isId ? ID_FACTOR : SIDE_FACTOR
    for (let k = 0; k < FACTORS; k++) record[to + VARIANCES + k] = prior
    startVector(to + VECTOR)
  }

  /** So much of what is known of an id is forgotten: the means shrink by this share and are as uncertain as a new id's. */
  forgetBlock(record: Float32Array, at: number, share: number): void {
    const from = at + this.#offset
    record[from]! *= 1 - share
    record[from + 1] = this.#biasPrior(1)
    for (let k = 0; k < FACTORS; k++) {
      record[from + VECTOR + k]! *= 1 - share
      record[from + VARIANCES + k] = ID_FACTOR
    }
  }

  /** dense: this example's numeric inputs from `first` on. */
  predict(records: ValueRecords, dense: Float32Array, first: number): number {
    const { asking, factored, count, slabs, at } = records
    const p = this.#p
    const q = this.#q
    const means = this.means
    const inputs = this.#inputs
    let z = means[0]!
    for (let d = 1; d < means.length; d++) z += means[d]! * dense[first + inputs[d - 1]!]!
    z = this.#sum(records, 0, asking, z, p)
    z = this.#sum(records, asking, factored, z, q)
    for (let i = factored; i < count; i++) z += slabs[i]![at[i]! + this.#offset]!
    for (let k = 0; k < FACTORS; k++) z += p[k]! * q[k]!
    this.#z = z
    return z
  }

  /**
   * Of records [from, end): z plus their biases; the sum of their factor vectors goes to `sums`. Written out for each of the
   * FACTORS, so that sums stay in registers: a prediction takes two thirds of the time of a loop over an array.
   */
  #sum({ slabs, at }: ValueRecords, from: number, end: number, z: number, sums: Float64Array): number {
    const offset = this.#offset
    let s0 = 0
    let s1 = 0
    let s2 = 0
    let s3 = 0
    let s4 = 0
    let s5 = 0
    let s6 = 0
    let s7 = 0
    for (let i = from; i < end; i++) {
      const record = slabs[i]!
      const bias = at[i]! + offset
      const vector = bias + VECTOR
      z += record[bias]!
      s0 += record[vector]!
      s1 += record[vector + 1]!
      s2 += record[vector + 2]!
      s3 += record[vector + 3]!
      s4 += record[vector + 4]!
      s5 += record[vector + 5]!
      s6 += record[vector + 6]!
      s7 += record[vector + 7]!
    }
    sums[0] = s0
    sums[1] = s1
    sums[2] = s2
    sums[3] = s3
    sums[4] = s4
    sums[5] = s5
    sums[6] = s6
    sums[7] = s7
    return z
  }

  /**
   * Of the example that was predicted last, by these records; every value has one. y: label in latent units. weighted: as
   * one of fake-negatives.ts. logOdds: of kept-negatives.ts.
   */
  learn(records: ValueRecords, dense: Float32Array, first: number, y: number, weighted = false, logOdds = 0): void {
    const z = this.#z
    const s = this.#variance(records, dense, first)
    let curvature: number
    let gradient: number
    if (this.#link === 'gaussian') {
      curvature = 1 / NOISE
      const limit = HUBER * Math.sqrt(curvature * (1 + curvature * s))
      gradient = Math.max(-limit, Math.min(limit, (y - z) / NOISE))
    } else {
      const probability = sigmoid(z + logOdds)
      const weight = weighted ? fakeNegativeWeight(probability, y) : 1
      curvature = weight * Math.max(LEAST_CURVATURE, probability * (1 - probability))
      gradient = weight * (y - probability)
    }
    const step = gradient / (1 + curvature * s)
    const shrink = curvature / (1 + curvature * s)
    this.#updateValues(records, step, shrink)
    this.#updateShared(dense, first, step, shrink)
  }

  /**
   * A label that was learned as 0 is 1 after all (logistic): the step of 1 minus the step of 0, whose gradients differ by
   * 1. What was observed has been counted, so no variance shrinks again. Like learn(), of what was predicted last.
   */
  takeBack(records: ValueRecords, dense: Float32Array, first: number, logOdds = 0): void {
    const probability = sigmoid(this.#z + logOdds)
    const curvature = Math.max(LEAST_CURVATURE, probability * (1 - probability))
    const step = 1 / (1 + curvature * this.#variance(records, dense, first))
    this.#updateValues(records, step, 0)
    this.#updateShared(dense, first, step, 0)
  }

  /** Of z, with the sums that predict() left. */
  #variance(records: ValueRecords, dense: Float32Array, first: number): number {
    const { asking, factored, count, slabs, at } = records
    const variances = this.variances
    const inputs = this.#inputs
    let s = variances[0]!
    for (let d = 1; d < variances.length; d++) {
      const x = dense[first + inputs[d - 1]!]!
      s += variances[d]! * x * x
    }
    s = this.#addVariances(records, 0, asking, s, this.#q)
    s = this.#addVariances(records, asking, factored, s, this.#p)
    for (let i = factored; i < count; i++) s += slabs[i]![at[i]! + this.#offset + 1]!
    return s
  }

  /** Of records [from, end): s plus what their biases and factors add. other: sums of the other side. Written out as #sum is. */
  #addVariances({ slabs, at }: ValueRecords, from: number, end: number, s: number, other: Float64Array): number {
    const offset = this.#offset
    const o0 = other[0]!
    const o1 = other[1]!
    const o2 = other[2]!
    const o3 = other[3]!
    const o4 = other[4]!
    const o5 = other[5]!
    const o6 = other[6]!
    const o7 = other[7]!
    for (let i = from; i < end; i++) {
      const record = slabs[i]!
      const bias = at[i]! + offset
      const v = bias + VARIANCES
      s += record[bias + 1]!
      s += record[v]! * o0 * o0
      s += record[v + 1]! * o1 * o1
      s += record[v + 2]! * o2 * o2
      s += record[v + 3]! * o3 * o3
      s += record[v + 4]! * o4 * o4
      s += record[v + 5]! * o5 * o5
      s += record[v + 6]! * o6 * o6
      s += record[v + 7]! * o7 * o7
    }
    return s
  }

  #updateValues(records: ValueRecords, step: number, shrink: number): void {
    const { asking, factored, count, slabs, at, isId } = records
    this.#updateSide(records, 0, asking, this.#q, DRIFT_USER, step, shrink)
    this.#updateSide(records, asking, factored, this.#p, DRIFT, step, shrink)
    for (let i = factored; i < count; i++) {
      const bias = at[i]! + this.#offset
      const prior = this.#biasPrior(isId[i]!)
      update(slabs[i]!, bias, bias + 1, 1, prior, DRIFT * prior, step, shrink)
    }
  }

  /** Of records [from, end). other: sums of the other side. idDrift: of an id's bias. Written out as #sum is. */
  #updateSide(
    { slabs, at, isId }: ValueRecords,
    from: number,
    end: number,
    other: Float64Array,
    idDrift: number,
    step: number,
    shrink: number,
  ): void {
    const offset = this.#offset
    const o0 = other[0]!
    const o1 = other[1]!
    const o2 = other[2]!
    const o3 = other[3]!
    const o4 = other[4]!
    const o5 = other[5]!
    const o6 = other[6]!
    const o7 = other[7]!
    for (let i = from; i < end; i++) {
      const record = slabs[i]!
      const bias = at[i]! + offset
      const id = isId[i]!
      const biasPrior = this.#biasPrior(id)
      update(record, bias, bias + 1, 1, biasPrior, (id === 1 ? idDrift : DRIFT) * biasPrior, step, shrink)
      const m = bias + VECTOR
      const v = bias + VARIANCES
      const prior = id === 1 ? ID_FACTOR : SIDE_FACTOR
      const noise = DRIFT * prior
      update(record, m, v, o0, prior, noise, step, shrink)
      update(record, m + 1, v + 1, o1, prior, noise, step, shrink)
      update(record, m + 2, v + 2, o2, prior, noise, step, shrink)
      update(record, m + 3, v + 3, o3, prior, noise, step, shrink)
      update(record, m + 4, v + 4, o4, prior, noise, step, shrink)
      update(record, m + 5, v + 5, o5, prior, noise, step, shrink)
      update(record, m + 6, v + 6, o6, prior, noise, step, shrink)
      update(record, m + 7, v + 7, o7, prior, noise, step, shrink)
    }
  }

  #updateShared(dense: Float32Array, first: number, step: number, shrink: number): void {
    const { means, variances } = this
    const inputs = this.#inputs
    const constant = variances[0]!
    means[0]! += constant * step
    variances[0] = Math.min(CONSTANT, constant - constant * constant * shrink + DRIFT_SHARED * CONSTANT)
    for (let d = 1; d < means.length; d++) {
      const variance = variances[d]!
      const move = variance * dense[first + inputs[d - 1]!]!
      means[d]! += move * step
      variances[d] = Math.min(DENSE, variance - move * move * shrink + DRIFT_SHARED * DENSE)
    }
  }

  #biasPrior(isId: number): number {
    return isId === 1 ? this.#idBias : this.#idBias * SIDE_BIAS
  }
}

/** Of one parameter, by the words of its mean and variance; d: ∂z/∂m. */
function update(
  record: Float32Array,
  mean: number,
  variance: number,
  d: number,
  prior: number,
  noise: number,
  step: number,
  shrink: number,
): void {
  const v = record[variance]!
  const move = v * d
  record[mean]! += move * step
  record[variance] = Math.min(prior, v - move * move * shrink + noise)
}
