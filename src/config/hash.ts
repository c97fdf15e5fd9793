/** The name of a model configuration. */
import { createHash } from 'node:crypto'
import { pseudonymsName } from '../std/pseudonyms.js'
import type { Config } from './schema.js'

/** Only what decides the model; not where files lie, how often something is written, or who learns beside it. */
export function configHash(config: Config): string {
  const { tasks, join, features, model, optimizer, table, weights, batch, fast, recommend, drift, source, outputs } =
    config
  const decisive = {
    tasks,
    join,
    features,
    model,
    optimizer,
    table,
    weights,
    batch: { ...batch, linger: 0 },
    fast,
    recommend,
    drift,
    gate: outputs.gate,
    limits: [source.maxDecodeBytes, source.maxIdBytes],
    // Of the key, not the key: the hash is published.
    pseudonyms: source.pseudonyms && pseudonymsName(source.pseudonyms.key),
  }
  return createHash('sha256').update(canonical(decisive)).digest('hex').slice(0, 16)
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, one]) => one !== undefined)
    return `{${entries
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, one]) => `${JSON.stringify(key)}:${canonical(one)}`)
      .join(',')}}`
  }
  return JSON.stringify(value) ?? 'null'
}
