/**
 * Where each feature lies in an example's columns (features/columns.ts). A function of the configuration alone: main
 * thread and worker compute it on their own and agree.
 */
import type { Config, SlotConfig } from '../config/schema.js'

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
}

export interface FeatureLayout {
  slots: readonly SlotLayout[]
  keyPlaces: number
  /** How many slots have an embedding: the model's input is [batch, embeddedSlots * dim] beside [batch, dense.length]. */
  embeddedSlots: number
  /** Names of the numeric inputs, in order. A `since` feature has a second one, NAME.never. */
  dense: readonly string[]
}

/** Multi-valued: a list of recent items, or a profile attribute (which may hold several values). */
function placesOf(slot: SlotConfig): number {
  if (slot.recent !== undefined) return slot.max
  const attribute = slot.from?.startsWith('user.') === true || slot.from?.startsWith('item.') === true
  return attribute ? slot.max : 1
}

export function layoutFeatures(features: Config['features']): FeatureLayout {
  let keyPlaces = 0
  let embeddedSlots = 0
  const slots = features.slots.map((slot): SlotLayout => {
    const places = placesOf(slot)
    const layout = {
      name: slot.name,
      table: slot.table ?? slot.name,
      firstPlace: keyPlaces,
      places,
      embedIndex: slot.embed ? embeddedSlots++ : -1,
      bias: slot.bias,
      wide: slot.wide,
    }
    keyPlaces += places
    return layout
  })
  const dense = features.numeric.flatMap(numeric =>
    numeric.since === undefined ? [numeric.name] : [numeric.name, `${numeric.name}.never`],
  )
  return { slots, keyPlaces, embeddedSlots, dense }
}
