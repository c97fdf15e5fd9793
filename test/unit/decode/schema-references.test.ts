import assert from 'node:assert/strict'
import { test } from 'node:test'
import avro from 'avsc'
import { inlineReferences } from '../../../src/decode/schema-references.js'

const inlined = (schema: unknown, ...definitions: unknown[]) =>
  JSON.parse(
    inlineReferences(
      JSON.stringify(schema),
      definitions.map(one => JSON.stringify(one)),
    ),
  )
const record = (name: string, fields: Record<string, unknown>, rest: object = {}) => ({
  ...{ type: 'record', name },
  ...rest,
  fields: Object.entries(fields).map(([field, type]) => ({ name: field, type })),
})
const canonical = (schema: unknown) => avro.Type.forSchema(schema as never).schema()

test('a name is defined where it is met first, in every kind of type', () => {
  const device = { type: 'enum', name: 'shop.Device', symbols: ['PHONE', 'DESK'] }
  const user = record('shop.User', { id: 'long', device: ['null', 'shop.Device'] })
  const uses = {
    user: 'shop.User',
    all: { type: 'array', items: 'shop.User' },
    by: { type: 'map', values: 'shop.Device' },
  }
  assert.deepEqual(
    canonical(inlined(record('shop.Click', uses), user, device)),
    canonical(record('shop.Click', { ...uses, user: record('shop.User', { id: 'long', device: ['null', device] }) })),
  )
})

test('names without a namespace are those of the enclosing one', () => {
  const user = record('User', { id: 'long', friend: ['null', 'User'] }, { namespace: 'shop' })
  const click = record('Click', { user: 'User' }, { namespace: 'shop' })
  assert.deepEqual(canonical(inlined(click, user)), canonical({ ...click, fields: [{ name: 'user', type: user }] }))
})

test('a definition without a namespace keeps having none inside another one', () => {
  const inner = record('Inner', { x: 'int' }, {})
  const outer = record('Outer', { a: { type: 'array', items: 'a.Middle' } }, { namespace: 'a' })
  const middle = record('a.Middle', { b: 'int' })
  assert.deepEqual(canonical(inlined(record('R', { i: 'Inner' }), inner)), canonical(record('R', { i: inner })))
  assert.doesNotThrow(() => canonical(inlined(outer, middle)))
})

test('what the schema defines itself is not defined again, and unknown names stay', () => {
  const self = record('Tree', { left: ['null', 'Tree'], other: 'Nowhere' })
  assert.deepEqual(inlined(self, record('Tree', { wrong: 'int' })), self)
})

test('attributes besides the types are kept', () => {
  const time = { type: 'long', logicalType: 'timestamp-micros' }
  const schema = { ...record('R', { at: time }), doc: 'd', aliases: ['S'] }
  assert.deepEqual(inlined(schema), schema)
})
