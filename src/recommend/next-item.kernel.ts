/**
 * p(next item j | user): a softmax over the catalogue whose logit holds what is known in closed form, and learns the rest:
 *
 *   s_j = θ1 log(1 + kNN_j / ε) + θ2 log(1 + last_j / ε) + θ3 log n_j + bias_j + h · B_j
 *
 * Why people come back is another question than what they find. An item that the user has had has θ of its own, and in the
 * place of the associations
 *
 *   θ7 log(1 + own_j / ε') + θ8 + θ9 log m_j − θ10 log(ε'' + age_j)
 *
 * Associations know what goes together, not what is had again: with them, the order of what a user has had was worse than
 * by her history alone, and a scale for them, learned, went to 0.
 *
 * kNN_j: co-counts of the user's recent items with j, recency-weighted, over n_j^.75, as a share; last_j: the same of the
 * last few items; own_j: share of j in the user's decayed history; m_j: how often she had had it, decayed, when she had it
 * last, which is age_j half-lives ago; n_j: decayed popularity as a share; h · B_j: see association. own, m and age
 * together can say any half-life, and that forgetting is slower than a half-life: θ says which.
 * θ and the factors learn by the softmax's gradient. A catalogue of at most `exactItems` is summed exactly. A larger one
 * is sampled by popularity, and then the logit is trained without log n_j, whatever θ3: against popularity negatives
 * that is the log-odds, and with log n_j inside it collapses, since items never drawn keep the highest logits.
 *
 * look() gathers the sparse evidence of a user; scores() fills all logits; learn() makes one step for the item that came.
 */
import { MillraceError } from '../domain/errors.js'
import type { LoadedState, PartState } from '../domain/state.js'
import type { Random } from '../std/random.js'
import { Association } from './association.kernel.js'
import type { CoCounts } from './co-counts.kernel.js'
import type { Histories } from './histories.kernel.js'
import type { Items } from './items.kernel.js'
import { loadedArray } from './loaded.js'

const RECENCY = 0.9
const LAST = 3
const LAST_RECENCY = 0.5
const TARGET_POWER = 0.75
/** Imagined events of every item: the first co-counts of a rare one do not outshine everything. */
const SHRINK = 1
const SHARE_FLOOR = 1e-5
const OWN_FLOOR = 1e-3
const AGE_FLOOR = 1e-3
const THETA_START = [1, 0, 0, 0, 0, 0, 1, 1, 0, 0]
const THETA_RATE = 0.05
/** Errors below this change nothing that matters. */
const LEAST_ERROR = 1e-5
const KNN = 0
const LATEST = 1
const POPULARITY = 2
/** The same three of an item that the user has had lie so much further on. */
const HAD = 3
const OWN = 6
const HAD_AT_ALL = 7
const TIMES = 8
const LATELY = 9

export interface NextItemOptions {
  history: number
  dim: number
  rate: number
  exactItems: number
  negatives: number
  /** Items that the user has had may come again: they are candidates like others. */
  repeats: boolean
}

export class NextItem {
  readonly #options: NextItemOptions
  readonly #items: Items
  readonly #coCounts: CoCounts
  readonly #histories: Histories
  readonly #random: Random
  readonly association: Association
  readonly theta = Float64Array.from(THETA_START)
  readonly #thetaSquares = new Float64Array(THETA_START.length).fill(1)
  readonly #thetaGradient = new Float64Array(THETA_START.length)
  /** Logits of all items by number; -Infinity = no item. Valid after scores(). */
  scores = new Float64Array(0)
  /** Evidence by item, 0 where there is none: raw sums, and the logarithms that θ weighs. */
  knn = new Float64Array(0)
  last = new Float64Array(0)
  own = new Float64Array(0)
  #knnLog = new Float64Array(0)
  #lastLog = new Float64Array(0)
  #ownLog = new Float64Array(0)
  #timesLog = new Float64Array(0)
  #latelyLog = new Float64Array(0)
  /** Items with evidence: from co-counts, and of the user's own history. */
  touched = new Int32Array(0)
  touchedCount = 0
  #had = new Int32Array(0)
  #hadCount = 0
  /** Number of the last look() that found the item in the user's history. */
  #hadIn = new Int32Array(0)
  /** The same, of those that she has had in this very tick: within it they can not come again. */
  #cameIn = new Int32Array(0)
  #look = 0
  /** Candidates of a step and their logits, then errors. */
  #candidates = new Int32Array(0)
  #errors = new Float64Array(0)

