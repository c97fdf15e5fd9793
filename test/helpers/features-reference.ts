/**
 * Features computed the slow way: from the list of all earlier events, each time afresh, by the definitions in the
 * configuration's descriptions. Shares only the hash function with the code under test.
 */
import type { Config, NumericConfig, SlotConfig } from '../../src/config/schema.js'
import type { Event, Impression, Positive, Profile } from '../../src/domain/event.js'
import type { FeatureSubject } from '../../src/features/extract.js'
import type { Hasher } from '../../src/std/hash.js'

type Meeting = Impression | Positive
type Key = readonly [lo: number, hi: number]
const DAY_MS = 86_400_000

export function referenceOf(features: Config['features'], hasher: Hasher) {
  const learned = features.numeric.map((): number[] => [])

  const text = (value: string): Key => {
    hasher.text(value)
    return [hasher.lo, hasher.hi]
  }
  const mix = (a: Key, b: Key): Key => {
    hasher.mix(a[0], a[1], b[0], b[1])
    return [hasher.lo, hasher.hi]
  }
  const show = ([lo, hi]: Key) => `${hi}:${lo}`

  function keysOf(
    slot: SlotConfig,
    past: readonly Event[],
    of: FeatureSubject,
    numbers: Map<string, number | null>,
  ): Key[] {
    const table = text(slot.table ?? slot.name)
    const keyed = (values: readonly string[]) => values.map(value => mix(table, text(value)))
    if (slot.recent !== undefined) {
      const mine = past.filter(
        (event): event is Meeting => isMeeting(event) && event.kind === slot.recent && event.user === of.user,
      )
      return keyed(
        mine
          .map(({ item }) => item)
          .reverse()
          .slice(0, slot.max),
      )
    }
    if (slot.bucket !== undefined) return keyed([bucketName(numbers.get(slot.bucket) ?? null)])
    if (slot.cross !== undefined) {
      let value: Key = [0, 0]
      for (const name of slot.cross) {
        const part = keysOf(features.slots.find(other => other.name === name)!, past, of, numbers)[0]
        if (part === undefined) return []
        value = mix(value, part)
      }
      return [mix(table, value)]
    }
    return keyed(valuesOf(slot.from!, past, of).slice(0, slot.max))
  }

  function denseOf(past: readonly Event[], of: FeatureSubject, learn: boolean) {
    const dense: Record<string, number> = {}
    const numbers = new Map<string, number | null>()
    features.numeric.forEach((config, index) => {
      const number = numberOf(config, past, of)
      numbers.set(config.name, number)
      if (config.since !== undefined) dense[config.name] = 0
      if (number === null) dense[config.name] = 0
      else {
        const x = config.transform === 'log1p' ? Math.log1p(number) : number
        dense[config.name] = config.standardise ? standardised(x, learned[index]!) : x
        if (learn && config.standardise) learned[index]!.push(x)
      }
      if (config.since !== undefined) dense[`${config.name}.never`] = number === null ? 1 : 0
    })
    return { dense, numbers }
  }

  return (past: readonly Event[], of: FeatureSubject, learn: boolean) => {
    const { dense, numbers } = denseOf(past, of, learn)
    const keys = features.slots.map(slot => [slot.name, keysOf(slot, past, of, numbers).map(show)])
    const meetings = past.filter(isMeeting)
    const cold = [
      ...(meetings.filter(({ user }) => user === of.user).length < features.coldBelow ? ['user'] : []),
      ...(meetings.filter(({ item }) => item === of.item).length < features.coldBelow ? ['item'] : []),
    ]
    return { keys: Object.fromEntries(keys) as Record<string, string[]>, dense, cold }
  }
}

function isMeeting(event: Event): event is Meeting {
  return 'item' in event
}

function profileOf(kind: 'user' | 'item', id: string, past: readonly Event[]): Profile | undefined {
  return past.findLast((event): event is Profile => event.kind === kind && 'attributes' in event && event.id === id)
}

