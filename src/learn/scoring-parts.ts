/** What a published snapshot holds: the state that scoring needs. Optimiser state, metrics and pending counts stay home. */
import type { PartState } from '../domain/state.js'

const SCORING = new Set(['model', 'tables', 'fast'])
/** Arrays that only training uses, by the last part of their names. */
const TRAINING_ONLY = new Set(['mean', 'square', 'weighting', 'pending'])

export function scoringParts(parts: Record<string, PartState>): [name: string, state: PartState][] {
  return Object.entries(parts)
    .filter(([name]) => SCORING.has(name))
    .map(([name, { meta, arrays }]) => [
      name,
      {
        meta,
        arrays: Object.fromEntries(
          Object.entries(arrays).filter(([array]) => !TRAINING_ONLY.has(array.split('.').at(-1) ?? '')),
        ),
      },
    ])
}
