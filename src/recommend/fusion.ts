/**
 * One order from several heads: how the candidates of a score request are ranked.
 *
 * retrieval  by the next-item model, where it found the candidates; else like sum
 * sum        Σ rank_t · value_t, plus `retrieval` × the candidate's share of the softmax over the candidates
 * product    Π value_t ^ rank_t · share ^ retrieval; a rating counts as its place in its range
 * cascade    the tasks one after the other: each keeps the better `keep` of what is left, the last one orders it
 * stack      logistic regression of the first task's label on all heads' values, learned from scores made before their
 *            labels; so another head speaks as far as it has helped
 *
 * Higher is better in all of them. Only the stack has state. Who asks with weights of his own is answered by sum or, where
 * that is configured, product.
 */

import type { Config, TaskConfig } from '../config/schema.js'
import { MASK_JUDGED } from '../domain/example.js'
import { isProbability, outcomeOf } from '../domain/heads.js'
import type { Json, PublishedState } from '../domain/state.js'

type FusionConfig = NonNullable<Config['recommend']>['fusion']

const SMALLEST = 1e-7
const STACK_RATE = 0.05

export class Fusion {
  readonly #tasks: readonly TaskConfig[]
  readonly #ranks: readonly number[]
  readonly #config: FusionConfig | undefined
  /** Of the stack: one weight a task, then the bias; and their accumulated squared gradients. */
  readonly #weights: Float64Array
  readonly #squares: Float64Array

  constructor(tasks: readonly TaskConfig[], config: FusionConfig | undefined) {
    this.#tasks = tasks
    this.#ranks = tasks.map(({ rank }) => rank)
    this.#config = config
    this.#weights = Float64Array.from([...tasks.map((_, index) => (index === 0 ? 1 : 0)), 0])
    this.#squares = new Float64Array(tasks.length + 1).fill(1)
  }

  /**
   * values: [n, tasks] natural units. retrieval: [n] logits of the candidates, if the next-item model found them.
   * ranks: [tasks] weights instead of the tasks' own.
   */
  rank(values: Float32Array, n: number, retrieval: Float64Array | undefined, ranks?: readonly number[]): Float64Array {
    const { retrieval: weight = 1, keep = 0.5 } = this.#config ?? {}
    const configured = this.#config?.method ?? 'sum'
    const method = ranks === undefined || configured === 'product' ? configured : 'sum'
    const weights = ranks ?? this.#ranks
    const shares = retrieval === undefined ? undefined : softmax(retrieval)
    const each = (score: (i: number) => number) => Float64Array.from({ length: n }, (_, i) => score(i))
    switch (method) {
      case 'retrieval':
        return retrieval ?? each(i => this.#sum(values, i, weights))
      case 'sum':
        return each(i => this.#sum(values, i, weights) + weight * (shares?.[i] ?? 0))
      case 'product':
        return each(i => this.#logProduct(values, i, weights) + weight * Math.log(Math.max(SMALLEST, shares?.[i] ?? 1)))
      case 'cascade':
        return this.#cascade(values, n, keep)
      case 'stack':
        return each(i => this.#stack(values, i))
    }
  }

  /** What a step has judged, in its order. values, labels, mask: [n, tasks] */
  learn(n: number, values: Float32Array, labels: Float32Array, mask: Uint8Array): void {
    if (this.#config?.method !== 'stack') return
    const width = this.#tasks.length
    for (let i = 0; i < n; i++) {
      if (((mask[i * width] ?? 0) & MASK_JUDGED) === 0) continue
      const error =
        1 / (1 + Math.exp(-this.#stack(values, i))) - outcomeOf(this.#tasks[0]?.head, labels[i * width] ?? 0)
      for (let k = 0; k <= width; k++) {
        const gradient = error * (k === width ? 1 : this.#input(values, i, k))
        const square = (this.#squares[k] ?? 1) + gradient * gradient
        this.#squares[k] = square
        this.#weights[k] = (this.#weights[k] ?? 0) - (STACK_RATE * gradient) / Math.sqrt(square)
      }
    }
  }

  toJson(): Json {
    return { weights: Array.from(this.#weights), squares: Array.from(this.#squares) }
  }

  /** What ranking needs; fromJson() reads its meta. */
  publish(): PublishedState {
    const state = { meta: this.toJson(), arrays: {} }
    return { form: 'whole', encoding: 'cells', state, rows: 0, changed: 0, removed: 0 }
  }

  fromJson(state: Json): void {
    const { weights, squares } = state as { weights: number[]; squares: number[] }
    this.#weights.set(weights)
    this.#squares.set(squares)
  }

  #sum(values: Float32Array, i: number, ranks: readonly number[]): number {
    let sum = 0
    for (const [k, rank] of ranks.entries()) sum += rank * (values[i * this.#tasks.length + k] ?? 0)
    return sum
  }

  #logProduct(values: Float32Array, i: number, ranks: readonly number[]): number {
    let sum = 0
    for (const [k, rank] of ranks.entries()) sum += rank * Math.log(Math.max(SMALLEST, this.#unit(values, i, k)))
    return sum
  }

  /** Places as scores: who is dropped earlier comes later. */
  #cascade(values: Float32Array, n: number, keep: number): Float64Array {
    const width = this.#tasks.length
    let order = Array.from({ length: n }, (_, i) => i)
    let left = n
    for (let k = 0; k < width; k++) {
      const by = (i: number) => values[i * width + k] ?? 0
      const kept = order.slice(0, left).sort((a, b) => by(b) - by(a) || a - b)
      order = [...kept, ...order.slice(left)]
      if (k < width - 1) left = Math.max(1, Math.ceil(left * keep))
    }
    const scores = new Float64Array(n)
    for (const [place, i] of order.entries()) scores[i] = n - place
    return scores
  }

  #stack(values: Float32Array, i: number): number {
    const width = this.#tasks.length
    let sum = this.#weights[width] ?? 0
    for (let k = 0; k < width; k++) sum += (this.#weights[k] ?? 0) * this.#input(values, i, k)
    return sum
  }

  /** A probability as its logit, a rating as its place in its range around the middle. */
  #input(values: Float32Array, i: number, k: number): number {
    const unit = this.#unit(values, i, k)
    if (!isProbability(this.#tasks[k]?.head ?? '')) return 2 * unit - 1
    const p = Math.min(1 - SMALLEST, Math.max(SMALLEST, unit))
    return Math.log(p / (1 - p))
  }

  #unit(values: Float32Array, i: number, k: number): number {
    const value = values[i * this.#tasks.length + k] ?? 0
    const [low, high] = this.#tasks[k]?.range ?? [0, 1]
    return isProbability(this.#tasks[k]?.head ?? '') ? value : (value - low) / (high - low)
  }
}

function softmax(logits: Float64Array): Float64Array {
  const highest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
  const weights = logits.map(logit => Math.exp(logit - highest))
  const sum = weights.reduce((a, b) => a + b, 0)
  return weights.map(weight => weight / sum)
}
