import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { configHash } from '../../../src/config/hash.js'
import { loadConfig, parseConfig } from '../../../src/config/load.js'
import { MillraceError } from '../../../src/domain/errors.js'

const VALID = `tasks:
  - { name: click, label: { event: click, window: 30m } }
features: { slots: [{ name: user, from: user }] }
`

const fails = (...messages: RegExp[]) =>
  function invalid(error: unknown) {
    assert.ok(error instanceof MillraceError && error.code === 'CONFIG_INVALID', String(error))
    for (const message of messages) assert.match(error.message, message)
    return true
  }

test('what is not said has its default, durations are milliseconds', () => {
  const { config } = parseConfig(VALID, 'c.yaml')
  assert.equal(config.tasks[0]?.label.window, 1_800_000)
  assert.equal(config.batch.tick, 60_000)
  assert.equal(config.weights.method, 'manual')
})

test('an unknown key is named with its place and the key that was probably meant', () => {
  assert.throws(
    () => parseConfig(`${VALID}batch: { maxExamples: 5, tik: 1s }\n`, 'c.yaml'),
    fails(/^c\.yaml:4:\d+: batch\.tik: unknown key, did you mean 'tick'\?$/),
  )
  assert.throws(
    () => parseConfig(`${VALID}modle: {}\n`, 'c.yaml'),
    fails(/^c\.yaml:4:1: modle: .*did you mean 'model'/),
  )
})

test('a wrong unit says what a duration looks like', () => {
  assert.throws(
    () => parseConfig(`${VALID}batch: { tick: 10 minutes }\n`, 'c.yaml'),
    fails(/c\.yaml:4:16: .*'10s', '1h30m'/),
  )
  assert.throws(() => parseConfig(`${VALID}batch: { tick: 10 }\n`, 'c.yaml'), fails(/c\.yaml:4:16: batch\.tick: /))
})

test('every fault is listed at once', () => {
  const text = `${VALID}batch: { maxExamples: many }\nweights: { method: magic }\n`
  assert.throws(() => parseConfig(text, 'c.yaml'), fails(/c\.yaml:4:.*maxExamples/, /c\.yaml:5:.*weights\.method/))
})

test('a section that is missing is a fault of the place that lacks it', () => {
  assert.throws(() => parseConfig('name: x\n', 'c.yaml'), fails(/c\.yaml:1:\d+: tasks: /, /features: /))
})

test('broken YAML is named with its place', () => {
  assert.throws(() => parseConfig('tasks: [\n', 'c.yaml'), fails(/^c\.yaml:\d+:\d+: /))
})

test('a file that is not there is a fault of the configuration', () => {
  assert.throws(() => loadConfig('no/such.yaml'), fails(/no\/such\.yaml: .*can not be read/))
})

test('flags are stronger than the environment, the environment is stronger than the file', () => {
  const text = `${VALID}model: { seed: 3 }\n`
  const seed = (options: Parameters<typeof parseConfig>[2]) => parseConfig(text, 'c.yaml', options).config.model.seed
  assert.equal(seed({}), 3)
  assert.equal(seed({ env: { MILLRACE_SEED: '4' } }), 4)
  assert.equal(seed({ env: { MILLRACE_SEED: '4' }, overrides: { 'model.seed': 5 } }), 5)
})

test('lists in the environment are separated by commas', () => {
  const { config } = parseConfig(VALID, 'c.yaml', { env: { KAFKA_BROKERS: 'one:9092, two:9092' } })
  assert.deepEqual(config.kafka.brokers, ['one:9092', 'two:9092'])
})

test('a variable that other programs share does not begin a section that nobody asked for', () => {
  const env = { KAFKA_GROUP_ID: 'shared' }
  assert.equal(parseConfig(VALID, 'c.yaml', { env }).config.source.kafka, undefined)
  const asked = parseConfig(`${VALID}source: { kafka: { topics: [events] } }`, 'c.yaml', { env })
  assert.equal(asked.config.source.kafka?.group, 'shared')
  const flagged = parseConfig(VALID, 'c.yaml', { env, overrides: { 'source.kafka.topics': ['events'] } })
  assert.equal(flagged.config.source.kafka?.group, 'shared')
  assert.equal(
    parseConfig(VALID, 'c.yaml', { env: { SCHEMA_REGISTRY_URL: 'http://r' } }).config.kafka.registry?.url,
    'http://r',
  )
})

