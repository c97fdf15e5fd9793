/**
 * What another order of the same pages would have been worth, from a log whose places were drawn with known probability:
 * each page by the model's rank score, best first, from the scores made on arrival. The value is reward per impression.
 *
 * Assumed is that what becomes of an item depends on its place and not on its neighbours (the item-position model of Li,
 * Abbasi-Yadkori, Kveton, Muthukrishnan, Vinay & Wen 2018, Offline evaluation of ranking policies with click models).
 * With w = 1 / propensity where the new order puts the item where it stood, else 0:
 *
 *   IPS    Σ w r / n                     Horvitz & Thompson 1952; unbiased, wide
 *   SNIPS  Σ w r / Σ w                   Swaminathan & Joachims 2015; narrower, biased by O(1/n)
 *   DR     Σ (q(new place) + w (r − q(old place))) / n      Dudík, Langford & Li 2011; unbiased whatever q is
 *
 * q = the model's probability × how much more a place is clicked than all are, both known before the label was: so the
 * estimate is cross-fitted by construction. Intervals: the Poisson bootstrap of sampling/.
 *
 * An estimate is refused, in a sentence, where the log can not carry it: see `refusal`.
 */
import { REPLICATES } from '../sampling/blocks.js'
import { PoissonWeights } from '../sampling/poisson-weights.kernel.js'
import { ReplicatedSums } from '../sampling/replicated-sums.kernel.js'
import type { Shown } from './pages.js'

/** Impressions that the agreeing ones must be worth, (Σ w)² / Σ w² (Kong 1992), and rewards among them. */
const LEAST_EFFECTIVE = 500
const LEAST_REWARDS = 30
/** Weights average 1 if the propensities are true; so far off, and so many standard errors, is too much. */
const WEIGHT_ERROR = 0.05
const WEIGHT_ERRORS = 4
/** Imagined impressions of the mean rate in every place. */
const PLACE_PRIOR = 50
const PLACES = 256

export type Estimator = 'logged' | 'ips' | 'snips' | 'dr' | 'gain'

export interface Estimate {
  value: number
  low: number
  high: number
}

export interface PolicyFindings {
  /** Task whose label is the reward. */
  reward: string
  pages: number
  impressions: number
  /** What the impressions in which both orders agree are worth. */
  effective: number
  /** Mean of the weights; 1 if the propensities are true. */
  meanWeight: number
  /** Why there is no estimate. */
  refused?: string
  /** logged: what the log got. gain: DR minus that. */
  values?: Record<Estimator, Estimate>
}

/** Sums: impressions, rewards, w, w r, DR terms. */
const N = 0
const R = 1
const W = 2
const WR = 3
const DR = 4
const SUMS = 5

export class OffPolicy {
  readonly #poisson = new PoissonWeights(REPLICATES)
  readonly #replicated = new ReplicatedSums(SUMS, 0, REPLICATES)
  readonly #sums = new Float64Array(SUMS)
  readonly #term = new Float64Array(SUMS)
  /** Impressions and rewards by place, of pages before. */
  readonly #shown = new Float64Array(PLACES)
  readonly #rewards = new Float64Array(PLACES)
  #allShown = 0
  #allRewards = 0
  #squares = 0
  #agreeingRewards = 0
  #pages = 0

  /** lo, hi: the block that is resampled: the user, or the day. counts: from evaluate.after on. */
  add(page: readonly Shown[], lo: number, hi: number, counts: boolean): void {
    if (page.length > 1 && counts) this.#estimate(page, lo, hi)
    for (const { position, reward } of page) {
      const place = Math.min(position, PLACES - 1)
      this.#shown[place] = (this.#shown[place] ?? 0) + 1
      this.#rewards[place] = (this.#rewards[place] ?? 0) + reward
      this.#allShown++
      this.#allRewards += reward
    }
  }

