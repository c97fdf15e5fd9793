/**
 * Where the item that came would have stood in a list of the whole catalogue, by the model and by the simple rankers
 * that it has to beat. Ties are counted against the item; a ranker's own scores fall back on popularity where it has
 * nothing to say, so that its ties are not arbitrary.
 */
import type { Bpr } from './bpr.kernel.js'
import type { Items } from './items.kernel.js'
import type { NextItem } from './next-item.kernel.js'

export const RANKERS = ['next-item', 'popularity', 'last-item', 'item-knn', 'own-history', 'bpr'] as const
export type Ranker = (typeof RANKERS)[number]

/** Far below every share that means something. */
const TIE_BREAK = 1e-9

export class Rankers {
  readonly #items: Items
  readonly #model: NextItem
  readonly #bpr: Bpr | undefined
  #scores = new Float64Array(0)

  constructor(items: Items, model: NextItem, bpr: Bpr | undefined) {
    this.#items = items
    this.#model = model
    this.#bpr = bpr
  }

  /**
   * The scores that rank the catalogue; the model is looked at the user, for 'next-item' its scores are filled. user: her
   * row, -1 = not known.
   */
  scoresOf(ranker: Ranker, user: number): Float64Array {
    const model = this.#model
    if (ranker === 'next-item') return model.scores
    const { length, popularity } = this.#items
    if (this.#scores.length < model.scores.length) this.#scores = new Float64Array(model.scores.length)
    const scores = this.#scores
    for (let item = 0; item < length; item++) {
      scores[item] = popularity[item] === 0 ? Number.NEGATIVE_INFINITY : TIE_BREAK * popularity[item]!
    }
    const evidence = {
      'last-item': model.last,
      'item-knn': model.knn,
      'own-history': model.own,
      popularity: undefined,
      bpr: undefined,
    }[ranker]
    if (ranker === 'bpr') this.#bpr?.fill(user, length, scores)
    if (evidence === undefined) return scores
    for (let item = 0; item < length; item++) if (evidence[item]! > 0) scores[item] = scores[item]! + evidence[item]!
    return scores
  }

  /** 1 = first. withHad: items that the user has had are in the list. */
  rank(scores: Float64Array, target: number, withHad: boolean): number {
    const { length } = this.#items
    const bar = scores[target]!
    let rank = 1
    for (let item = 0; item < length; item++) {
      if (scores[item]! >= bar && item !== target && (withHad || !this.#model.hasHad(item))) rank++
    }
    return rank
  }
}
