import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { writerSchemas } from '../../../src/app/writer-schemas.js'
import type { LoadedConfig } from '../../../src/config/load.js'
import { configSchema } from '../../../src/config/schema.js'
import { packageRoot } from '../../../src/std/package-root.js'
import { smallConfig } from '../../helpers/small-config.js'

const folder = join(packageRoot(), 'schemas')

function of(kafka: { topics: string[]; framing?: 'bare' | 'confluent'; schema?: string | Record<string, string> }) {
  const config = configSchema.parse({ ...smallConfig, source: { kafka } })
  return writerSchemas({ folder, file: 'm.yaml', config } as LoadedConfig, config.source.kafka ?? assert.fail())
}

test('one schema for all topics, or the first of several that fits the topic', () => {
  assert.match(of({ topics: ['a'], framing: 'bare', schema: 'click.avsc' }).schema ?? '', /"Click"/)
  const schema = { a: 'click.avsc', '/^b/': 'buy.avsc', '/./': 'rating.avsc' }
  const { schemaOf } = of({ topics: ['a', '/b/'], framing: 'bare', schema })
  const names = ['a', 'b1', 'cb'].map(topic => JSON.parse(schemaOf?.(topic) ?? '{}').name)
  assert.deepEqual(names, ['Click', 'Buy', 'Rating'])
})

test('what can not be is a fault of the configuration, which says what', () => {
  const wrong = (kafka: Parameters<typeof of>[0], message: RegExp) =>
    assert.throws(() => of(kafka), { code: 'CONFIG_INVALID', message })
  wrong({ topics: ['a', 'b'], framing: 'bare', schema: { a: 'click.avsc' } }, /m\.yaml: .* no schema for topic b/)
  wrong({ topics: ['a'], schema: { a: 'click.avsc' } }, /for framing 'bare'/)
  wrong({ topics: ['a'], framing: 'bare', schema: 'none.avsc' }, /none\.avsc/)
  wrong({ topics: ['/a/'], framing: 'bare', schema: { '/(/': 'click.avsc' } }, /not a regular expression/)
})
