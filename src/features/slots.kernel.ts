/**
 * Categorical features: one closure a slot, which writes the keys of its values into the row's key places (two words
 * each); a place that is not written stays (0, 0) = no value.
 *
 * Key = mix(hash of the table's name, hash of the value), so that slots of one table share rows where their values are
 * equal: `recent` and `item` in one table give the same key for the same item. The value of a cross is the mix of its
 * parts' keys.
 */
import type { SlotConfig } from '../config/schema.js'
import type { Hasher } from '../std/hash.js'
import { BUCKET_NAMES, bucketOf } from './bucket.kernel.js'
import type { Entities } from './entities.kernel.js'
import { ITEM, USER } from './entities.kernel.js'
import type { SlotLayout } from './layout.js'
import type { Profiles } from './profiles.kernel.js'
import type { RecentItems } from './recent-items.kernel.js'
import type { FeatureSubject } from './subject.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const KNOWN_POSITIONS = 256

/** row: place of the row's first word in keys. */
export type WriteSlot = (subject: FeatureSubject, keys: Uint32Array, row: number) => void

export interface SlotDeps {
  hasher: Hasher
  entities: Entities
  profiles: readonly [user: Profiles, item: Profiles]
  recent: ReadonlyMap<string, RecentItems>
  /** Slots declared so far, by name. */
  declared: ReadonlyMap<string, SlotLayout>
  /** Position of a numeric feature by name, and the features' values of the subject, before they are transformed. */
  numberIndex: (name: string) => number
  numbers: Float64Array
}

export function createWriteSlot(config: SlotConfig, layout: SlotLayout, deps: SlotDeps): WriteSlot {
  const { hasher } = deps
  hasher.text(layout.table)
  const put = createPut(hasher, layout, hasher.lo, hasher.hi)
  if (config.recent !== undefined) return recent(deps, deps.recent.get(config.recent)!, layout, put)
  if (config.bucket !== undefined) return bucket(deps, config.bucket, put)
  if (config.cross !== undefined) return cross(deps, config.cross, layout, put)
  return from(config.from!, layout, deps, put)
}

/** The key of a text in a table's slots, into the hasher's lo and hi. */
export function hashValue(hasher: Hasher, table: string, text: string): void {
  hasher.text(table)
  const { lo, hi } = hasher
  hasher.text(text)
  hasher.mix(lo, hi, hasher.lo, hasher.hi)
}

/** Writes the key of a value, given by its hash, into the slot's nth place. */
type Put = (keys: Uint32Array, row: number, nth: number, lo: number, hi: number) => void

function createPut(hasher: Hasher, layout: SlotLayout, tableLo: number, tableHi: number): Put {
  const firstWord = layout.firstPlace * 2
  return (keys, row, nth, lo, hi) => {
    hasher.mix(tableLo, tableHi, lo, hi)
    keys[row + firstWord + nth * 2] = hasher.lo
    keys[row + firstWord + nth * 2 + 1] = hasher.hi
  }
}

function from(source: string, layout: SlotLayout, deps: SlotDeps, put: Put): WriteSlot {
  const { entities, hasher } = deps
  const [owner] = source.split('.', 1)
  const name = source.slice(owner!.length + 1)
  if (source === 'user' || source === 'item') {
    const side = source === 'user' ? USER : ITEM
    return (_, keys, row) => put(keys, row, 0, entities.los[side]!, entities.his[side]!)
  }
  if (owner === 'user' || owner === 'item') return attribute(owner === 'user' ? USER : ITEM, name, layout, deps, put)
  if (owner === 'context') {
    // All candidates of a request, and all items of a page, have the same one.
    let last = ''
    hasher.text(last)
    let { lo, hi } = hasher
    return ({ context }, keys, row) => {
      const value = context?.[name]
      if (typeof value !== 'string') return
      if (value !== last) {
        hasher.text(value)
        last = value
        lo = hasher.lo
        hi = hasher.hi
      }
      put(keys, row, 0, lo, hi)
    }
  }
  if (source === 'position') return position(hasher, put)
  return source === 'time.hour'
    ? clockSlot(hasher, put, 24, eventTimeMs => Math.floor(eventTimeMs / HOUR_MS))
    : clockSlot(hasher, put, 7, eventTimeMs => Math.floor(eventTimeMs / DAY_MS) + 4) // 1970 began on a Thursday
}

