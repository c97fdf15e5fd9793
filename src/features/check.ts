/**
 * What the schema alone can not say of `features`: names that refer to others, and fields of which exactly one is
 * needed. Used by `config lint`, and by the extractor, which relies on it.
 */
import type { Config, NumericConfig, SlotConfig } from '../config/schema.js'
import { layoutFeatures } from './layout.js'

export interface FeatureFault {
  /** Below `features`. */
  path: (string | number)[]
  message: string
}

const SLOT_SOURCES = ['from', 'recent', 'bucket', 'cross'] as const
const NUMBER_SOURCES = ['from', 'count', 'rate', 'mean', 'since'] as const
const SLOT_FROM = /^(user|item)(\.[A-Za-z0-9_]+)?$|^context\.[A-Za-z0-9_.-]+$|^position$|^time\.(hour|weekday)$/
const NUMBER_FROM = /^(user|item)\.[A-Za-z0-9_]+$|^position$/

export function checkFeatures(features: Config['features']): FeatureFault[] {
  const faults: FeatureFault[] = []
  const fault = (message: string, ...path: (string | number)[]) => faults.push({ path, message })
  duplicates(features.slots).forEach(index => {
    fault('another slot has this name', 'slots', index, 'name')
  })
  duplicates(features.numeric).forEach(index => {
    fault('another numeric feature has this name', 'numeric', index, 'name')
  })
  features.embeddings.forEach(({ name, from, key }, index) => {
    if (features.numeric.some(numeric => numeric.name === name))
      fault('a numeric feature has this name', 'embeddings', index, 'name')
    const before = features.embeddings.slice(0, index)
    if (before.some(other => other.name === name || (other.from === from && other.key === key)))
      fault(`another one has this name, or reads the same embedding of the ${from}`, 'embeddings', index)
  })
  features.slots.forEach((slot, index) => {
    for (const [key, message] of slotFaults(slot, index, features)) fault(message, 'slots', index, ...key)
  })
  features.numeric.forEach((numeric, index) => {
    for (const [key, message] of numericFaults(numeric)) fault(message, 'numeric', index, ...key)
  })
  return faults
}

type Fault = [key: (string | number)[], message: string]

function slotFaults(slot: SlotConfig, index: number, features: Config['features']): Fault[] {
  const given = SLOT_SOURCES.filter(source => slot[source] !== undefined)
  if (given.length !== 1) return [[[], oneOf(SLOT_SOURCES, given)]]
  if (slot.from !== undefined && !SLOT_FROM.test(slot.from)) {
    const known = 'user, item, user.ATTRIBUTE, item.ATTRIBUTE, context.NAME, position, time.hour or time.weekday'
    return [[['from'], `expected ${known}`]]
  }
  if (slot.bucket !== undefined && !features.numeric.some(numeric => numeric.name === slot.bucket)) {
    return [[['bucket'], `no numeric feature is named '${slot.bucket}'`]]
  }
  return (slot.cross ?? []).flatMap((name, nth): Fault[] => {
    const message = crossFault(name, index, features)
    return message === undefined ? [] : [[['cross', nth], message]]
  })
}

function crossFault(name: string, index: number, features: Config['features']): string | undefined {
  const other = features.slots.findIndex(slot => slot.name === name)
  if (other < 0) return `no slot is named '${name}'`
  if (other >= index) return `slot '${name}' must be declared above`
  const { slots } = layoutFeatures(features)
  const several = (features.slots[index]?.cross ?? []).filter(part =>
    slots.some(slot => slot.name === part && slot.places > 1),
  )
  if (several.indexOf(name) < 1) return undefined
  return `slots '${several.join("' and '")}' may have several values; give all but one 'max: 1'`
}

function numericFaults(numeric: NumericConfig): Fault[] {
  const given = NUMBER_SOURCES.filter(source => numeric[source] !== undefined)
  if (given.length !== 1) return [[[], oneOf(NUMBER_SOURCES, given)]]
  const faults: Fault[] = []
  if (numeric.from !== undefined) {
    if (!NUMBER_FROM.test(numeric.from)) faults.push([['from'], 'expected user.NUMBER, item.NUMBER or position'])
    if (numeric.by !== undefined) faults.push([['by'], "'from' is of one user or item; 'by' has no effect"])
  } else if (numeric.by === undefined) {
    faults.push([['by'], `'${given[0]}' needs 'by': user, item, an attribute such as item.category, or a pair`])
  } else if (numeric.by.length === 2 && numeric.by[0] === numeric.by[1]) {
    faults.push([['by', 1], 'a pair needs two different entities'])
  }
  if (numeric.halfLife !== undefined) {
    if (numeric.halfLife <= 0) faults.push([['halfLife'], 'must be longer than 0'])
    if (numeric.from !== undefined || numeric.since !== undefined) {
      faults.push([['halfLife'], `'${given[0]}' does not decay; 'halfLife' has no effect`])
    }
  }
  return faults
}

function oneOf(wanted: readonly string[], given: readonly string[]): string {
  const found = given.length === 0 ? 'none is given' : `${given.join(' and ')} are given`
  return `exactly one of ${wanted.join(', ')} is needed; ${found}`
}

/** Indices of the entries whose name an earlier entry has. */
function duplicates(entries: readonly { name: string }[]): number[] {
  return entries.flatMap((entry, index) =>
    entries.findIndex(other => other.name === entry.name) < index ? [index] : [],
  )
}
