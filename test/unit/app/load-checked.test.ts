import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkConfig, parseSetting } from '../../../src/app/load-checked.js'
import { parseConfig } from '../../../src/config/load.js'
import { MillraceError } from '../../../src/domain/errors.js'

/** Faults of a configuration with these tasks, as 'path: message'. */
function faultsOf(...tasks: string[]): string[] {
  const text = `tasks: [${tasks.join(', ')}]\nfeatures: { slots: [{ name: user, from: user }] }\n`
  return checkConfig(parseConfig(text, 'c.yaml').config).map(({ path, message }) => `${path.join('.')}: ${message}`)
}

test('a setting is a key and a value, read as YAML', () => {
  assert.deepEqual(parseSetting('model.dim=8'), ['model.dim', 8])
  assert.deepEqual(parseSetting('model.hidden=[64, 32]'), ['model.hidden', [64, 32]])
  assert.deepEqual(parseSetting('outputs.path=/tmp/a=b'), ['outputs.path', '/tmp/a=b'])
  for (const wrong of ['model.dim', '=8']) {
    assert.throws(
      () => parseSetting(wrong),
      (error: unknown) => error instanceof MillraceError && error.code === 'USAGE',
    )
  }
})

test('tasks that fit have no faults', () => {
  assert.deepEqual(
    faultsOf(
      '{ name: click, label: { event: click, window: 30m } }',
      '{ name: stars, head: ordinal, label: { event: rating }, range: [1, 5] }',
      '{ name: like, label: { event: rating, atLeast: 4 } }',
      '{ name: share, label: { event: click, window: 30m, from: context.action, equals: share } }',
      '{ name: price, head: regression, label: { event: buy, from: item.price, transform: log1p }, range: [0, 100] }',
      '{ name: own, label: { event: buy, from: item.brand, sameAs: user.brand } }',
      '{ name: mood, head: categorical, label: { event: rating, from: context.mood, classes: [bad, good], of: good } }',
    ),
    [],
  )
})

for (const [what, task, message] of [
  [
    'a numeric head on clicks',
    '{ name: t, head: regression, label: { event: click }, range: [0, 1] }',
    /a click has none/,
  ],
  [
    'a threshold on a numeric head',
    '{ name: t, head: regression, label: { event: rating, atLeast: 4 }, range: [1, 5] }',
    /only binary/,
  ],
  [
    'factors of the values of a slot that has none',
    '{ name: t, label: { event: click, window: 1h }, segments: { slots: { user: { ann: 2 } } } }',
    /no slot 'user' is from user\.ATTRIBUTE/,
  ],
  ['texts of a value', '{ name: t, label: { event: rating, equals: good } }', /compares texts/],
  [
    'classes of a number',
    '{ name: t, head: categorical, label: { event: rating, classes: [a, b], of: a } }',
    /name a text/,
  ],
  [
    'all classes',
    '{ name: t, head: categorical, label: { event: rating, from: context.m, classes: [a, b], of: [a, b] } }',
    /not all/,
  ],
  ['classes of another head', '{ name: t, label: { event: rating, atLeast: 4, of: a } }', /head categorical/],
  ['two conditions', '{ name: t, label: { event: rating, from: context.a, equals: b, atLeast: 1 } }', /one of/],
  ['a source that nothing is asked of', '{ name: t, label: { event: click, from: context.a } }', /asks something/],
  [
    'a transform of levels',
    '{ name: t, head: ordinal, label: { event: rating, transform: log1p }, range: [1, 5] }',
    /head regression/,
  ],
  [
    'the logarithm of values below 0',
    '{ name: t, head: regression, label: { event: rating, transform: log1p }, range: [-1, 5] }',
    /at least 0/,
  ],
  ['a binary task on ratings without a threshold', '{ name: t, label: { event: rating } }', /needs atLeast/],
  ['a binary task without a window', '{ name: t, label: { event: click } }', /needs a window/],
  ['a numeric head without a range', '{ name: t, head: ordinal, label: { event: rating } }', /needs a range/],
  [
    'a range upside down',
    '{ name: t, head: regression, label: { event: rating }, range: [5, 1] }',
    /lowest value comes first/,
  ],
  ['levels between integers', '{ name: t, head: ordinal, label: { event: rating }, range: [0.5, 5] }', /integers/],
] as const) {
  test(`${what} is a fault`, () => {
    const faults = faultsOf(task)
    assert.equal(faults.length, 1, faults.join('\n'))
    assert.match(faults[0] ?? '', message)
  })
}