test('secrets come from files that the environment names, unless it holds them itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-secrets-'))
  const file = join(folder, 'password')
  writeFileSync(file, 'from-file\n')
  const password = (env: Record<string, string>) => parseConfig(VALID, 'c.yaml', { env }).config.kafka.sasl?.password
  assert.equal(password({ KAFKA_SASL_PASSWORD_FILE: file }), 'from-file')
  assert.equal(password({ KAFKA_SASL_PASSWORD_FILE: file, KAFKA_SASL_PASSWORD: 'itself' }), 'itself')
  rmSync(folder, { recursive: true })
  assert.throws(() => password({ KAFKA_SASL_PASSWORD_FILE: file }), fails(/KAFKA_SASL_PASSWORD_FILE: .*no such file/))
})

test('text values take ${NAME} and ${NAME:default} from the environment', () => {
  const text = `${VALID}source: { log: '\${ROOT:/data}/log' }\n`
  assert.equal(parseConfig(text, 'c.yaml', { env: {} }).config.source.log, '/data/log')
  assert.equal(parseConfig(text, 'c.yaml', { env: { ROOT: '/mnt' } }).config.source.log, '/mnt/log')
})

test('the hash names what decides the model, not where files lie or how they are spelt', () => {
  const hash = (more: string) => configHash(parseConfig(`${VALID}${more}`, 'c.yaml').config)
  const plain = hash('')
  assert.match(plain, /^[0-9a-f]{16}$/)
  assert.equal(hash('outputs: { path: elsewhere }\nname: other\n'), plain)
  assert.equal(hash('batch: { linger: 5s }\n'), plain)
  assert.equal(hash('batch: { tick: 60s }\n'), plain)
  assert.notEqual(hash('batch: { tick: 61s }\n'), plain)
  assert.notEqual(hash('model: { seed: 2 }\n'), plain)
  assert.notEqual(hash('fast: { enabled: false }\n'), plain)
})

test('a challenger is the configuration with some keys changed, known by the hash that it would have alone', () => {
  const set = '{ model.architecture: mmoe, tasks.click.prior: 3, drift.boost: 2 }'
  const { hash, challengers } = parseConfig(`${VALID}challengers: [{ name: other, set: ${set} }]\n`, 'm.yaml')
  assert.equal(hash, parseConfig(VALID, 'm.yaml').hash)
  const alone = parseConfig(
    `${VALID.replace('name: click,', 'name: click, prior: 3,')}model: { architecture: mmoe }\ndrift: { boost: 2 }\n`,
    'm.yaml',
  )
  assert.deepEqual(
    challengers.map(({ name, hash }) => [name, hash]),
    [['other', alone.hash]],
  )
  assert.deepEqual(challengers[0]?.config, alone.config)
})

test('a challenger that can not be is refused with the reason: keys that all share, values that do not fit, a twin', () => {
  const faultOf = (set: string) => {
    try {
      parseConfig(`${VALID}challengers:\n  - { name: other, set: ${set} }\n`, 'm.yaml')
    } catch (error) {
      return (error as Error).message
    }
    return ''
  }
  for (const key of [
    'fast.tick: 1m',
    'batch.maxExamples: 5',
    'features.slots: []',
    'tasks.0.label: {}',
    'drift.delta: 1',
  ])
    assert.match(faultOf(`{ ${key} }`), /^m\.yaml:5:\d+: challengers\.0\.set\..*: is made once for all/, key)
  assert.match(faultOf('{ model.dim: none }'), /challengers\.0\.set: model\.dim: /)
  assert.match(faultOf('{ model.seed: 1 }'), /challengers\.0: 'other' is nothing else than the configuration itself/)
})
