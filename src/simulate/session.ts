/**
 * One visit: pages of items, looks, clicks; what is bought later and rated later still. Everything that the visit will
 * ever cause is drawn here, at once, with the probabilities as of each page, and handed over as scheduled records; so
 * the true probability of every impression is known exactly when it is shown.
 */
import { partitionOf } from '../std/murmur2.js'
import type { Random } from '../std/random.js'
import { BUY_DELAY, BUY_WINDOW_MS, buyWithinWindow, judge, type Look, stars } from './behaviour.js'
import { CATEGORIES, type Catalogue, itemId } from './catalogue.js'
import { exponential, geometric, logNormal } from './draw.js'
import { type Population, userId } from './population.js'
import { type Entry, type Scheduled, userProfile } from './records.js'

const PAGE_ITEMS = 6
const MORE_PAGES = 0.55
const DAY_MS = 86_400_000
/** Share of buys that get a rating. */
const RATED = 0.25

interface Fate {
  buyMs: number
  withinWindow: boolean
  rateMs: number
  stars: number
}

const NOTHING: Fate = {
  buyMs: Number.POSITIVE_INFINITY,
  withinWindow: false,
  rateMs: Number.POSITIVE_INFINITY,
  stars: 0,
}

export interface SessionMaker {
  /** Appends the records of a visit that starts now (milliseconds since the start of the log) to `into`. */
  visit(nowMs: number, into: Scheduled[]): void
}

export interface SessionDeps {
  random: Random
  /** Puts pages into a random order; draws of its own, so that nothing else is drawn differently because of it. */
  shuffle: { random: Random; share: number }
  users: Population
  items: Catalogue
  partitions: number
  startMs: number
  durationMs: number
  /** Called for every impression with its true probabilities and what will have come of it. */
  onImpression(
    eventId: string,
    truth: { click: number; buy: number },
    outcome: { clicked: boolean; bought: boolean },
  ): void
}

