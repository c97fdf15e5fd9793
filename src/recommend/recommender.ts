/**
 * Top-N over the whole catalogue, learned from the stream: what users had (clicks, buys, ratings) moves co-counts,
 * histories, popularity and the next-item model. Lives on the main thread, in the order of the log, so that an answer
 * to a score request is by exactly the events before it.
 *
 * Positives of one tick are ranked before any of them is learned, each pair of user and item once a tick: what is judged
 * was never seen. A tick ends with the first event of a later one.
 *
 * Memory is bounded by maxItems, neighbours and maxPairs; nothing is allocated per event. State is a function of the
 * events alone and is saved whole.
 *
 * It is published as a log: a full version is the state, a delta the positives that counted, and who was erased, since. A follower repeats
 * them and has what the learner has; between versions it answers without learning, by top().
 */
import type { Config } from '../config/schema.js'
import type { Id, Positive, TimedEvent } from '../domain/event.js'
import type { Json, LoadedState, PartState, PublishedState, SnapshotKind, Stateful } from '../domain/state.js'
import { Decay } from '../std/decay.js'
import type { Hasher } from '../std/hash.js'
import { Random } from '../std/random.js'
import { Bpr } from './bpr.kernel.js'
import { CoCounts } from './co-counts.kernel.js'
import { Histories } from './histories.kernel.js'
import { Items } from './items.kernel.js'
import { type HadItem, hadItems, listed, popularItems, type ScoredItem, similarItems } from './lists.js'
import { NextItem } from './next-item.kernel.js'
import { Pending } from './pending.js'
import { ENTRY_WORDS, PositiveLog, readEntries } from './positive-log.kernel.js'
import { RANKERS, type Ranker, Rankers } from './rankers.kernel.js'
import { RecentDraws } from './recent-draws.kernel.js'
import { RecentUsers } from './recent-users.js'
import { TopN } from './top-n.kernel.js'

export type RecommendConfig = NonNullable<Config['recommend']>

/** all: over the whole list. new, repeated: whether the user had the item before; new is over what the user had not. */
type RankSplit = 'all' | 'new' | 'repeated'

interface JudgedRank {
  ranker: Ranker
  split: RankSplit
  /** 1 = first; Infinity = the item was not in the catalogue. */
  rank: number
  /** Hash of the user. */
  lo: number
  hi: number
  eventTimeMs: number
}

export type OnRank = (judged: JudgedRank) => void

/** A new pair counts with so many of the user's recent items, each one back a little less. */
const PAIR_WINDOW = 50
const PAIR_RECENCY = 0.95

export interface TopOptions {
  count: number
  /** Whether items that the user has had are in the list. Default: as configured. */
  repeats?: boolean
  /** Whether an item may be in the list. */
  accept?(item: Id): boolean
}

export class Recommender implements Stateful {
  readonly #config: RecommendConfig
  readonly #hasher: Hasher
  readonly #onRank: OnRank | undefined
  readonly #random: Random
  readonly #items: Items
  readonly #coCounts: CoCounts
  readonly #histories: Histories
  readonly #recent: RecentDraws
  readonly #recentUsers: RecentUsers
  readonly #model: NextItem
  readonly #rankers: Rankers
  /** A baseline: only where it is judged. */
  readonly #bpr: Bpr | undefined
  readonly #pending: Pending
  readonly #top = new TopN()
  readonly #popularityDecay: Decay
  readonly #pairDecay: Decay
  #tick = Number.NEGATIVE_INFINITY
  /** Whom the model was looked at for, as of how many learned positives: the same again costs nothing. */
  #looked = { lo: 0, hi: 0, learned: -1, tick: 0, filled: false }
  #learned = 0
  #positives = 0
  /** What deltas are made of; undefined: nobody publishes any, or this one follows. */
  readonly #log: PositiveLog | undefined

