/**
 * Where each feature lies in an example's columns (features/columns.ts). A function of the configuration alone: main
 * thread and worker compute it on their own and agree.
 */
import type { Config, NumericConfig, SlotConfig } from '../config/schema.js'

/** Where a slot's values stand in the fast part: factors of the one side meet those of the other; the rest has biases only. */
export type Side = 'asking' | 'answered' | 'bias'

export interface SlotLayout {
  name: string
  /** Name that is hashed into the keys: slots of one table share rows. */
  table: string
  /** First key place, and how many the slot has (1 = single-valued). */
  firstPlace: number
  places: number
  /** Position among the slots that are embedded; -1 if this one is not. */
  embedIndex: number
  bias: boolean
  wide: boolean
  /** In the fast part; undefined = not in it. */
  side: Side | undefined
  /** The user or the item itself, which the fast part gives a wide prior. */
  isId: boolean
  /** Whether its values are users, or crosses with a user: what is kept of those is the user's own. */
  ofUser: 'itself' | 'crossed' | undefined
}

export interface FeatureLayout {
  slots: readonly SlotLayout[]
  keyPlaces: number
  /** The key place of a slot that is the user; -1: there is none, and then no cross with one. */
  userPlace: number
  /** How many slots have an embedding: the model's input is [batch, embeddedSlots * dim] beside [batch, dense.length]. */
  embeddedSlots: number
  /** Names of the numeric inputs, in order. A `since` feature has a second one, NAME.never; an embedding's are NAME.0 and so on. */
  dense: readonly string[]
  /** Embeddings among them, at the end. */
  embeddings: readonly { name: string; first: number; size: number }[]
  /** Of these, the ones that the fast part reads: all but embeddings, and means, which its biases of ids say better. */
  linear: readonly number[]
}

/**
 * Multi-valued: a list of recent items, a profile attribute (which may hold several values), or a cross with one of
 * these. declared: the slots before it.
 */
function placesOf(slot: SlotConfig, declared: readonly SlotLayout[]): number {
  if (slot.recent !== undefined) return slot.max
  if (slot.cross !== undefined) {
    return Math.max(1, ...declared.filter(({ name }) => slot.cross?.includes(name)).map(({ places }) => places))
  }
  const attribute = slot.from?.startsWith('user.') === true || slot.from?.startsWith('item.') === true
  return attribute ? slot.max : 1
}

/** The configured slots and, for the fast part, buckets of the counts and times that have none of their own. */
export function slotsOf({ slots, numeric }: Config['features'], fast: boolean): readonly SlotConfig[] {
  if (!fast) return slots
  const names = new Set(slots.map(slot => slot.name))
  const cut = new Set(slots.map(slot => slot.bucket))
  const buckets = numeric.filter(({ count, since, name }) => (count ?? since) !== undefined && !cut.has(name))
  return [
    ...slots,
    ...buckets.map(({ name }): SlotConfig => {
      let slot = `${name}.bucket`
      while (names.has(slot)) slot += '_'
      return { name: slot, bucket: name, max: 1, embed: false, bias: false, wide: false }
    }),
  ]
}

function sideOf(slot: SlotConfig, numeric: readonly NumericConfig[]): Side | undefined {
  if (slot.side !== undefined) return slot.side === 'none' ? undefined : slot.side
  if (slot.recent !== undefined) return undefined
  if (slot.bucket !== undefined) {
    const by = numeric.find(one => one.name === slot.bucket)
    const entities = by?.by ?? [by?.from ?? '']
    // A number of a user with an item says something about the item, as that user sees it.
    return entities.every(isUser) ? 'asking' : 'answered'
  }
  if (isUser(slot.from ?? '')) return 'asking'
  return slot.from === 'item' || slot.from?.startsWith('item.') === true ? 'answered' : 'bias'
}

function ofUser(slot: SlotConfig, declared: readonly SlotLayout[]): SlotLayout['ofUser'] {
  if (slot.from === 'user') return 'itself'
  return declared.some(other => other.ofUser && slot.cross?.includes(other.name)) ? 'crossed' : undefined
}

function isUser(source: string): boolean {
  return source === 'user' || source.startsWith('user.')
}

/** fast: whether the fast part is on. */
export function layoutFeatures(features: Config['features'], fast = false): FeatureLayout {
  let keyPlaces = 0
  let embeddedSlots = 0
  const slots: SlotLayout[] = []
  for (const slot of slotsOf(features, fast)) {
    const places = placesOf(slot, slots)
    slots.push({
      name: slot.name,
      table: slot.table ?? slot.name,
      firstPlace: keyPlaces,
      places,
      embedIndex: slot.embed ? embeddedSlots++ : -1,
      bias: slot.bias,
      wide: slot.wide,
      side: fast ? sideOf(slot, features.numeric) : undefined,
      isId: slot.from === 'user' || slot.from === 'item',
      ofUser: ofUser(slot, slots),
    })
    keyPlaces += places
  }
  const numbers = features.numeric.flatMap(numeric =>
    numeric.since === undefined ? [numeric.name] : [numeric.name, `${numeric.name}.never`],
  )
  const means = new Set(features.numeric.flatMap(({ mean, name }) => (mean === undefined ? [] : [name])))
  const linear = numbers.flatMap((name, place) => (means.has(name) ? [] : [place]))
  let first = numbers.length
  const embeddings = features.embeddings.map(({ name, size }) => {
    first += size
    return { name, first: first - size, size }
  })
  const vectors = embeddings.flatMap(({ name, size }) => Array.from({ length: size }, (_, place) => `${name}.${place}`))
  const userPlace = slots.find(slot => slot.ofUser === 'itself')?.firstPlace ?? -1
  return { slots, keyPlaces, userPlace, embeddedSlots, dense: [...numbers, ...vectors], embeddings, linear }
}