  /** placed, unusable: of pages.ts. */
  result(reward: string, { placed, unusable }: { placed: number; unusable: number }): PolicyFindings {
    const sums = this.#sums
    const of = (sum: number) => sums[sum] ?? 0
    const effective = this.#squares === 0 ? 0 : of(W) ** 2 / this.#squares
    const meanWeight = of(N) === 0 ? 0 : of(W) / of(N)
    const findings = { reward, pages: this.#pages, impressions: of(N), effective, meanWeight }
    const all = Array.from({ length: REPLICATES }, (_, replicate) => {
      const own = new Float64Array(SUMS)
      this.#replicated.copy(replicate, own)
      return own
    })
    const refused = this.#refusal(findings, all, { placed, unusable })
    if (refused !== undefined) return { ...findings, refused }
    const estimate = (name: Estimator): Estimate => {
      const [low, high] = middle(all.map(own => valueBy(name, own)))
      return { value: valueBy(name, sums), low, high }
    }
    const [logged, ips, snips, dr, gain] = (['logged', 'ips', 'snips', 'dr', 'gain'] as const).map(estimate)
    return { ...findings, values: { logged, ips, snips, dr, gain } as Record<Estimator, Estimate> }
  }

  #estimate(page: readonly Shown[], lo: number, hi: number): void {
    if (page.some(({ propensity }) => propensity === 0)) return
    const places = page.map(({ position }) => position).sort((a, b) => a - b)
    // Two items in one place: not a page that can be put into another order.
    if (new Set(places).size < places.length) return
    const order = [...page].sort((a, b) => b.score - a.score || a.tie - b.tie)
    const term = this.#term.fill(0)
    for (const [index, { position, propensity, expected, reward }] of order.entries()) {
      const place = places[index] ?? 0
      const weight = place === position ? 1 / propensity : 0
      const dr = this.#expected(expected, place) + weight * (reward - this.#expected(expected, position))
      for (const [sum, amount] of [1, reward, weight, weight * reward, dr].entries())
        term[sum] = (term[sum] ?? 0) + amount
      this.#squares += weight * weight
      if (weight > 0) this.#agreeingRewards += reward
    }
    for (let sum = 0; sum < SUMS; sum++) this.#sums[sum] = (this.#sums[sum] ?? 0) + (term[sum] ?? 0)
    this.#replicated.add(term, -1, this.#poisson.of(lo, hi))
    this.#pages++
  }

  /** Probability of the reward in that place. */
  #expected(probability: number, position: number): number {
    const mean = this.#allRewards / this.#allShown
    if (!(mean > 0)) return probability
    const place = Math.min(position, PLACES - 1)
    const rate = ((this.#rewards[place] ?? 0) + PLACE_PRIOR * mean) / ((this.#shown[place] ?? 0) + PLACE_PRIOR)
    return Math.min(1, probability * (rate / mean))
  }

  #refusal(
    { impressions, effective, meanWeight }: Omit<PolicyFindings, 'reward' | 'pages'>,
    replicates: readonly Float64Array[],
    { placed, unusable }: { placed: number; unusable: number },
  ): string | undefined {
    if (placed === 0)
      return 'No impression says its page and its place (requestId, position), so no order can be judged.'
    if (unusable === placed)
      return `No impression has a propensity between 0 and 1 in its context: the log does not say how its order was drawn.`
    if (impressions === 0)
      return 'No page with two impressions or more has all its labels: there is nothing to put into another order.'
    if (effective < LEAST_EFFECTIVE)
      return `Too little overlap: where both orders put an item into the same place, the log is worth ${Math.floor(effective)} impressions; ${LEAST_EFFECTIVE} are the least.`
    if (this.#agreeingRewards < LEAST_REWARDS)
      return `Only ${this.#agreeingRewards} rewards fell where both orders agree; ${LEAST_REWARDS} are the least.`
    const error = spread(replicates.map(own => (own[W] ?? 0) / (own[N] ?? 1)))
    const off = Math.abs(meanWeight - 1)
    if (off > WEIGHT_ERROR && off > WEIGHT_ERRORS * error)
      return `The propensities are not those of this log: weights average ${meanWeight.toFixed(3)} instead of 1.`
    return undefined
  }
}

function valueBy(name: Estimator, sums: Float64Array): number {
  const per = (sum: number, by: number) => (sums[sum] ?? 0) / (sums[by] ?? 0)
  if (name === 'gain') return per(DR, N) - per(R, N)
  if (name === 'snips') return per(WR, W)
  return per({ logged: R, ips: WR, dr: DR }[name], N)
}

function middle(figures: number[]): [low: number, high: number] {
  const sorted = figures.filter(Number.isFinite).sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? Number.NaN
  return [at(0.025), at(0.975)]
}

function spread(figures: readonly number[]): number {
  const mean = figures.reduce((sum, figure) => sum + figure, 0) / figures.length
  return Math.sqrt(figures.reduce((sum, figure) => sum + (figure - mean) ** 2, 0) / figures.length)
}