  constructor(config: RecommendConfig, hasher: Hasher, seed: number, onRank?: OnRank, tracksChanges = false) {
    this.#log = tracksChanges ? new PositiveLog() : undefined
    this.#config = config
    this.#hasher = hasher
    this.#onRank = onRank
    this.#random = new Random(seed)
    this.#items = new Items(config.maxItems)
    this.#coCounts = new CoCounts(config.neighbours)
    this.#histories = new Histories(config.maxPairs, config.halfLife.history)
    this.#recent = new RecentDraws()
    this.#recentUsers = new RecentUsers(config.sampleUsers)
    this.#model = new NextItem(config, {
      items: this.#items,
      coCounts: this.#coCounts,
      histories: this.#histories,
      random: this.#random,
    })
    this.#model.drawByPopularity = random => this.#recent.draw(random)
    this.#model.reserve(1)
    this.#bpr = config.baselines && config.judgeEvery > 0 && onRank !== undefined ? new Bpr(seed) : undefined
    this.#rankers = new Rankers(this.#items, this.#model, this.#bpr)
    this.#pending = new Pending(hasher)
    this.#popularityDecay = new Decay(config.halfLife.popularity)
    this.#pairDecay = new Decay(config.halfLife.pairs)
  }

  /** Every event that counts, in the order of the log. */
  observe(event: TimedEvent): void {
    this.#advance(event.eventTimeMs)
    if (event.kind === 'click' || event.kind === 'buy' || event.kind === 'rating') {
      if (this.#config.events.includes(event.kind)) this.#positive(event)
    }
  }

  /**
   * Forgets what a user had, also what is still to be learned of it. What others share stays: co-counts, popularity and the
   * next-item model. Returns how many pairs of user and item were forgotten.
   */
  erase(user: Id): number {
    this.#recentUsers.erase(user)
    this.#hasher.text(user)
    const { lo, hi } = this.#hasher
    const erased = this.#erase(lo, hi)
    if (erased > 0) this.#log?.erase(lo, hi, this.#tick)
    return erased
  }

  /** The best of the catalogue for the user as of now, best first. */
  recommend(user: Id, eventTimeMs: number, count = this.candidates): ScoredItem[] {
    this.#advance(eventTimeMs)
    // A late request is answered as of the tick that is under way.
    return this.top(user, Math.max(eventTimeMs, this.#nowMs), { count })
  }

  /** The same by what has been learned so far, whatever is pending: changes nothing. */
  top(user: Id, eventTimeMs: number, { count, repeats = this.#config.repeats, accept }: TopOptions): ScoredItem[] {
    // Looking sets the time that weights are relative to, which is for the first positive to do.
    if (this.#items.size === 0) return []
    this.#hasher.text(user)
    this.#lookAt(this.#hasher.lo, this.#hasher.hi, true, this.#tickOf(eventTimeMs))
    const { scores } = this.#model
    const top = this.#top
    top.begin(count)
    for (let item = 0; item < this.#items.length; item++) {
      const score = scores[item] ?? 0
      if (score < top.bar || score === Number.NEGATIVE_INFINITY) continue
      if (!repeats && this.#model.hasHad(item)) continue
      if (accept !== undefined && !accept(this.#items.id(item))) continue
      top.offer(item, score)
    }
    return listed(top, this.#items)
  }

  /** Items that users had beside this one, best first; undefined: nobody had it. */
  similar(item: Id, count: number): ScoredItem[] | undefined {
    const known = this.#items.find(item)
    return known < 0 ? undefined : similarItems(this.#items, this.#coCounts, known, count)
  }

  popular(count: number): ScoredItem[] {
    return popularItems(this.#items, count)
  }

  /** Some who had something lately, the last one first. */
  users(count: number): Id[] {
    return this.#recentUsers.list(count)
  }

  /** What the user has had, newest first. */
  had(user: Id, eventTimeMs: number, count: number): HadItem[] {
    this.#hasher.text(user)
    const row = this.#histories.userRow(this.#hasher.lo, this.#hasher.hi)
    return hadItems(this.#items, this.#histories, row, this.#tickOf(eventTimeMs) * this.#config.tick, count)
  }

  publish(kind: SnapshotKind): PublishedState {
    const log = this.#log
    const encoding = 'cells'
    if (log === undefined) {
      return { form: 'whole', encoding, state: this.#saveModel(), rows: 0, changed: 0, removed: 0 }
    }
    const digest = log.digest.text
    const changed = kind === 'full' ? 0 : log.length
    const entries = log.take()
    if (kind === 'full') {
      const { meta, arrays } = this.#saveModel()
      const state = { meta: { ...meta, digest }, arrays }
      return { form: 'log', encoding, state, rows: 0, changed, removed: 0, digest }
    }
    const arrays = { ...entries, ...this.#recentUsers.saveArrays() }
    const state = { meta: { words: ENTRY_WORDS, tick: this.#savedTick }, arrays }
    return { form: 'log', encoding, state, rows: 0, changed, removed: 0, digest }
  }

  /** Repeats what a published delta says has happened, in slices. */
  *follow(state: LoadedState): Generator<void, void> {
    for (const { tick, userLo, userHi, itemLo, itemHi, item } of readEntries(state)) {
      if (tick > this.#tick) yield* this.#turnTo(tick)
      if ((itemLo | itemHi) === 0) this.#erase(userLo, userHi)
      else this.#pending.addHashed(userLo, userHi, itemLo, itemHi, item)
    }
    const { tick } = state.meta as { tick: number | null }
    if (tick !== null && tick > this.#tick) yield* this.#turnTo(tick)
    this.#recentUsers.loadArrays(state)
  }

  stats(): { items: number; users: number; pairs: number; theta: number[] } {
    return {
      items: this.#items.size,
      users: this.#histories.users,
      pairs: this.#histories.size,
      theta: Array.from(this.#model.theta),
    }
  }

  saveState(): PartState {
    const { meta, arrays } = this.#saveModel()
    Object.assign(arrays, this.#bpr?.saveArrays())
    if (this.#log === undefined) return { meta, arrays }
    return { meta: { ...meta, digest: this.#log.digest.text }, arrays: { ...arrays, ...this.#log.saveArrays() } }
  }

  #saveModel(): { meta: Record<string, Json>; arrays: PartState['arrays'] } {
    return {
      meta: {
        tick: this.#savedTick,
        learned: this.#learned,
        positives: this.#positives,
        popularity: this.#popularityDecay.toJson(),
        pairs: this.#pairDecay.toJson(),
        random: this.#random.state(),
        recent: this.#recent.next,
      },
      arrays: {
        ...this.#items.saveArrays(),
        ...this.#coCounts.saveArrays(),
        ...this.#histories.saveArrays(),
        ...this.#model.saveArrays(),
        ...this.#recent.saveArrays(),
        ...this.#pending.saveArrays(),
        ...this.#recentUsers.saveArrays(),
      },
    }
  }

  loadState(state: LoadedState): void {
    const meta = state.meta as unknown as {
      tick: number | null
      learned: number
      positives: number
      popularity: number | null
      pairs: number | null
      random: [number, number, number, number]
      recent: number
      digest?: string
    }
    this.#tick = meta.tick ?? Number.NEGATIVE_INFINITY
    this.#learned = meta.learned
    this.#positives = meta.positives
    this.#popularityDecay.fromJson(meta.popularity)
    this.#pairDecay.fromJson(meta.pairs)
    this.#random.restore(meta.random)
    this.#items.loadArrays(state)
    this.#coCounts.loadArrays(state)
    this.#histories.loadArrays(state)
    this.#model.reserve(this.#items.length)
    this.#model.loadArrays(state)
    this.#recent.loadArrays(state, meta.recent)
    this.#pending.loadArrays(state)
    this.#recentUsers.loadArrays(state)
    this.#bpr?.loadArrays(state, this.#items.length)
    // Without a digest nothing was tracked, and a full snapshot comes before the next delta.
    if (meta.digest !== undefined) this.#log?.loadArrays(state, meta.digest)
  }

  /** So many of the catalogue are scored by all heads for an answer. */
  get candidates(): number {
    return Math.max(this.#config.size, this.#config.fusion.candidates)
  }

  #erase(lo: number, hi: number): number {
    this.#looked.learned = -1
    const user = this.#histories.userRow(lo, hi)
    if (user >= 0) this.#bpr?.eraseUser(user)
    return this.#pending.erase(lo, hi) + this.#histories.erase(lo, hi)
  }

  #advance(eventTimeMs: number): void {
    const tick = Math.floor(eventTimeMs / this.#config.tick)
    if (tick <= this.#tick) return
    for (let nth = 0; nth < this.#pending.length; nth++) this.#learn(nth)
    this.#pending.clear()
    this.#tick = tick
  }

  /** For a follower. */
  *#turnTo(tick: number): Generator<void, void> {
    for (let nth = 0; nth < this.#pending.length; nth++) {
      yield
      this.#learn(nth)
    }
    this.#pending.clear()
    this.#tick = tick
  }

  #positive({ user, item, eventTimeMs }: Positive): void {
    this.#recentUsers.add(user)
    if (!this.#pending.add(user, item)) return
    const nth = this.#pending.length - 1
    if (this.#log !== undefined) {
      this.#hasher.text(item)
      const { lo, hi } = this.#hasher
      this.#log.add(this.#pending.userLo(nth), this.#pending.userHi(nth), lo, hi, this.#tick, item)
    }
    const { judgeEvery } = this.#config
    if (this.#onRank === undefined || judgeEvery === 0 || this.#positives++ % judgeEvery !== 0) return
    this.#judge(this.#pending.userLo(nth), this.#pending.userHi(nth), this.#items.find(item), eventTimeMs)
  }

  #judge(lo: number, hi: number, item: number, eventTimeMs: number): void {
    this.#lookAt(lo, hi, true)
    const had = item >= 0 && this.#model.hasHad(item)
    const { repeats, baselines } = this.#config
    const rankers = this.#rankers
    const user = this.#histories.userRow(lo, hi)
    const report = (ranker: Ranker, split: RankSplit, rank: number) =>
      this.#onRank?.({ ranker, split, rank, lo, hi, eventTimeMs })
    for (const ranker of RANKERS) {
      if (ranker !== 'next-item' && !baselines) continue
      if (item < 0) {
        report(ranker, 'all', Number.POSITIVE_INFINITY)
        report(ranker, 'new', Number.POSITIVE_INFINITY)
        continue
      }
      const scores = rankers.scoresOf(ranker, user)
      const rank = rankers.rank(scores, item, repeats)
      report(ranker, 'all', rank)
      const ofSplit = had || !repeats ? rank : rankers.rank(scores, item, false)
      report(ranker, had ? 'repeated' : 'new', ofSplit)
    }
  }

  #learn(nth: number): void {
    const lo = this.#pending.userLo(nth)
    const hi = this.#pending.userHi(nth)
    const known = this.#items.find(this.#pending.item(nth))
    const user = this.#histories.userRow(lo, hi)
    if (known >= 0 && user >= 0) {
      this.#lookAt(lo, hi, this.#model.isExact)
      this.#model.learn(known)
    }
    const item = known >= 0 ? known : this.#admit(this.#pending.item(nth))
    const nowMs = this.#nowMs
    const popularityScale = this.#popularityDecay.rebase(nowMs)
    if (popularityScale !== 1) this.#items.scalePopularity(popularityScale)
    const pairScale = this.#pairDecay.rebase(nowMs)
    if (pairScale !== 1) {
      this.#items.scalePaired(pairScale)
      this.#coCounts.scale(pairScale)
    }
    const pairWeight = this.#pairDecay.weight(nowMs)
    let weight = pairWeight
    let pair = this.#histories.newest(user)
    for (let back = 0; back < PAIR_WINDOW && pair >= 0; back++, pair = this.#histories.older(pair)) {
      const other = this.#histories.itemOf(pair)
      if (other !== item) {
        this.#coCounts.add(item, other, weight)
        this.#coCounts.add(other, item, weight)
      }
      weight *= PAIR_RECENCY
    }
    this.#items.count(item, this.#popularityDecay.weight(nowMs), pairWeight)
    this.#histories.add(lo, hi, item, nowMs)
    if (this.#bpr !== undefined) this.#learnBaseline(this.#bpr, lo, hi, user < 0, item)
    this.#recent.add(item)
    this.#learned++
  }

  #learnBaseline(bpr: Bpr, lo: number, hi: number, isNew: boolean, item: number): void {
    const user = this.#histories.userRow(lo, hi)
    if (isNew) bpr.startUser(user)
    const mayLose = (other: number) => this.#items.popularity[other] !== 0 && !this.#histories.has(user, other)
    bpr.learn(user, item, this.#items.length, mayLose)
  }

  #admit(id: Id): number {
    if (this.#items.isFull) {
      const gone = this.#items.evict()
      this.#coCounts.remove(gone)
      this.#histories.removeItems(gone)
      this.#recent.remove(gone)
    }
    const item = this.#items.insert(id)
    this.#model.reserve(this.#items.length)
    this.#model.association.start(item, this.#random)
    this.#bpr?.startItem(item)
    return item
  }

  #lookAt(lo: number, hi: number, fill: boolean, tick = this.#tick): void {
    const looked = this.#looked
    const isSame = looked.lo === lo && looked.hi === hi && looked.learned === this.#learned && looked.tick === tick
    if (!isSame) {
      const nowMs = tick * this.#config.tick
      this.#model.look(this.#histories.userRow(lo, hi), nowMs, this.#pairDecay.weight(nowMs))
      Object.assign(looked, { lo, hi, learned: this.#learned, tick, filled: false })
    }
    if (fill && !looked.filled) {
      this.#model.fillScores()
      looked.filled = true
    }
  }

  #tickOf(eventTimeMs: number): number {
    return Math.floor(eventTimeMs / this.#config.tick)
  }

  get #savedTick(): number | null {
    return this.#tick === Number.NEGATIVE_INFINITY ? null : this.#tick
  }

  /** The start of the tick: the same for all that is asked within it. */
  get #nowMs(): number {
    return this.#tick * this.#config.tick
  }
}
