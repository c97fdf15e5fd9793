import { MillraceError } from '../domain/errors.js'
import type { LoadedState, StateArray } from '../domain/state.js'

/** An array of the saved recommender, of the type that its reader relies on. */
export function loadedArray<T extends StateArray>(
  state: LoadedState,
  name: string,
  type: new (length: number) => T,
): T {
  const array = state.arrays[name]
  if (!(array instanceof type)) {
    throw new MillraceError('CHECKPOINT_INCOMPATIBLE', `recommend: array '${name}' is not the ${type.name} expected`)
  }
  return array
}
