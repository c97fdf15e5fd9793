/** A configuration as a file would hold it, defaults included: durations are text again. It loads to the same configuration. */
import { describeLeaves } from './describe.js'
import { type Config, durationText } from './schema.js'

export function configAsWritten(config: Config): unknown {
  const durations = new Set(
    describeLeaves(true)
      .filter(leaf => leaf.unit === 'duration')
      .map(leaf => leaf.path.join('.')),
  )
  return written(config, [], durations)
}

function written(value: unknown, path: readonly string[], durations: ReadonlySet<string>): unknown {
  if (typeof value === 'number') return durations.has(path.join('.')) ? durationText(value) : value
  if (Array.isArray(value)) return value.map(one => written(one, [...path, '[]'], durations))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, written(one, [...path, key], durations)]))
}
