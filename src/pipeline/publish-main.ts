/** What a published version holds of the main thread: the keyed state that features are made of, and top-N. */
import type { NamedPart, PublishedState, SnapshotKind } from '../domain/state.js'
import type { FeatureExtractor } from '../features/extract.js'
import type { Recommender } from '../recommend/recommender.js'

/** As of now. The arrays go to another thread, so none of them is a view of what goes on changing here. */
export function publishMain(
  kind: SnapshotKind,
  features: FeatureExtractor,
  recommender: Recommender | undefined,
): NamedPart[] {
  const parts = features.publish(kind).map(([name, published]): NamedPart => [`features.${name}`, published])
  if (recommender !== undefined) parts.push(['recommend', detached(recommender.publish(kind))])
  return parts
}

function detached(published: PublishedState): PublishedState {
  const { meta, arrays } = published.state
  const copies = Object.entries(arrays).map(([name, array]) => [
    name,
    Array.isArray(array) ? array.map(slab => slab.slice()) : array.slice(),
  ])
  return { ...published, state: { meta, arrays: Object.fromEntries(copies) } }
}
