/** The configuration itself and its variants (evaluate.compare): what a comparison runs, in order. */
import type { LoadedConfig } from '../config/load.js'
import { loadChecked } from './load-checked.js'

export interface Variant {
  name: string
  changes: Record<string, unknown>
  loaded: LoadedConfig
}

export function variantsOf(file: string, set: readonly string[], base: LoadedConfig): Variant[] {
  return base.config.evaluate.compare.map(({ name, set: changes }) => {
    const settings = Object.entries(changes).map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    return { name, changes, loaded: loadChecked(file, { set: [...set, ...settings] }) }
  })
}