function attribute(
  side: typeof USER | typeof ITEM,
  name: string,
  layout: SlotLayout,
  deps: SlotDeps,
  put: Put,
): WriteSlot {
  const { entities } = deps
  const table = entities.tables[side]!
  const { firstWord } = deps.profiles[side].attribute(name)
  return (_, keys, row) => {
    const owner = entities.rows[side]!
    if (owner < 0) return
    const words = table.words
    const first = owner * table.wordWidth + firstWord
    for (let nth = 0; nth < layout.places; nth++) {
      const lo = words[first + nth * 2]!
      const hi = words[first + nth * 2 + 1]!
      if ((lo | hi) === 0) return
      put(keys, row, nth, lo, hi)
    }
  }
}

function position(hasher: Hasher, put: Put): WriteSlot {
  const known = textHashes(hasher, KNOWN_POSITIONS, String)
  return (subject, keys, row) => {
    const value = subject.position
    if (value === null) return
    if (value >= 0 && value < KNOWN_POSITIONS && Number.isInteger(value)) {
      put(keys, row, 0, known[value * 2]!, known[value * 2 + 1]!)
    } else {
      hasher.text(String(value))
      put(keys, row, 0, hasher.lo, hasher.hi)
    }
  }
}

/** UTC: time zones are not in the events. Hours 0–23, weekdays 0 (Sunday) – 6. */
function clockSlot(hasher: Hasher, put: Put, period: number, count: (eventTimeMs: number) => number): WriteSlot {
  const known = textHashes(hasher, period, String)
  return (subject, keys, row) => {
    const value = count(subject.eventTimeMs)
    const within = value - Math.floor(value / period) * period
    put(keys, row, 0, known[within * 2]!, known[within * 2 + 1]!)
  }
}

function recent({ entities }: SlotDeps, items: RecentItems, layout: SlotLayout, put: Put): WriteSlot {
  const table = entities.tables[USER]!
  return (_, keys, row) => {
    const user = entities.rows[USER]!
    if (user < 0) return
    const words = table.words
    const count = Math.min(layout.places, items.count(user))
    for (let nth = 0; nth < count; nth++) {
      const place = items.place(user, nth)
      put(keys, row, nth, words[place]!, words[place + 1]!)
    }
  }
}

function bucket({ hasher, numberIndex, numbers }: SlotDeps, name: string, put: Put): WriteSlot {
  const known = textHashes(hasher, BUCKET_NAMES.length, n => BUCKET_NAMES[n]!)
  const index = numberIndex(name)
  return (_, keys, row) => {
    const value = bucketOf(numbers[index]!)
    put(keys, row, 0, known[value * 2]!, known[value * 2 + 1]!)
  }
}

/** At most one part has several values; the others are repeated beside each. */
function cross({ hasher, declared }: SlotDeps, names: readonly string[], layout: SlotLayout, put: Put): WriteSlot {
  const slots = names.map(name => declared.get(name)!)
  const parts = slots.map(slot => slot.firstPlace * 2)
  const steps = slots.map(slot => (slot.places > 1 ? 2 : 0))
  return (_, keys, row) => {
    for (let nth = 0; nth < layout.places; nth++) {
      let lo = 0
      let hi = 0
      for (let part = 0; part < parts.length; part++) {
        const at = row + parts[part]! + nth * steps[part]!
        const partLo = keys[at]!
        const partHi = keys[at + 1]!
        if ((partLo | partHi) === 0) return
        hasher.mix(lo, hi, partLo, partHi)
        lo = hasher.lo
        hi = hasher.hi
      }
      put(keys, row, nth, lo, hi)
    }
  }
}

/** Hashes of the texts of 0 … count − 1, two words each. */
function textHashes(hasher: Hasher, count: number, text: (n: number) => string): Uint32Array {
  const hashes = new Uint32Array(count * 2)
  for (let n = 0; n < count; n++) {
    hasher.text(text(n))
    hashes[n * 2] = hasher.lo
    hashes[n * 2 + 1] = hasher.hi
  }
  return hashes
}