  constructor(
    options: NextItemOptions,
    parts: { items: Items; coCounts: CoCounts; histories: Histories; random: Random },
  ) {
    this.#options = options
    this.#items = parts.items
    this.#coCounts = parts.coCounts
    this.#histories = parts.histories
    this.#random = parts.random
    this.association = new Association(options.dim, options.rate)
  }

  /** pairWeight: what a co-count of now counts. */
  look(user: number, nowMs: number, pairWeight: number): void {
    this.#clear()
    this.#look++
    const histories = this.#histories
    const { history } = this.#options
    this.association.begin()
    let touched = 0
    let had = 0
    let weight = 1
    let lastWeight = 1
    let ownTotal = 0
    let cameTotal = 0
    for (let pair = histories.newest(user); pair >= 0; pair = histories.older(pair)) {
      const item = histories.itemOf(pair)
      if (had < history) {
        touched = this.#coCounts.addTo(item, weight, this.knn, this.touched, touched)
        weight *= RECENCY
        if (had < LAST) {
          this.#coCounts.addTo(item, lastWeight, this.last, this.#candidates, 0)
          lastWeight *= LAST_RECENCY
        }
        this.association.addHistory(item)
      }
      this.#hadIn[item] = this.#look
      this.#had[had++] = item
      const own = histories.weightAt(pair, nowMs)
      this.own[item] = own
      if (histories.timeOf(pair) >= nowMs) {
        this.#cameIn[item] = this.#look
        cameTotal += own
      } else ownTotal += own
      this.#timesLog[item] = Math.log(histories.weightOf(pair))
      this.#latelyLog[item] = -Math.log(AGE_FLOOR + histories.ageAt(pair, nowMs))
    }
    this.association.finish()
    this.touchedCount = touched
    this.#hadCount = had
    this.#weigh(pairWeight)
    // Asked as of a time before all that she has had, there is no other total.
    const total = ownTotal > 0 ? ownTotal : cameTotal
    for (let nth = 0; nth < had && total > 0; nth++) {
      const item = this.#had[nth]!
      this.#ownLog[item] = Math.log(1 + this.own[item]! / (total * OWN_FLOOR))
    }
  }

  /** Whether the user who was looked at last has had the item. */
  hasHad(item: number): boolean {
    return this.#hadIn[item] === this.#look
  }

