/**
 * Pages in a random order. What a model shows decides what it learns from next; a share of the pages whose order was drawn,
 * with a known probability, says what another order would have got (docs/evaluation.md, "The value of another order").
 */
import { MillraceError } from '../domain/errors.js'
import { Hasher } from '../std/hash.js'
import { Random } from '../std/random.js'

export interface Exploration {
  /** Names the page, as `requestId` of its impressions will. It decides what is drawn: the same page has the same order. */
  page: string
  /** Of the pages, from 0 to 1, that are put into a random order. */
  share: number
  /** So many items, the best ones, are on the page and change places among each other. Default: all. */
  places?: number | undefined
}

export interface Explored {
  places: number
  /** That an item of the page stands in its place: for `context.propensity` of its impressions. */
  propensity: number
}

/** Puts the items of the page into an order that is drawn evenly from all of them, or leaves them as they are: undefined. */
export function explorePage(
  items: unknown[],
  { page, share, places = items.length }: Exploration,
): Explored | undefined {
  if (!(share >= 0 && share <= 1))
    throw new MillraceError('REQUEST_INVALID', `explore.share is ${share}, not a share from 0 to 1`)
  const hasher = new Hasher()
  hasher.text(page)
  const random = new Random(hasher.lo ^ hasher.hi)
  const shown = Math.min(places, items.length)
  if (random.uniform() >= share || shown < 2) return undefined
  random.shuffle(items, shown)
  return { places: shown, propensity: 1 / shown }
}
