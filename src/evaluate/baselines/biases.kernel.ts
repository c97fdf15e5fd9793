/**
 * The mean of all labels, and what the user and the item have over it, by stochastic gradient on squared error:
 *
 *   prediction = μ + b_u + b_i;  e = prediction − label;  b ← b − rate · 2e
 *
 * River's `reco.Baseline` with its documented optimisers (SGD 0.025, no regularisation) is the same learner; without
 * personal taste it is what every rating model has to beat (Koren, Bell & Volinsky 2009, section 3).
 */
const RATE = 0.025
const BITS = 20
const MASK = 2 ** BITS - 1

export class Biases {
  /** Hashed: users and items beyond a million share some. */
  readonly #users = new Float32Array(2 ** BITS)
  readonly #items = new Float32Array(2 ** BITS)
  #mean = 0
  #labels = 0

  /** user, item: words of their keys, hashes already. */
  predict(user: number, item: number): number {
    return this.#mean + this.#users[user & MASK]! + this.#items[item & MASK]!
  }

  learn(user: number, item: number, label: number): void {
    const step = RATE * 2 * (this.predict(user, item) - label)
    this.#labels++
    this.#mean += (label - this.#mean) / this.#labels
    this.#users[user & MASK] = this.#users[user & MASK]! - step
    this.#items[item & MASK] = this.#items[item & MASK]! - step
  }
}