export function createSessionMaker(deps: SessionDeps): SessionMaker {
  const { random, users, items, startMs, durationMs } = deps
  const look: Look = { click: 0, buyIfClicked: 0 }
  const page: number[] = []
  let eventCount = 0
  let requestCount = 0

  return { visit }

  function visit(nowMs: number, into: Scheduled[]): void {
    const user = users.draw(random, nowMs)
    const id = userId(user)
    const partition = partitionOf(id, deps.partitions)
    const bot = users.bot[user] === 1
    const mobile = random.uniform() < 0.55
    const device = mobile ? 'mobile' : 'desktop'
    const schedule = (entry: Entry) => into.push({ ...entry, arrivalMs: entry.record.eventTime, partition })
    const stamp = (kind: string, atMs: number) => ({
      eventId: `${kind}${eventCount++}`,
      eventTime: Math.round(startMs + atMs),
    })
    users.drift(random, user, nowMs)
    // One visit in fifty brings a new profile: people move.
    const moves = users.registered[user] === 1 && random.uniform() < 0.02
    if (moves) users.city[user] = random.integer(20)
    if (moves || users.registered[user] === 0) schedule(userProfile(users, user, stamp('u', nowMs)))
    users.registered[user] = 1

    let atMs = nowMs + 200
    if (random.uniform() < 0.05) {
      fillPage(user, 20)
      const request = { ...stamp('s', atMs), requestId: `q${requestCount++}`, user: id }
      // One in four asks for the best of the whole catalogue.
      const candidates = requestCount % 4 === 0 ? [] : page.map(itemId)
      schedule({ kind: 'score-request', record: { ...request, candidates, context: { device } } })
      atMs += 100
    }
    const pages = geometric(random, MORE_PAGES, 12)
    for (let number = 0; number < pages && atMs < durationMs; number++) {
      const context: Record<string, string> = { device, page: number === 0 ? 'home' : 'browse' }
      const requestId = `r${requestCount++}`
      fillPage(user, PAGE_ITEMS)
      if (explores()) context.propensity = String(1 / page.length)
      let doneMs = atMs + exponential(random, 8000)
      let lastClicked = -1
      for (let position = 1; position <= page.length; position++) {
        const item = page[position - 1] ?? 0
        const shownMs = atMs + position * 40
        judge(look, { users, items }, user, item, { atMs, position, mobile })
        const impression = stamp('i', shownMs)
        const of = { user: id, item: itemId(item), requestId, context }
        schedule({ kind: 'impression', record: { ...impression, ...of, position } })
        const clicked = random.uniform() < look.click
        let bought = false
        if (clicked) {
          const clickMs = shownMs + logNormal(random, 4000, 0.8)
          const click = (when: number) => {
            if (when < durationMs) schedule({ kind: 'click', record: { ...stamp('c', when), ...of } })
          }
          click(clickMs)
          doneMs = Math.max(doneMs, clickMs + exponential(random, 5000))
          if (bot)
            for (let again = 1 + random.integer(4); again > 0; again--)
              click(clickMs + again * (50 + random.integer(400)))
          else {
            const fate = fateOf(user, item, shownMs, clickMs)
            bought = fate.withinWindow
            if (fate.buyMs < durationMs)
              schedule({ kind: 'buy', record: { ...stamp('b', fate.buyMs), ...of, value: items.price[item] ?? 1 } })
            if (fate.rateMs < durationMs)
              schedule({ kind: 'rating', record: { ...stamp('t', fate.rateMs), ...of, value: fate.stars } })
          }
        }
        deps.onImpression(impression.eventId, { click: look.click, buy: buyWithinWindow(look) }, { clicked, bought })
        if (clicked) lastClicked = item
      }
      // What was clicked here is what the user is after on the next page; within a page every look is independent.
      if (lastClicked >= 0) users.clicked(user, items.category[lastClicked] ?? 0, doneMs)
      atMs = doneMs + 1000
    }
  }

  /** Every order of the page is as probable as any other; false: it was left as it is. */
  function explores(): boolean {
    const { random, share } = deps.shuffle
    if (share === 0 || random.uniform() >= share) return false
    random.shuffle(page)
    return true
  }

  /** When a clicked item is bought and rated; Infinity = never. `look` still holds this impression's probabilities. */
  function fateOf(user: number, item: number, shownMs: number, clickMs: number): Fate {
    if (random.uniform() >= look.buyIfClicked) return NOTHING
    const delayMs = logNormal(random, BUY_DELAY.medianMs, BUY_DELAY.sigma)
    // The delay counts from the impression, so that the window's probability is exact; nobody buys before the click.
    const buyMs = Math.max(shownMs + delayMs, clickMs + 1000)
    const rated = random.uniform() < RATED
    return {
      buyMs,
      withinWindow: delayMs <= BUY_WINDOW_MS,
      rateMs: rated ? buyMs + logNormal(random, 3 * DAY_MS, 0.7) : Number.POSITIVE_INFINITY,
      stars: rated ? stars(users.affinity(user, items, item), items.quality[item] ?? 0, random.normal()) : 0,
    }
  }

  /** Half of a page is from what the user is after, the rest is by popularity or by chance, so that everything is seen by someone. */
  function fillPage(user: number, length: number): void {
    page.length = 0
    const wanted = wantedCategory(user)
    for (let tries = 0; page.length < length && tries < length * 4; tries++) {
      const draw = random.uniform()
      const item =
        draw < 0.4
          ? items.drawPopular(random, wanted)
          : draw < 0.75
            ? items.drawPopular(random, items.category[random.integer(items.arrived)] ?? 0)
            : random.integer(items.arrived)
      if (!page.includes(item)) page.push(item)
    }
  }

  /** The category of the better of three random items, to the user's taste: a cheap softmax. */
  function wantedCategory(user: number): number {
    let best = random.integer(items.arrived)
    for (let n = 0; n < 2; n++) {
      const other = random.integer(items.arrived)
      if (users.affinity(user, items, other) > users.affinity(user, items, best)) best = other
    }
    return items.category[best] ?? random.integer(CATEGORIES)
  }
}
