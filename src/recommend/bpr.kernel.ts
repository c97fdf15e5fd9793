/**
 * Bayesian personalised ranking by matrix factorisation, online: a ranker to compare with, never part of an answer.
 * For user u and the item i that came, against some items j that u has not had, a step up the gradient of
 *
 *   log σ(x_i − x_j) − λ |Θ|²,   x_i = b_i + p_u · q_i
 *
 * Rendle, Freudenthaler, Gantner & Schmidt-Thieme 2009, BPR: Bayesian personalized ranking from implicit feedback.
 * Negatives are drawn uniformly from the catalogue, as there; each positive is learned once, when it comes.
 * Rows are those of the owner's users and items; one that is given again starts anew. Its draws are its own, so that
 * nothing else is drawn differently because it is there.
 */
import type { LoadedState, PartState } from '../domain/state.js'
import { grown } from '../std/grown.js'
import { Random } from '../std/random.js'
import { loadedArray } from './loaded.js'

const DIM = 16
const RATE = 0.1
const DECAY = 0.01
const NEGATIVES = 8
const START = 0.1

export class Bpr {
  readonly #random: Random
  /** [users, DIM] */
  #users = new Float32Array(0)
  /** [items, DIM + 1] vector and bias. */
  #items = new Float32Array(0)

  constructor(seed: number) {
    this.#random = new Random(seed)
  }

  startUser(user: number): void {
    this.#users = grown(this.#users, (user + 1) * DIM)
    for (let c = user * DIM; c < (user + 1) * DIM; c++) this.#users[c] = START * this.#random.normal()
  }

  /** The user's row is to be another's, or nobody's. */
  eraseUser(user: number): void {
    this.#users.fill(0, user * DIM, (user + 1) * DIM)
  }

  startItem(item: number): void {
    const width = DIM + 1
    this.#items = grown(this.#items, (item + 1) * width)
    for (let c = item * width; c < item * width + DIM; c++) this.#items[c] = START * this.#random.normal()
    this.#items[item * width + DIM] = 0
  }

  /** user: -1 = nobody known, whose order is that of the biases. scores: [items], those at -Infinity stay. */
  fill(user: number, items: number, scores: Float64Array): void {
    for (let item = 0; item < items; item++) {
      if (scores[item] !== Number.NEGATIVE_INFINITY) scores[item] = this.#score(user, item)
    }
  }

  /** items: those of the catalogue lie below it; mayLose: whether an item is one that the user has not had. */
  learn(user: number, item: number, items: number, mayLose: (item: number) => boolean): void {
    if (user * DIM >= this.#users.length) this.startUser(user)
    const p = this.#users
    const q = this.#items
    const u = user * DIM
    const i = item * (DIM + 1)
    for (let draw = 0; draw < NEGATIVES; draw++) {
      const other = this.#random.integer(items)
      if (other === item || !mayLose(other)) continue
      const j = other * (DIM + 1)
      const step = 1 / (1 + Math.exp(this.#score(user, item) - this.#score(user, other)))
      for (let c = 0; c < DIM; c++) {
        const own = p[u + c]!
        p[u + c] = own + RATE * (step * (q[i + c]! - q[j + c]!) - DECAY * own)
        q[i + c] = q[i + c]! + RATE * (step * own - DECAY * q[i + c]!)
        q[j + c] = q[j + c]! - RATE * (step * own + DECAY * q[j + c]!)
      }
      q[i + DIM] = q[i + DIM]! + RATE * (step - DECAY * q[i + DIM]!)
      q[j + DIM] = q[j + DIM]! - RATE * (step + DECAY * q[j + DIM]!)
    }
  }

  saveArrays(): PartState['arrays'] {
    return {
      'bpr.users': this.#users,
      'bpr.items': this.#items,
      'bpr.random': Uint32Array.from(this.#random.state()),
    }
  }

  /** items: of the catalogue; they start anew where the state is of a run that had no such baseline. */
  loadArrays(state: LoadedState, items: number): void {
    if (state.arrays['bpr.random'] === undefined) {
      for (let item = 0; item < items; item++) this.startItem(item)
      return
    }
    const [a = 0, b = 0, c = 0, d = 0] = loadedArray(state, 'bpr.random', Uint32Array)
    this.#random.restore([a, b, c, d])
    this.#users = Float32Array.from(loadedArray(state, 'bpr.users', Float32Array))
    this.#items = Float32Array.from(loadedArray(state, 'bpr.items', Float32Array))
  }

  #score(user: number, item: number): number {
    const at = item * (DIM + 1)
    let score = this.#items[at + DIM]!
    if (user < 0 || user * DIM >= this.#users.length) return score
    for (let c = 0; c < DIM; c++) score += this.#users[user * DIM + c]! * this.#items[at + c]!
    return score
  }
}
