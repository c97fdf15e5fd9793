/**
 * A seeded shop: same options, same records, in the same order. Visits are drawn in order of time; what they cause later
 * waits in a heap until the log gets there, so memory depends on users, items and what is bought but not yet delivered,
 * never on the length of the log. Records reach each partition in event time but for the disorder that faults inject.
 *
 * Item profiles go to partition 0: readers merge partitions by event time with ties by partition index, so an item is
 * known before it is shown. A user's events all go to the partition that Kafka would choose for the user's id.
 */
import { setImmediate } from 'node:timers/promises'
import type { Config } from '../config/schema.js'
import type { EventKind } from '../domain/event.js'
import type { LogWriter } from '../sink/sink.js'
import { Random } from '../std/random.js'
import { TimeHeap } from '../std/time-heap.js'
import { Catalogue } from './catalogue.js'
import { exponential, streamSeed } from './draw.js'
import { type Fault, FaultMaker } from './faults.js'
import { Oracle } from './oracle.js'
import { Population } from './population.js'
import { itemProfile, type Scheduled, writeEntry } from './records.js'
import { createSeason } from './season.js'
import { createSessionMaker } from './session.js'
import type { TruthWriter } from './truth.js'

export type SimulateOptions = NonNullable<Config['source']['simulate']>

export interface SimulationSummary {
  records: number
  byKind: Record<EventKind, number>
  malformed: Record<Fault, number>
  users: number
  items: number
  startMs: number
  endMs: number
  /** What the true probabilities themselves score on what happened: the best that a learner can do. */
  oracle: Record<'click' | 'buy', ReturnType<Oracle['summary']>>
}

/** Monday 2024-01-01, midnight UTC. */
export const START_MS = 1_704_067_200_000
const DAY_MS = 86_400_000
/** Of the users and items at the start, so many more arrive over the log's time. */
const GROWTH = 0.3
const YIELD_EVERY = 16_384

export async function simulateShop(
  options: SimulateOptions,
  writer: LogWriter,
  onProgress: (records: number, total: number) => void = () => {},
  truth?: TruthWriter,
): Promise<SimulationSummary> {
  const durationMs = options.days * DAY_MS
  const sizes = (initial: number) => ({ initial, later: Math.floor(initial * GROWTH), durationMs })
  const stream = (number: number) => new Random(streamSeed(options.seed, number))
  const items = new Catalogue(stream(1), sizes(options.items))
  const users = new Population(stream(2), { ...sizes(options.users), bots: options.bots })
  const prices = stream(3)
  const faults = new FaultMaker(stream(4), options.malformed)
  const season = createSeason(durationMs)
  const oracle = { click: new Oracle(), buy: new Oracle() }
  const byKind: Record<EventKind, number> = {
    impression: 0,
    click: 0,
    buy: 0,
    rating: 0,
    item: 0,
    user: 0,
    'score-request': 0,
    erase: 0,
  }
  const waiting = new TimeHeap<Scheduled>()
  const session: Scheduled[] = []
  // Rows wait here until the next await, because a session can not wait for the disk in its middle.
  const truthRows: { eventId: string; click: number; buy: number }[] = []
  const sessions = createSessionMaker({
    random: stream(5),
    shuffle: { random: stream(6), share: options.explore ?? 0 },
    users,
    items,
    partitions: options.partitions,
    startMs: START_MS,
    durationMs,
    onImpression(eventId, { click, buy }, outcome) {
      oracle.click.add(click, outcome.clicked)
      oracle.buy.add(buy, outcome.bought)
      if (truth !== undefined) truthRows.push({ eventId, click, buy })
    },
  })
  const priceEveryMs = Math.max((20 * DAY_MS) / options.items, (100 * durationMs) / options.events)
  let nextPriceMs = exponential(prices, priceEveryMs)
  let driftMs = (options.driftDay ?? Number.POSITIVE_INFINITY) * DAY_MS
  let made = 0
  let written = 0
  let itemEvents = 0

  while (made < options.events) {
    const nowMs = season.timeAt(made / options.events)
    if (nowMs >= driftMs) {
      users.exchangeTastes()
      items.turnQuality()
      driftMs = Number.POSITIVE_INFINITY
    }
    for (let item = items.nextArrival(nowMs); item >= 0; item = items.nextArrival(nowMs))
      announce(item, items.arrivalMs[item] ?? 0)
    for (; nextPriceMs <= nowMs; nextPriceMs += exponential(prices, priceEveryMs)) {
      const item = prices.integer(items.arrived)
      items.changePrice(prices, item)
      announce(item, nextPriceMs)
    }
    await drain(START_MS + nowMs)
    session.length = 0
    sessions.visit(nowMs, session)
    faults.disturb(session)
    for (const record of session) waiting.push(record.arrivalMs, record)
    made += session.length
    for (const row of truthRows) await truth?.append(row)
    truthRows.length = 0
  }
  await drain(Number.POSITIVE_INFINITY)
  onProgress(written, written)
  return {
    records: written,
    byKind,
    malformed: faults.counts,
    users: users.arrived,
    items: items.arrived,
    startMs: START_MS,
    endMs: START_MS + durationMs,
    oracle: { click: oracle.click.summary(), buy: oracle.buy.summary() },
  }

  function announce(item: number, atMs: number): void {
    const eventTime = Math.round(START_MS + atMs)
    const profile = itemProfile(items, item, { eventId: `p${itemEvents++}`, eventTime })
    waiting.push(eventTime, { ...profile, arrivalMs: eventTime, partition: 0 })
    made++
  }

  async function drain(untilMs: number): Promise<void> {
    while (waiting.peekTime() <= untilMs) {
      const entry = waiting.pop()
      if (entry === undefined) break
      writeEntry(writer, entry.partition, entry)
      byKind[entry.kind]++
      written++
      if (written % YIELD_EVERY > 0) continue
      onProgress(written, options.events)
      // The writer is synchronous: without this no signal or timer would get a turn.
      await setImmediate()
    }
  }
}
