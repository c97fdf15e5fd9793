/** What the recommender's state says beside its lists for users: of items, and of what a user has had. */
import type { CoCounts } from './co-counts.kernel.js'
import type { Histories } from './histories.kernel.js'
import type { Items } from './items.kernel.js'
import { TopN } from './top-n.kernel.js'

/** As the next-item model weighs co-counts: a frequent item is met by chance. */
const TARGET_POWER = 0.75

export interface ScoredItem {
  item: string
  score: number
}

export interface HadItem {
  item: string
  /** Decayed number of times. */
  weight: number
  /** Event time of the last one, to the tick. */
  eventTimeMs: number
}

/** Items that users had beside this one: co-counts over a power of how often an item was met at all, best first. */
export function similarItems(items: Items, coCounts: CoCounts, item: number, count: number): ScoredItem[] {
  const top = new TopN()
  top.begin(count)
  coCounts.forNeighbours(item, (other, weight) => {
    const met = items.paired[other] ?? 0
    if (weight > 0 && met > 0) top.offer(other, weight / met ** TARGET_POWER)
  })
  return listed(top, items)
}

export function popularItems(items: Items, count: number): ScoredItem[] {
  const top = new TopN()
  top.begin(count)
  for (let item = 0; item < items.length; item++) {
    const popularity = items.popularity[item] ?? 0
    if (popularity > 0) top.offer(item, popularity)
  }
  return listed(top, items)
}

/** Newest first. */
export function hadItems(items: Items, histories: Histories, user: number, nowMs: number, count: number): HadItem[] {
  const list: HadItem[] = []
  for (let pair = histories.newest(user); pair >= 0 && list.length < count; pair = histories.older(pair)) {
    const item = items.id(histories.itemOf(pair))
    list.push({ item, weight: histories.weightAt(pair, nowMs), eventTimeMs: histories.timeOf(pair) })
  }
  return list
}

/** Best first. */
export function listed(top: TopN, items: Items): ScoredItem[] {
  top.finish()
  return Array.from({ length: top.size }, (_, nth) => ({
    item: items.id(top.items[nth] ?? 0),
    score: top.scores[nth] ?? 0,
  }))
}
