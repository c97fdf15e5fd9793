/**
 * What each challenger is: this configuration with some keys changed. Only what the learning thread alone owns may differ,
 * because features, joins and batches are made once for all of them. A challenger is known by the hash of its whole
 * configuration: it goes on where that one was, whatever it is called, and also when it has become the configuration itself.
 */
import { configHash } from './hash.js'
import { type Config, configSchema } from './schema.js'
import { setPath } from './set-path.js'

export interface Challenger {
  name: string
  /** Keys that differ. */
  changes: Readonly<Record<string, unknown>>
  /** All of it, without challengers. */
  config: Config
  hash: string
}

interface Fault {
  path: readonly PropertyKey[]
  message: string
}

const OWN = /^(model|optimizer|weights|table)\.[^.]|^drift\.(boost|boostSteps|forget)$|^tasks\.[^.]+\.prior$/
const MAY =
  'A challenger may set keys of model, optimizer, weights and table, drift.boost, drift.boostSteps, drift.forget and tasks.NAME.prior. What else a configuration could be, evaluate.compare tries in passes of its own'

/** input: what file, environment and flags said. onFault is told what can not be. */
export function readChallengers(
  input: Record<string, unknown>,
  config: Config,
  onFault: (fault: Fault) => void,
  check: (config: Config) => readonly Fault[],
): Challenger[] {
  const taken = new Map([[configHash(config), 'the configuration itself']])
  const names = new Set([config.name])
  return config.challengers.flatMap(({ name, set }, index) => {
    const at = ['challengers', index]
    if (names.has(name)) onFault({ path: [...at, 'name'], message: `'${name}' is the name of somebody else` })
    names.add(name)
    const refused = Object.keys(set).filter(key => !OWN.test(key))
    for (const key of refused)
      onFault({
        path: [...at, 'set', key],
        message: `is made once for all who learn from this stream, so no challenger can have its own. ${MAY}`,
      })
    if (refused.length > 0) return []
    const changed = changedInput(input, config, set)
    const parsed = configSchema.safeParse(changed)
    const faults = parsed.success ? check(parsed.data) : parsed.error.issues
    for (const { path, message } of faults)
      onFault({ path: [...at, 'set'], message: `${path.map(String).join('.')}: ${message}` })
    if (!parsed.success || faults.length > 0) return []
    const hash = configHash(parsed.data)
    const twin = taken.get(hash)
    if (twin !== undefined) onFault({ path: at, message: `'${name}' is nothing else than ${twin}` })
    taken.set(hash, `'${name}'`)
    return [{ name, changes: set, config: parsed.data, hash }]
  })
}

function changedInput(
  input: Record<string, unknown>,
  { tasks }: Config,
  set: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const changed = structuredClone(input)
  changed.challengers = []
  for (const [key, value] of Object.entries(set)) {
    const path = key.split('.')
    const [section, entry = ''] = path
    const index = tasks.findIndex(({ name }) => name === entry)
    if (section === 'tasks' && index >= 0) path[1] = String(index)
    setPath(changed, path, value)
  }
  return changed
}
