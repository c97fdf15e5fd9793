/**
 * Pages of impressions whose places were drawn, put together again: what a page showed, where, how probable that was, what
 * the model said, and what came of it. A page is complete when every impression of its request that came is judged.
 *
 * An impression that never is judged (the log ended before) keeps its page open, and the page out of the estimate.
 */
export interface Shown {
  /** 1 = first. */
  position: number
  /** Probability that this item stood in this place, given what the page showed; 0 = the log does not say. */
  propensity: number
  /** Decides between equal scores; must not depend on the place. */
  tie: number
  /** What the new order is by, and the probability of the reward that the model gave. Set when it is judged. */
  score: number
  expected: number
  reward: number
}

interface Page {
  shown: Shown[]
  open: number
}

export interface Placed {
  requestId: string | null
  position: number | null
  context: Record<string, string> | null
}

export class Pages {
  readonly #key: string
  readonly #onPage: (shown: readonly Shown[]) => void
  readonly #pages = new Map<string, Page>()
  readonly #byRow = new Map<number, { page: Page; requestId: string; shown: Shown }>()
  /** Impressions with a place in a page, and those of them without a usable propensity. */
  placed = 0
  unusable = 0

  /** key: of the context, where the propensity stands. */
  constructor(key: string, onPage: (shown: readonly Shown[]) => void) {
    this.#key = key
    this.#onPage = onPage
  }

  arrive(row: number, { requestId, position, context }: Placed, tie: number): void {
    this.#byRow.delete(row)
    if (requestId === null || position === null) return
    const propensity = Number(context?.[this.#key] ?? Number.NaN)
    this.placed++
    const isUsable = propensity > 0 && propensity <= 1
    if (!isUsable) this.unusable++
    let page = this.#pages.get(requestId)
    if (page === undefined) {
      page = { shown: [], open: 0 }
      this.#pages.set(requestId, page)
    }
    const shown = { position, propensity: isUsable ? propensity : 0, tie, score: 0, expected: 0, reward: 0 }
    page.shown.push(shown)
    page.open++
    this.#byRow.set(row, { page, requestId, shown })
  }

  judged(row: number, score: number, expected: number, reward: number): void {
    const found = this.#byRow.get(row)
    if (found === undefined) return
    this.#byRow.delete(row)
    Object.assign(found.shown, { score, expected, reward })
    if (--found.page.open > 0) return
    this.#pages.delete(found.requestId)
    this.#onPage(found.page.shown)
  }
}
