import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { stringify } from 'yaml'
import { parseConfig } from '../../../src/config/load.js'
import { configAsWritten } from '../../../src/config/print.js'
import { packageRoot } from '../../../src/std/package-root.js'

for (const name of ['shop', 'ml-100k', 'tmall']) {
  test(`what is printed of ${name} loads to the same configuration`, () => {
    const text = readFileSync(join(packageRoot(), `examples/${name}.yaml`), 'utf8')
    const { config, hash } = parseConfig(text, 'c.yaml')
    const printed = stringify(configAsWritten(config))
    assert.deepEqual(parseConfig(printed, 'printed.yaml').config, config)
    assert.equal(parseConfig(printed, 'printed.yaml').hash, hash)
  })
}

test('durations are printed as they are written', () => {
  const { config } = parseConfig(readFileSync(join(packageRoot(), 'examples/shop.yaml'), 'utf8'), 'c.yaml')
  assert.match(stringify(configAsWritten(config)), /tick: 10m\n[\s\S]*every: 1m\n/)
})

test('secrets are not printed', () => {
  const text = readFileSync(join(packageRoot(), 'examples/shop.yaml'), 'utf8')
  const env = { KAFKA_SASL_USERNAME: 'reader', KAFKA_SASL_PASSWORD: 'hush', SCHEMA_REGISTRY_PASSWORD: 'hush' }
  const printed = stringify(configAsWritten(parseConfig(text, 'c.yaml', { env }).config))
  assert.match(printed, /username: reader/)
  assert.doesNotMatch(printed, /hush|password/)
})
