/** What of profiles and histories a configuration uses; nothing else is kept. */
import type { ProfileNeed } from '../config/label-source.js'
import type { Config, SlotConfig } from '../config/schema.js'

type Features = Config['features']
type Owner = 'user' | 'item'

/** Values of an attribute that labels look at. */
const LABEL_PLACES = 16

/** Categorical attributes of users or items, and how many values of each are used. needs: of labels. */
export function wantedAttributes(
  features: Features,
  owner: Owner,
  needs: readonly ProfileNeed[] = [],
): Map<string, number> {
  const wanted = new Map<string, number>()
  const want = (source: string | undefined, places: number) => {
    const [side, attribute] = source?.split('.') ?? []
    if (side !== owner || attribute === undefined) return
    wanted.set(attribute, Math.max(places, wanted.get(attribute) ?? 0))
  }
  for (const slot of features.slots) want(slot.from, slot.max)
  for (const numeric of features.numeric) for (const entity of numeric.by ?? []) want(entity, 1)
  for (const { side, name, kind } of needs) if (kind === 'text') want(`${side}.${name}`, LABEL_PLACES)
  return wanted
}

/** Numeric attributes of users or items. */
export function wantedNumbers(features: Features, owner: Owner, needs: readonly ProfileNeed[] = []): Set<string> {
  const sources = features.numeric.map(numeric => numeric.from?.split('.') ?? [])
  const ofLabels = needs.flatMap(({ side, name, kind }) => (side === owner && kind === 'number' ? [name] : []))
  return new Set([
    ...sources.flatMap(([side, name]) => (side === owner && name !== undefined ? [name] : [])),
    ...ofLabels,
  ])
}

/** Embeddings of users or items, in the order of the configuration. key: among those with names; undefined: the one without. */
export function wantedVectors(features: Features, owner: Owner): { key: string | undefined; size: number }[] {
  return features.embeddings.filter(({ from }) => from === owner).map(({ key, size }) => ({ key, size }))
}

/** How many of a user's recent items by each kind of event are used. */
export function wantedRecent(features: Features): Map<NonNullable<SlotConfig['recent']>, number> {
  const wanted = new Map<NonNullable<SlotConfig['recent']>, number>()
  for (const { recent, max } of features.slots) {
    if (recent !== undefined) wanted.set(recent, Math.max(max, wanted.get(recent) ?? 0))
  }
  return wanted
}
