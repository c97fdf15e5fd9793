import { MillraceError } from '../domain/errors.js'
import type { LoadedState, StateArray } from '../domain/state.js'

/** An array of a loaded state, of the type and the length that the reader relies on. */
export function loadedArray<T extends StateArray>(
  state: LoadedState,
  name: string,
  type: new (length: number) => T,
  length?: number,
): T {
  const array = state.arrays[name]
  if (!(array instanceof type) || (length !== undefined && array.length !== length)) {
    throw new MillraceError('CHECKPOINT_INCOMPATIBLE', `features: array '${name}' is not the ${type.name} expected`)
  }
  return array
}

export function loadedInteger(state: LoadedState, name: string): number {
  const { meta } = state
  const value = meta !== null && typeof meta === 'object' && !Array.isArray(meta) ? meta[name] : undefined
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw new MillraceError('CHECKPOINT_INCOMPATIBLE', `features: '${name}' is not an integer`)
  }
  return value
}
