/**
 * Logistic regression by FTRL-proximal with one learning rate a coordinate: what click prediction has been compared with
 * for ten years. McMahan et al. 2013, Ad click prediction: a view from the trenches, algorithm 1:
 *
 *   w_i = 0 where |z_i| ≤ λ1, else −(z_i − sgn(z_i) λ1) / ((β + √n_i) / α + λ2)
 *   p = σ(Σ w_i);  g = p − y;  z_i += g − (√(n_i + g²) − √n_i) / α · w_i;  n_i += g²
 *
 * Its inputs are the values of the slots, each of weight 1, and a constant. Keys are hashed into a table of fixed size
 * (Weinberger et al. 2009); ids that fall together share a weight.
 */
const ALPHA = 0.1
const BETA = 1
const L1 = 0
const L2 = 1
const BITS = 20
const MASK = 2 ** BITS - 1

export class Ftrl {
  /** [2^BITS + 1]; the last one is the constant's. */
  readonly #z = new Float32Array(2 ** BITS + 1)
  readonly #n = new Float32Array(2 ** BITS + 1)

  /** keys: words from `at` on, two a value, (0, 0) = none; values: how many. Returns a probability. */
  predict(keys: Uint32Array, at: number, values: number): number {
    let logit = this.#weight(MASK + 1)
    for (let word = at; word < at + values * 2; word += 2) {
      if ((keys[word]! | keys[word + 1]!) !== 0) logit += this.#weight(placeOf(keys[word]!, keys[word + 1]!))
    }
    return 1 / (1 + Math.exp(-logit))
  }

  /** One step for the same keys; label: 0 or 1. */
  learn(keys: Uint32Array, at: number, values: number, label: number): void {
    const gradient = this.predict(keys, at, values) - label
    this.#step(MASK + 1, gradient)
    for (let word = at; word < at + values * 2; word += 2) {
      if ((keys[word]! | keys[word + 1]!) !== 0) this.#step(placeOf(keys[word]!, keys[word + 1]!), gradient)
    }
  }

  #weight(place: number): number {
    const z = this.#z[place]!
    if (Math.abs(z) <= L1) return 0
    return -(z - Math.sign(z) * L1) / ((BETA + Math.sqrt(this.#n[place]!)) / ALPHA + L2)
  }

  #step(place: number, gradient: number): void {
    const n = this.#n[place]!
    const squares = n + gradient * gradient
    const weight = this.#weight(place)
    this.#z[place] = this.#z[place]! + gradient - ((Math.sqrt(squares) - Math.sqrt(n)) / ALPHA) * weight
    this.#n[place] = squares
  }
}

/** Keys are hashes already. */
function placeOf(lo: number, hi: number): number {
  return (lo ^ Math.imul(hi, 0x9e3779b1)) & MASK
}
