/** AsyncAPI's own parser finds nothing wrong with what we say about our topics, Avro schemas and Kafka bindings included. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { asyncapiYaml } from '../../src/config/asyncapi.js'
import { type ConfigInput, configSchema } from '../../src/config/schema.js'
import { packageRoot } from '../../src/std/package-root.js'
import { smallConfig } from '../helpers/workspace.js'

const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache')
const folder = join(cache, 'millrace', 'asyncapi-3.6.3')
const skip = existsSync(folder) ? false : "AsyncAPI's parser is not provisioned (scripts/provision-asyncapi)"

interface Parsed {
  document?: { json(): Record<string, Record<string, unknown>> }
  diagnostics: { message: string; path: (string | number)[]; severity: number }[]
}

async function parse(text: string): Promise<Parsed> {
  const load = createRequire(join(folder, 'package.json'))
  const { Parser } = load('@asyncapi/parser')
  const { AvroSchemaParser } = load('@asyncapi/avro-schema-parser')
  const parser = new Parser()
  parser.registerSchemaParser(AvroSchemaParser())
  return parser.parse(text)
}

const ERROR = 0
const WARNING = 1

/** What the parser objects to. Its hints, such as that the specification has a newer version, are no faults. */
function objections({ diagnostics }: Parsed): string[] {
  return diagnostics
    .filter(({ severity }) => severity === ERROR || severity === WARNING)
    .map(({ message, path }) => `${path.join('.')}: ${message}`)
}

const yaml = (own: Partial<ConfigInput>) => asyncapiYaml(configSchema.parse({ ...smallConfig, ...own }))

test('the document that we ship is one', { skip }, async () => {
  const parsed = await parse(readFileSync(join(packageRoot(), 'schemas/asyncapi.yaml'), 'utf8'))
  assert.deepEqual(objections(parsed), [])
  const { channels = {}, operations = {} } = parsed.document?.json() ?? {}
  assert.equal(Object.keys(channels).length, 7)
  assert.equal(Object.keys(operations).length, 8)
})

test('so is one of a secured cluster, with patterns and without predictions', { skip }, async () => {
  const text = yaml({
    source: { kafka: { topics: ['shop.clicks', '/^shop\\.buys\\./'], framing: 'bare' } },
    outputs: { kafka: {}, predictions: false },
    kafka: {
      brokers: ['one.example:9093', 'two.example:9093'],
      tls: { ca: 'ca.pem', cert: 'client.pem', key: 'client.key' },
      sasl: { mechanism: 'scram-sha-256', username: 'millrace', password: 'secret-1' },
      registry: { url: 'https://reader-7:secret-2@registry.example/api', username: 'reader-7', password: 'secret-3' },
    },
  })
  const parsed = await parse(text)
  assert.deepEqual(objections(parsed), [])
  assert.doesNotMatch(text, /secret-\d|reader-7/)
  const { channels = {}, servers = {} } = parsed.document?.json() ?? {}
  assert.deepEqual(Object.keys(servers), ['broker1', 'broker2'])
  assert.equal((channels.input2 as { address: null }).address, null)
  assert.equal(channels.predictions, undefined)
})

test('the parser is not blind: it objects to what is wrong', { skip }, async () => {
  const text = yaml({ outputs: { kafka: {} } })
  const changes = {
    'action: send': 'action: shout',
    'partitions: 1': 'partitions: many',
    'type: record': 'type: recorder',
  }
  for (const [right, wrong] of Object.entries(changes)) {
    assert.ok(text.includes(right))
    assert.notDeepEqual(objections(await parse(text.replace(right, wrong))), [], wrong)
  }
})
