/**
 * What people do: the true probabilities.
 *
 *   logit p(click)       = base + a_u + w·(taste_u · item_i) + quality_i − sensitivity_u·price_i + [favourite brand]
 *                          + [clicked this category lately] + trend_c(t) + novelty_i(t) + device − b·ln(position)
 *   logit p(buy | click) = base + w'·(taste_u · item_i) + quality_i − sensitivity_u·price_i + [favourite brand]
 *   buy delay            ~ log-normal, median 10 h; p(buy within 7 d) = p(click)·p(buy | click)·P(delay ≤ 7 d), exactly
 *
 * Chosen so that about 7 % of impressions are clicked, 7 % of clicks bought, and an oracle's click AUC is about .77.
 */
import type { Catalogue } from './catalogue.js'
import { logistic, normalCdf } from './draw.js'
import type { Population } from './population.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
export const BUY_WINDOW_MS = 7 * DAY_MS
export const BUY_DELAY = { medianMs: 10 * HOUR_MS, sigma: 1.7 }
const BUY_IN_TIME = normalCdf(Math.log(BUY_WINDOW_MS / BUY_DELAY.medianMs) / BUY_DELAY.sigma)
const BOT_CLICK = 0.35

export interface Look {
  click: number
  buyIfClicked: number
}

/** Writes into `look`, which the caller reuses: one call an impression. */
export function judge(
  look: Look,
  shop: { users: Population; items: Catalogue },
  user: number,
  item: number,
  shown: { atMs: number; position: number; mobile: boolean },
): void {
  const { users, items } = shop
  if (users.bot[user] === 1) {
    look.click = BOT_CLICK
    look.buyIfClicked = 0
    return
  }
  const category = items.category[item] ?? 0
  const affinity = users.affinity(user, items, item)
  const quality = items.quality[item] ?? 0
  const price = (users.priceSensitivity[user] ?? 0) * (items.priceZ[item] ?? 0)
  const brand = users.favouriteBrand[user] === items.brand[item] ? 1 : 0
  const lately =
    users.lastCategory[user] === category
      ? Math.exp(-(shown.atMs - (users.lastClickMs[user] ?? 0)) / (12 * HOUR_MS))
      : 0
  const trend = Math.sin((2 * Math.PI * shown.atMs) / ((15 + 2 * category) * DAY_MS) + category)
  const novelty =
    Math.exp(-(shown.atMs - (items.arrivalMs[item] ?? 0)) / (3 * DAY_MS)) * ((items.arrivalMs[item] ?? 0) > 0 ? 1 : 0)
  look.click = logistic(
    -3.05 +
      (users.clickiness[user] ?? 0) +
      0.62 * affinity +
      0.4 * quality -
      0.6 * price +
      0.6 * brand +
      0.7 * lately +
      0.3 * trend +
      0.4 * novelty +
      (shown.mobile ? -0.15 : 0.15) -
      0.45 * Math.log(shown.position),
  )
  look.buyIfClicked = logistic(-3.3 + 0.4 * affinity + 0.4 * quality - 0.9 * price + 0.4 * brand)
}

export function buyWithinWindow(look: Look): number {
  return look.click * look.buyIfClicked * BUY_IN_TIME
}

/** Stars: 1 to 5. `noise` is standard normal. */
export function stars(affinity: number, quality: number, noise: number): number {
  return Math.min(5, Math.max(1, Math.round(3.6 + 0.35 * affinity + 0.6 * quality + 0.7 * noise)))
}
