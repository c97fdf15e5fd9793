/**
 * A configuration as a file would hold it, defaults included: durations are text again, secrets are left out. It loads to
 * the same configuration where the secrets come from the environment.
 */
import { type ConfigLeaf, describeLeaves } from './describe.js'
import { type Config, durationText } from './schema.js'

export function configAsWritten(config: Config): unknown {
  return written(config, [], {
    durations: pathsOf(leaf => leaf.unit === 'duration'),
    secrets: pathsOf(leaf => leaf.secret === true),
  })
}

interface Special {
  durations: ReadonlySet<string>
  secrets: ReadonlySet<string>
}

const pathsOf = (isMeant: (leaf: ConfigLeaf) => boolean) =>
  new Set(
    describeLeaves(true)
      .filter(isMeant)
      .map(leaf => leaf.path.join('.')),
  )

function written(value: unknown, path: readonly string[], special: Special): unknown {
  if (typeof value === 'number') return special.durations.has(path.join('.')) ? durationText(value) : value
  if (Array.isArray(value)) return value.map(one => written(one, [...path, '[]'], special))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !special.secrets.has([...path, key].join('.')))
      .map(([key, one]) => [key, written(one, [...path, key], special)]),
  )
}
