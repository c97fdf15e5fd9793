/**
 * Who shops. All users of the whole log are drawn at the start, in order of arrival, into typed arrays. A user has a
 * taste in the items' space, part of which drifts (an Ornstein–Uhlenbeck process around a fixed part: old clicks become
 * worse evidence), a sensitivity to price, a favourite brand, and an activity from a heavy-tailed distribution. Some
 * users are bots: they look at everything and click at a high rate, and nothing about their profile says so.
 */
import type { Random } from '../std/random.js'
import { AXES, type Catalogue } from './catalogue.js'
import { drawByWeight, logNormal } from './draw.js'

/** Of the variance of taste, this share drifts. */
const DRIFTING = 0.35
const DRIFT_MS = 20 * 86_400_000
const BOT_ACTIVITY = 2
/** In logits. */
const MORE_CLICKS = 0.8

export class Population {
  readonly size: number
  readonly arrivalMs: Float64Array
  readonly bot: Uint8Array
  readonly clickiness: Float32Array
  readonly priceSensitivity: Float32Array
  readonly favouriteBrand: Uint8Array
  /** Recent interest: what was clicked last, and when. -1 = nothing yet. */
  readonly lastCategory: Int8Array
  readonly lastClickMs: Float64Array
  readonly registered: Uint8Array
  readonly age: Uint8Array
  readonly city: Uint8Array
  readonly gender: Uint8Array
  readonly #fixed: Float32Array
  readonly #drifted: Float32Array
  readonly #driftedAtMs: Float64Array
  readonly #activity: Float64Array
  #arrived = 0

  constructor(random: Random, sizes: { initial: number; later: number; durationMs: number; bots: number }) {
    const size = sizes.initial + sizes.later
    this.size = size
    this.arrivalMs = new Float64Array(size)
    this.bot = new Uint8Array(size)
    this.clickiness = new Float32Array(size)
    this.priceSensitivity = new Float32Array(size)
    this.favouriteBrand = new Uint8Array(size)
    this.lastCategory = new Int8Array(size).fill(-1)
    this.lastClickMs = new Float64Array(size)
    this.registered = new Uint8Array(size)
    this.age = new Uint8Array(size)
    this.city = new Uint8Array(size)
    this.gender = new Uint8Array(size)
    this.#fixed = new Float32Array(size * AXES)
    this.#drifted = new Float32Array(size * AXES)
    this.#driftedAtMs = new Float64Array(size)
    this.#activity = new Float64Array(size)
    const later = Array.from({ length: sizes.later }, () => random.uniform() * sizes.durationMs).sort((a, b) => a - b)
    this.arrivalMs.set(later, sizes.initial)
    let activity = 0
    for (let user = 0; user < size; user++) {
      const bot = random.uniform() < sizes.bots
      this.bot[user] = bot ? 1 : 0
      const young = random.normal()
      this.age[user] = Math.min(90, Math.max(16, Math.round(38 - 11 * young)))
      // Young people have less money.
      this.priceSensitivity[user] = Math.exp(-1.1 + 0.35 * young + 0.5 * random.normal())
      this.city[user] = Math.floor(20 * random.uniform() ** 2)
      this.gender[user] = random.integer(3)
      this.clickiness[user] = 0.3 * random.normal()
      this.favouriteBrand[user] = random.integer(40)
      for (let axis = 0; axis < AXES; axis++) {
        // Gender and city shift one axis each, so that profiles help with users who are new.
        const shift =
          axis === 0 ? 0.6 * ((this.gender[user] ?? 0) - 1) : axis === 1 ? 0.1 * ((this.city[user] ?? 0) - 6) : 0
        this.#fixed[user * AXES + axis] = Math.sqrt(1 - DRIFTING) * random.normal() + shift
        this.#drifted[user * AXES + axis] = Math.sqrt(DRIFTING) * random.normal()
      }
      activity += bot ? BOT_ACTIVITY : Math.min(12, logNormal(random, 0.7, 0.9))
      this.#activity[user] = activity
    }
  }

  get arrived(): number {
    return this.#arrived
  }

  /** Who comes next, among those who have arrived. */
  draw(random: Random, nowMs: number): number {
    while (this.#arrived < this.size && (this.arrivalMs[this.#arrived] ?? 0) <= nowMs) this.#arrived++
    return drawByWeight(random, this.#activity, Math.max(1, this.#arrived))
  }

  /** Moves the drifting part of a user's taste on to now. */
  drift(random: Random, user: number, nowMs: number): void {
    const keep = Math.exp(-(nowMs - (this.#driftedAtMs[user] ?? 0)) / DRIFT_MS)
    const spread = Math.sqrt(DRIFTING * (1 - keep * keep))
    this.#driftedAtMs[user] = nowMs
    for (let at = user * AXES; at < (user + 1) * AXES; at++) {
      this.#drifted[at] = (this.#drifted[at] ?? 0) * keep + spread * random.normal()
    }
  }

  /** Everybody takes over the lasting taste of somebody else, and clicks more. */
  exchangeTastes(): void {
    const half = Math.floor(this.size / 2) * AXES
    const moved = new Float32Array(this.#fixed.length)
    moved.set(this.#fixed.subarray(half))
    moved.set(this.#fixed.subarray(0, half), this.#fixed.length - half)
    this.#fixed.set(moved)
    for (let user = 0; user < this.size; user++) this.clickiness[user] = (this.clickiness[user] ?? 0) + MORE_CLICKS
  }

  /** taste · item */
  affinity(user: number, catalogue: Catalogue, item: number): number {
    let sum = 0
    for (let axis = 0; axis < AXES; axis++) {
      const at = user * AXES + axis
      sum += ((this.#fixed[at] ?? 0) + (this.#drifted[at] ?? 0)) * (catalogue.latent[item * AXES + axis] ?? 0)
    }
    return sum
  }

  clicked(user: number, category: number, nowMs: number): void {
    this.lastCategory[user] = category
    this.lastClickMs[user] = nowMs
  }
}

export function userId(user: number): string {
  return `u${user + 1}`
}

export function genderName(gender: number): string {
  return gender === 0 ? 'f' : gender === 1 ? 'x' : 'm'
}
