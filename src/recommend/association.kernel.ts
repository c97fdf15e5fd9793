/**
 * Association p(j | history) by two factor tables: h is the mean of the history's vectors, newer ones heavier, and the
 * logit of item j is bias_j + h · B_j. Trained by softmax cross-entropy with Adagrad, one accumulator a row; what the
 * logits stand beside (co-counts, popularity) is the caller's.
 *
 * Usage: begin(), addHistory() of the items newest first, finish(); then logit() of any item; to learn, pull() of each
 * candidate with its error (probability minus label), then push() the sum of their pulls into the history's vectors.
 */
import type { LoadedState, PartState } from '../domain/state.js'
import type { Random } from '../std/random.js'
import { loadedArray } from './loaded.js'

const START = 0.05
const ACCUMULATOR_START = 0.1
const SHRINK = 0.001
/** Weight of each item of the history against the one after it. */
const RECENCY = 0.8
/** Beyond this many the weights are below 1e-4. */
const ASSOCIATION_HISTORY = 40

export class Association {
  readonly #dim: number
  readonly #rate: number
  /** [items, dim] of items in histories and of items to come. */
  #source = new Float32Array(0)
  #target = new Float32Array(0)
  #bias = new Float32Array(0)
  /** [items, 3] accumulated squared gradients of the above. */
  #squares = new Float32Array(0)
  #items = 0
  readonly #history: Float64Array
  readonly #gradient: Float64Array
  readonly #members = new Int32Array(ASSOCIATION_HISTORY)
  #count = 0
  #weight = 1
  #total = 0

  constructor(dim: number, rate: number) {
    this.#dim = dim
    this.#rate = rate
    this.#history = new Float64Array(dim)
    this.#gradient = new Float64Array(dim)
  }

  get bytes(): number {
    return this.#source.byteLength * 2 + this.#bias.byteLength + this.#squares.byteLength
  }

  /** A new item, or one that takes a freed number, begins at random near 0. */
  start(item: number, random: Random): void {
    if (item >= this.#items) this.#reserve(item + 1)
    for (let c = item * this.#dim; c < (item + 1) * this.#dim; c++) {
      this.#source[c] = START * random.normal()
      this.#target[c] = START * random.normal()
    }
    this.#bias[item] = 0
    this.#squares.fill(ACCUMULATOR_START, item * 3, item * 3 + 3)
  }

  begin(): void {
    this.#history.fill(0)
    this.#count = 0
    this.#weight = 1
    this.#total = 0
  }

  get isFull(): boolean {
    return this.#count === ASSOCIATION_HISTORY
  }

  addHistory(item: number): void {
    if (this.isFull) return
    this.#members[this.#count++] = item
    const first = item * this.#dim
    for (let c = 0; c < this.#dim; c++) this.#history[c] = this.#history[c]! + this.#weight * this.#source[first + c]!
    this.#total += this.#weight
    this.#weight *= RECENCY
  }

  finish(): void {
    this.#gradient.fill(0)
    if (this.#total === 0) return
    for (let c = 0; c < this.#dim; c++) this.#history[c] = this.#history[c]! / this.#total
  }

  logit(item: number): number {
    const first = item * this.#dim
    let sum = this.#bias[item]!
    for (let c = 0; c < this.#dim; c++) sum += this.#history[c]! * this.#target[first + c]!
    return sum
  }

  /** logits of items [0, n) into scores, as one loop. */
  logits(n: number, scores: Float64Array): void {
    const dim = this.#dim
    const history = this.#history
    const target = this.#target
    const bias = this.#bias
    for (let item = 0, place = 0; item < n; item++) {
      let sum = bias[item]!
      for (let c = 0; c < dim; c++) sum += history[c]! * target[place++]!
      scores[item] = sum
    }
  }

  /** error: probability minus label of a candidate. */
  pull(item: number, error: number): void {
    const dim = this.#dim
    const first = item * dim
    const squares = this.#squares
    const history = this.#history
    let square = 0
    for (let c = 0; c < dim; c++) {
      this.#gradient[c] = this.#gradient[c]! + error * this.#target[first + c]!
      const g = error * history[c]!
      square += g * g
    }
    squares[item * 3] = squares[item * 3]! + error * error
    this.#bias[item] = this.#bias[item]! - (this.#rate * error) / Math.sqrt(squares[item * 3]!)
    squares[item * 3 + 1] = squares[item * 3 + 1]! + square / dim
    const step = this.#rate / Math.sqrt(squares[item * 3 + 1]!)
    const shrink = SHRINK * Math.abs(error)
    for (let c = 0; c < dim; c++) {
      const value = this.#target[first + c]!
      this.#target[first + c] = value - step * (error * history[c]! + shrink * value)
    }
  }

  push(): void {
    const dim = this.#dim
    const gradient = this.#gradient
    let square = 0
    for (let c = 0; c < dim; c++) square += gradient[c]! * gradient[c]!
    square /= dim
    let weight = 1
    for (let nth = 0; nth < this.#count; nth++) {
      const item = this.#members[nth]!
      const share = weight / this.#total
      const accumulated = this.#squares[item * 3 + 2]! + share * share * square
      this.#squares[item * 3 + 2] = accumulated
      const step = (this.#rate * share) / Math.sqrt(accumulated)
      const first = item * dim
      for (let c = 0; c < dim; c++) {
        const value = this.#source[first + c]!
        this.#source[first + c] = value - step * (gradient[c]! + SHRINK * value)
      }
      weight *= RECENCY
    }
    gradient.fill(0)
  }

  saveArrays(): PartState['arrays'] {
    const items = this.#items
    return {
      'association.source': this.#source.subarray(0, items * this.#dim),
      'association.target': this.#target.subarray(0, items * this.#dim),
      'association.bias': this.#bias.subarray(0, items),
      'association.squares': this.#squares.subarray(0, items * 3),
    }
  }

  loadArrays(state: LoadedState): void {
    const bias = loadedArray(state, 'association.bias', Float32Array)
    this.#reserve(bias.length)
    this.#bias.set(bias)
    this.#source.set(loadedArray(state, 'association.source', Float32Array))
    this.#target.set(loadedArray(state, 'association.target', Float32Array))
    this.#squares.set(loadedArray(state, 'association.squares', Float32Array))
  }

  #reserve(items: number): void {
    this.#items = items
    if (this.#bias.length >= items) return
    const capacity = Math.max(1024, items, this.#bias.length * 2)
    this.#source = longer(this.#source, capacity * this.#dim)
    this.#target = longer(this.#target, capacity * this.#dim)
    this.#bias = longer(this.#bias, capacity)
    this.#squares = longer(this.#squares, capacity * 3)
  }
}

function longer(list: Float32Array<ArrayBuffer>, length: number): Float32Array<ArrayBuffer> {
  const copy = new Float32Array(length)
  copy.set(list)
  return copy
}
