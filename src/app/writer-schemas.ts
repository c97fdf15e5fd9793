/** The schemas of writers that the configuration names: source.kafka.schema, one for all topics or a file by topic. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { LoadedConfig } from '../config/load.js'
import type { Config } from '../config/schema.js'
import { MillraceError } from '../domain/errors.js'
import { topicMatcher } from '../source/kafka-topics.js'

export interface WriterSchemas {
  schema?: string
  schemaOf?(topic: string): string | undefined
}

/** As JSON. CONFIG_INVALID: a file can not be read, a pattern is none, a topic by name has no schema. */
export function writerSchemas(
  { folder, file }: LoadedConfig,
  source: NonNullable<Config['source']['kafka']>,
): WriterSchemas {
  const { schema, framing, topics } = source
  if (schema === undefined) return {}
  const read = (path: string) => {
    try {
      return readFileSync(resolve(folder, path), 'utf8')
    } catch (cause) {
      throw new MillraceError('CONFIG_INVALID', `${file}: source.kafka.schema: ${(cause as Error).message}`, { cause })
    }
  }
  if (typeof schema === 'string') return { schema: read(schema) }
  if (framing !== 'bare') {
    const message = `${file}: source.kafka.schema by topic is for framing 'bare'; with '${framing}' each message names its schema`
    throw new MillraceError('CONFIG_INVALID', message)
  }
  const known = Object.entries(schema).map(([pattern, path]) => ({ ...topicMatcher([pattern]), json: read(path) }))
  const schemaOf = (topic: string) => known.find(({ matches }) => matches(topic))?.json
  const lacking = topicMatcher(topics).names.filter(name => schemaOf(name) === undefined)
  if (lacking.length > 0)
    throw new MillraceError(
      'CONFIG_INVALID',
      `${file}: source.kafka.schema has no schema for topic ${lacking.join(', ')}`,
    )
  return { schemaOf }
}