  fillScores(): void {
    const { scores, theta } = this
    const { logPopularity, length } = this.#items
    this.association.logits(length, scores)
    const popularity = theta[POPULARITY]!
    const total = this.#items.logTotal
    for (let item = 0; item < length; item++) {
      const log = logPopularity[item]!
      scores[item] = log === Number.NEGATIVE_INFINITY ? log : scores[item]! + popularity * (log - total)
    }
    const knn = theta[KNN]!
    const last = theta[LATEST]!
    for (let nth = 0; nth < this.touchedCount; nth++) {
      const item = this.touched[nth]!
      scores[item] = scores[item]! + knn * this.#knnLog[item]! + last * this.#lastLog[item]!
    }
    if (!this.#options.repeats) return
    for (let nth = 0; nth < this.#hadCount; nth++) {
      const item = this.#had[nth]!
      scores[item] = this.#evidence(item)
    }
  }

  /** Whether learn() needs the scores to be filled. */
  get isExact(): boolean {
    return this.#items.size <= this.#options.exactItems
  }

  /** One step for the item that came, after look() of its user as of before it; exact: after fillScores() too. */
  learn(item: number): void {
    const n = this.isExact ? this.#allCandidates(item) : this.#drawnCandidates(item)
    if (n < 2) return
    const errors = this.#errors
    let highest = Number.NEGATIVE_INFINITY
    for (let nth = 0; nth < n; nth++) if (errors[nth]! > highest) highest = errors[nth]!
    let sum = 0
    for (let nth = 0; nth < n; nth++) {
      errors[nth] = Math.exp(errors[nth]! - highest)
      sum += errors[nth]!
    }
    const gradient = this.#thetaGradient.fill(0)
    for (let nth = 0; nth < n; nth++) {
      const candidate = this.#candidates[nth]!
      const error = errors[nth]! / sum - (candidate === item ? 1 : 0)
      if (error < LEAST_ERROR && error > -LEAST_ERROR) continue
      const base = this.#isRepeat(candidate) ? HAD : 0
      gradient[base + KNN] = gradient[base + KNN]! + error * this.#knnLog[candidate]!
      gradient[base + LATEST] = gradient[base + LATEST]! + error * this.#lastLog[candidate]!
      const popularity = this.#items.logPopularity[candidate]! - this.#items.logTotal
      gradient[base + POPULARITY] = gradient[base + POPULARITY]! + error * popularity
      if (base === HAD) {
        gradient[OWN] = gradient[OWN]! + error * this.#ownLog[candidate]!
        gradient[HAD_AT_ALL] = gradient[HAD_AT_ALL]! + error
        gradient[TIMES] = gradient[TIMES]! + error * this.#timesLog[candidate]!
        gradient[LATELY] = gradient[LATELY]! + error * this.#latelyLog[candidate]!
      } else this.association.pull(candidate, error)
    }
    this.association.push()
    for (let feature = 0; feature < gradient.length; feature++) {
      const slope = gradient[feature]!
      this.#thetaSquares[feature] = this.#thetaSquares[feature]! + slope * slope
      this.theta[feature] = this.theta[feature]! - (THETA_RATE * slope) / Math.sqrt(this.#thetaSquares[feature]!)
    }
  }

  /** Makes room for items up to this number. */
  reserve(items: number): void {
    if (this.scores.length >= items) return
    const capacity = Math.max(1024, items, this.scores.length * 2)
    const wider = () => new Float64Array(capacity)
    this.#clear()
    this.scores = wider()
    this.knn = wider()
    this.last = wider()
    this.own = wider()
    this.#knnLog = wider()
    this.#lastLog = wider()
    this.#ownLog = wider()
    this.#timesLog = wider()
    this.#latelyLog = wider()
    this.#errors = wider()
    this.touched = new Int32Array(capacity)
    this.#had = new Int32Array(capacity)
    this.#hadIn = new Int32Array(capacity)
    this.#cameIn = new Int32Array(capacity)
    this.#candidates = new Int32Array(capacity)
  }

  saveArrays(): PartState['arrays'] {
    return { theta: this.theta, 'theta.squares': this.#thetaSquares, ...this.association.saveArrays() }
  }

  loadArrays(state: LoadedState): void {
    const theta = loadedArray(state, 'theta', Float64Array)
    const squares = loadedArray(state, 'theta.squares', Float64Array)
    if (theta.length !== THETA_START.length || squares.length !== THETA_START.length) {
      throw new MillraceError(
        'CHECKPOINT_INCOMPATIBLE',
        `recommend: the saved next-item model has ${theta.length} θ, this program's has ${THETA_START.length}`,
      )
    }
    this.theta.set(theta)
    this.#thetaSquares.set(squares)
    this.association.loadArrays(state)
  }

  /** Raw sums of co-counts to shares of their total, and their logarithms. */
  #weigh(pairWeight: number): void {
    const { paired } = this.#items
    const { knn, last, touched } = this
    const shrink = SHRINK * pairWeight
    let knnTotal = 0
    let lastTotal = 0
    for (let nth = 0; nth < this.touchedCount; nth++) {
      const item = touched[nth]!
      const popularity = (paired[item]! + shrink) ** -TARGET_POWER
      knn[item] = knn[item]! * popularity
      last[item] = last[item]! * popularity
      knnTotal += knn[item]!
      lastTotal += last[item]!
    }
    for (let nth = 0; nth < this.touchedCount; nth++) {
      const item = touched[nth]!
      this.#knnLog[item] = Math.log(1 + knn[item]! / (knnTotal * SHARE_FLOOR))
      if (last[item]! > 0) this.#lastLog[item] = Math.log(1 + last[item]! / (lastTotal * SHARE_FLOOR))
    }
  }

  /** What the user has had may not come where repeats are off, and not twice in a tick. */
  #mayCome(item: number): boolean {
    return !this.hasHad(item) || (this.#options.repeats && this.#cameIn[item] !== this.#look)
  }

  /** Logits of all that may come, and of what did. */
  #allCandidates(item: number): number {
    const { scores } = this
    const { length } = this.#items
    let n = 0
    for (let candidate = 0; candidate < length; candidate++) {
      if (scores[candidate]! === Number.NEGATIVE_INFINITY) continue
      if (candidate !== item && !this.#mayCome(candidate)) continue
      this.#candidates[n] = candidate
      this.#errors[n++] = scores[candidate]!
    }
    return n
  }

  /** The item and `negatives` draws by popularity, with logits that leave log n_j out. */
  #drawnCandidates(item: number): number {
    let n = 0
    this.#candidates[n] = item
    this.#errors[n++] = this.#withoutPopularity(item)
    for (let draw = 0; draw < this.#options.negatives; draw++) {
      const candidate = this.drawByPopularity(this.#random)
      if (candidate < 0 || candidate === item || !this.#mayCome(candidate)) continue
      this.#candidates[n] = candidate
      this.#errors[n++] = this.#withoutPopularity(candidate)
    }
    return n
  }

  /** An item that a recent event had; set by the owner of the events. -1 = none. */
  drawByPopularity: (random: Random) => number = () => -1

  #withoutPopularity(item: number): number {
    const popularity = this.#items.logPopularity[item]! - this.#items.logTotal
    return this.#evidence(item) + (this.#isRepeat(item) ? 0 : this.association.logit(item)) - popularity
  }

  #isRepeat(item: number): boolean {
    return this.#options.repeats && this.hasHad(item)
  }

  /** What θ makes of the evidence, without the association. */
  #evidence(item: number): number {
    const { theta } = this
    const isRepeat = this.#isRepeat(item)
    const base = isRepeat ? HAD : 0
    const popularity = this.#items.logPopularity[item]! - this.#items.logTotal
    const found =
      theta[base + KNN]! * this.#knnLog[item]! +
      theta[base + LATEST]! * this.#lastLog[item]! +
      theta[base + POPULARITY]! * popularity
    if (!isRepeat) return found
    return (
      found +
      theta[OWN]! * this.#ownLog[item]! +
      theta[HAD_AT_ALL]! +
      theta[TIMES]! * this.#timesLog[item]! +
      theta[LATELY]! * this.#latelyLog[item]!
    )
  }

  #clear(): void {
    for (let nth = 0; nth < this.touchedCount; nth++) {
      const item = this.touched[nth]!
      this.knn[item] = this.last[item] = this.#knnLog[item] = this.#lastLog[item] = 0
    }
    for (let nth = 0; nth < this.#hadCount; nth++) {
      const item = this.#had[nth]!
      this.own[item] = this.#ownLog[item] = this.#timesLog[item] = this.#latelyLog[item] = 0
    }
    this.touchedCount = 0
    this.#hadCount = 0
  }
}