function valuesOf(source: string, past: readonly Event[], of: FeatureSubject): string[] {
  const [owner, name] = source.split('.') as ['user' | 'item', string | undefined]
  if (source === 'user' || source === 'item') return [of[source]]
  if (source === 'position') return of.position === null ? [] : [String(of.position)]
  if (source === 'context.device') return of.context?.device === undefined ? [] : [of.context.device]
  return profileOf(owner, of[owner], past)?.attributes[name!] ?? []
}

/** The entity's name, or null if the subject has none. */
function entityOf(by: readonly string[], past: readonly Event[], of: { user: string; item: string }): string | null {
  const parts = by.map(entity => {
    const [owner, attribute] = entity.split('.') as ['user' | 'item', string | undefined]
    return attribute === undefined ? of[owner] : profileOf(owner, of[owner], past)?.attributes[attribute]?.[0]
  })
  return parts.includes(undefined) ? null : JSON.stringify(parts)
}

interface Counted {
  count: number
  sum: number
  /** Highest time of an event so far. */
  last: number
}

/** Events of a kind that belong to an entity (null: to anybody), as of now. A late one counts as of the highest time before it. */
function counted(
  kind: string,
  by: readonly string[] | null,
  entity: string | null,
  halfLifeMs: number | undefined,
  past: readonly Event[],
  nowMs: number,
): Counted {
  let last = Number.NEGATIVE_INFINITY
  const effective: { timeMs: number; value: number }[] = []
  past.forEach((event, index) => {
    if (!isMeeting(event) || event.kind !== kind) return
    if (by !== null && entityOf(by, past.slice(0, index), event) !== entity) return
    last = Math.max(last, event.eventTimeMs)
    effective.push({ timeMs: last, value: event.kind === 'impression' ? 1 : event.value })
  })
  const asOf = Math.max(nowMs, last)
  const weight = (timeMs: number) => (halfLifeMs === undefined ? 1 : 2 ** (-(asOf - timeMs) / halfLifeMs))
  return {
    count: effective.reduce((sum, { timeMs }) => sum + weight(timeMs), 0),
    sum: effective.reduce((sum, { timeMs, value }) => sum + weight(timeMs) * value, 0),
    last,
  }
}

function numberOf(config: NumericConfig, past: readonly Event[], of: FeatureSubject): number | null {
  if (config.from === 'position') return of.position
  if (config.from !== undefined) {
    const [owner, name] = config.from.split('.') as ['user' | 'item', string]
    return profileOf(owner, of[owner], past)?.numbers[name] ?? null
  }
  const { by = [], halfLife, prior } = config
  const entity = entityOf(by, past, of)
  if (entity === null) return null
  const own = (kind: string) => counted(kind, by, entity, halfLife, past, of.eventTimeMs)
  const all = (kind: string) => counted(kind, null, null, halfLife, past, of.eventTimeMs)
  if (config.count !== undefined) return own(config.count).count
  if (config.rate !== undefined) {
    const average = all('impression').count === 0 ? 0 : Math.min(1, all(config.rate).count / all('impression').count)
    return (own(config.rate).count + prior * average) / (own('impression').count + prior)
  }
  if (config.mean !== undefined) {
    const everybody = all('rating')
    if (everybody.count === 0) return 0
    const { count, sum } = own('rating')
    return (sum - (count * everybody.sum) / everybody.count) / (count + prior)
  }
  const { last } = own(config.since!)
  return last === Number.NEGATIVE_INFINITY ? null : Math.max(0, of.eventTimeMs - last) / DAY_MS
}

function standardised(x: number, learned: readonly number[]): number {
  const count = learned.length
  if (count === 0) return 0
  const mean = learned.reduce((sum, value) => sum + value, 0) / count
  const variance = learned.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count
  const z = (x - mean) / (Math.sqrt(variance) + 1e-9 * (Math.abs(mean) + 1))
  return Math.max(-5, Math.min(5, z * Math.min(1, count / 10)))
}

function bucketName(x: number | null): string {
  if (x === null) return 'missing'
  return x === 0 ? '0' : `2^${Math.max(-20, Math.min(40, Math.floor(Math.log2(x))))}`
}