test('two tasks of one name are a fault', () => {
  const task = '{ name: t, label: { event: click, window: 1m } }'
  assert.match(faultsOf(task, task).join(), /two tasks named 't'/)
})

test('outputs on topics are a fault where events come from a log folder, not where they come from topics', () => {
  const withEnds = (source: string) =>
    `${source}\noutputs: { kafka: {} }\ntasks: [{ name: t, label: { event: click, window: 1m } }]\nfeatures: { slots: [{ name: user, from: user }] }\n`
  const load = (source: string) => parseConfig(withEnds(source), 'c.yaml', { check: checkConfig }).config
  assert.throws(
    () => load('source: { log: somewhere }'),
    (error: unknown) =>
      error instanceof MillraceError &&
      error.code === 'CONFIG_INVALID' &&
      error.message.startsWith('c.yaml:2:12: outputs.kafka: ') &&
      error.message.includes('Add source.kafka'),
  )
  assert.notEqual(load('source: { kafka: { topics: [events] } }').outputs.kafka, undefined)
})

for (const [what, tasks, message] of [
  [
    'a funnel from nowhere',
    [
      ['view', '30m', ''],
      ['buy', '3d', 'given: click'],
    ],
    /task declared above/,
  ],
  [
    'a funnel whose beginning is known last',
    [
      ['click', '4d', ''],
      ['buy', '3d', 'given: click'],
    ],
    /known later/,
  ],
] as const) {
  test(`${what} is a fault`, () => {
    const faults = faultsOf(
      ...tasks.map(([name, window, more]) => `{ name: ${name}, label: { event: click, window: ${window} }, ${more} }`),
    )
    assert.equal(faults.length, 1, faults.join('\n'))
    assert.match(faults[0] ?? '', message)
  })
}

test('an architecture that needs layers or a funnel says so', () => {
  const faults = (model: string) => {
    const text = `model: ${model}\ntasks: [{ name: click, label: { event: click, window: 1m } }]\nfeatures: { slots: [{ name: user, from: user }] }\n`
    return checkConfig(parseConfig(text, 'c.yaml').config).map(({ message }) => message)
  }
  assert.match(faults('{ architecture: shared-middle, hidden: [64] }').join(), /needs two layers/)
  assert.match(faults('{ architecture: aitm }').join(), /`given` another/)
  assert.deepEqual(faults('{ architecture: ple }'), [])
})

test('an address that others can reach needs API keys, and a key is given by its hash', () => {
  const faults = (http: string, env: Record<string, string> = {}) => {
    const text = `tasks: [{ name: click, label: { event: click, window: 30m } }]
features: { slots: [{ name: user, from: user }] }
http: ${http}
`
    return checkConfig(parseConfig(text, 'c.yaml', { env }).config).map(
      ({ path, message }) => `${path.join('.')}: ${message}`,
    )
  }
  const hash = '0123456789abcdef'.repeat(4)
  const open = faults('{ host: 0.0.0.0 }')
  assert.equal(open.length, 1)
  assert.match(open[0] ?? '', /^http\.host: 0\.0\.0\.0 can be reached from other machines, so http\.keys/)
  assert.deepEqual(faults('{ host: 0.0.0.0, enabled: false }'), [])
  for (const host of ['localhost', '127.0.0.1', '127.8.8.8', '"::1"']) assert.deepEqual(faults(`{ host: ${host} }`), [])
  assert.deepEqual(faults('{ host: 0.0.0.0 }', { MILLRACE_HTTP_KEYS: `read:${hash},admin:${hash}` }), [])
  assert.throws(() => faults('{ keys: [my-secret-key] }'), /c\.yaml:3:16: http\.keys\.0: expected SCOPE:HASH/)
})
