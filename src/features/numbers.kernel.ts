/**
 * Numeric features before they are transformed: one closure a feature, which reads the keyed state of the subject that
 * `entities` looked at last. NONE = the number is missing.
 *
 *   rate  (events + prior · average) / (impressions + prior), average = events / impressions of everybody, at most 1
 *   mean  (sum − count · average) / (count + prior), average = mean rating of everybody
 *
 * The averages are kept in a table of one row, with the half-life of the feature.
 */
import type { NumericConfig } from '../config/schema.js'
import { type Entities, NO_ENTITY, NO_ROW } from './entities.kernel.js'
import { NONE } from './entity-table.kernel.js'
import type { Profiles } from './profiles.kernel.js'
import type { FeatureSubject } from './subject.js'
import { type CountedKind, countAt, daysSince, sumAt, type Tallies } from './tallies.kernel.js'

export type ReadNumber = (subject: FeatureSubject) => number

export interface NumberDeps {
  entities: Entities
  profiles: readonly [user: Profiles, item: Profiles]
  /** Tallies of everybody, in row 0. */
  everybody: Tallies
}

export function createReadNumber(config: NumericConfig, deps: NumberDeps): ReadNumber {
  if (config.from !== undefined) return readFrom(config.from, deps)
  const table = deps.entities.tableOf(config.by ?? [], deps.profiles)
  if (config.count !== undefined) return readCount(config.count, config, table, deps)
  if (config.rate !== undefined) return readRate(config.rate, config, table, deps)
  if (config.mean !== undefined) return readMean(config, table, deps)
  return readSince(config.since!, table, deps)
}

function readFrom(from: string, { entities, profiles }: NumberDeps): ReadNumber {
  if (from === 'position') return subject => subject.position ?? NONE
  const [owner, name] = from.split('.')
  const side = owner === 'user' ? 0 : 1
  const table = entities.tables[side]!
  const cell = profiles[side].number(name!)
  return () => {
    const row = entities.rows[side]!
    return row < 0 ? NONE : table.numbers[row * table.numberWidth + cell]!
  }
}

function readCount(kind: CountedKind, config: NumericConfig, index: number, { entities }: NumberDeps): ReadNumber {
  const table = entities.tables[index]!
  const tally = entities.tallies[index]!.tally(kind, config.halfLife)
  return subject => {
    const row = entities.rows[index]!
    if (row < 0) return row === NO_ENTITY ? NONE : 0
    return countAt(table, row, tally, subject.eventTimeMs)
  }
}

function readRate(kind: 'click' | 'buy', config: NumericConfig, index: number, deps: NumberDeps): ReadNumber {
  const { entities, everybody } = deps
  const { prior, halfLife } = config
  const table = entities.tables[index]!
  const events = entities.tallies[index]!.tally(kind, halfLife)
  const impressions = entities.tallies[index]!.tally('impression', halfLife)
  const allEvents = everybody.tally(kind, halfLife)
  const allImpressions = everybody.tally('impression', halfLife)
  return subject => {
    const row = entities.rows[index]!
    if (row === NO_ENTITY) return NONE
    const nowMs = subject.eventTimeMs
    const shown = countAt(everybody.table, 0, allImpressions, nowMs)
    // Everything may have decayed to nothing, and events without impressions exist.
    const average = shown > 0 ? Math.min(1, countAt(everybody.table, 0, allEvents, nowMs) / shown) : 0
    if (row === NO_ROW) return average
    return (countAt(table, row, events, nowMs) + prior * average) / (countAt(table, row, impressions, nowMs) + prior)
  }
}

function readMean(config: NumericConfig, index: number, { entities, everybody }: NumberDeps): ReadNumber {
  const { prior, halfLife } = config
  const table = entities.tables[index]!
  const ratings = entities.tallies[index]!.tally('rating', halfLife, true)
  const allRatings = everybody.tally('rating', halfLife, true)
  return subject => {
    const row = entities.rows[index]!
    if (row < 0) return row === NO_ENTITY ? NONE : 0
    const nowMs = subject.eventTimeMs
    const all = countAt(everybody.table, 0, allRatings, nowMs)
    if (all === 0) return 0
    const average = sumAt(everybody.table, 0, allRatings, nowMs) / all
    const count = countAt(table, row, ratings, nowMs)
    return (sumAt(table, row, ratings, nowMs) - count * average) / (count + prior)
  }
}

function readSince(kind: CountedKind, index: number, { entities }: NumberDeps): ReadNumber {
  const table = entities.tables[index]!
  const last = entities.tallies[index]!.last(kind)
  return subject => {
    const row = entities.rows[index]!
    return row < 0 ? NONE : daysSince(table, row, last, subject.eventTimeMs)
  }
}
