import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MillraceError } from '../../../src/domain/errors.js'
import { loadMapping, parseMapping } from '../../../src/import/mapping-file.js'

const VALID = 'time: { column: ts, unit: s }\nevent: click\nfields: { user: u, item: i }\n'

const fault = (text: string): string => {
  try {
    parseMapping(text, 'm.yaml')
  } catch (error) {
    assert.ok(error instanceof MillraceError && error.code === 'IMPORT_INVALID')
    return error.message
  }
  return 'no fault'
}

test('a mapping that is right gets its defaults', () => {
  const { mapping } = parseMapping(VALID, 'm.yaml')
  assert.equal(mapping.delimiter, ',')
  assert.equal(mapping.partitions, 1)
  assert.equal(mapping.onBadRow, 'fail')
})

test('an unknown key is named with file, line and column, and the key that was meant', () => {
  assert.equal(fault(`${VALID}delimeter: ';'\n`), "m.yaml:4:1: delimeter: unknown key, did you mean 'delimiter'?")
  assert.match(
    fault(VALID.replace('user: u', 'user: u, postion: p')),
    /m\.yaml:3:\d+: fields\.postion: unknown key, did you mean 'position'\?/,
  )
  assert.match(
    fault(`${VALID}profiles:\n  item:\n    attributes:\n      tags: { column: t, splt: ' ' }\n`),
    /m\.yaml:7:\d+: profiles\.item\.attributes\.tags\.splt: unknown key, did you mean 'split'\?/,
  )
})

test('a wrong value is named with its place and what was expected', () => {
  assert.match(fault(VALID.replace('unit: s', 'unit: sec')), /m\.yaml:1:\d+: time\.unit: .*"s"\|"ms"\|"us"\|"iso"/)
  assert.match(
    fault(VALID.replace('event: click', 'event: clik')),
    /m\.yaml:2:8: event: expected impression, click, buy or rating/,
  )
  assert.match(
    fault(VALID.replace('event: click', 'event: { column: e, values: { a: tap } }')),
    /m\.yaml:2:\d+: event\.values\.a: .*"impression"/,
  )
  assert.match(fault(VALID.replace('item: i', '')), /m\.yaml:3:\d+: fields\.item: /)
  assert.match(fault('time: {'), /m\.yaml:1:\d+: /)
})

test('numbers may stand for no value; what YAML takes for null needs quotes, and the message says so', () => {
  assert.deepEqual(parseMapping(`${VALID}missing: [-1, N/A, 'NULL']\n`, 'm.yaml').mapping.missing, [
    '-1',
    'N/A',
    'NULL',
  ])
  assert.match(fault(`${VALID}missing: [NULL]\n`), /m\.yaml:4:11: missing\.0: expected a text; .*needs quotes/)
})

test('what can not work together is refused', () => {
  assert.match(
    fault(`${VALID}header: false\n`),
    /m\.yaml:4:9: header: without a header, `columns` must name the columns/,
  )
  assert.match(fault(VALID.replace('event: click', 'event: rating')), /m\.yaml:3:\d+: fields: ratings need `value`/)
})

test('a mapping file that is not there is an error with its name', () => {
  assert.throws(() => loadMapping('/nowhere/m.yaml'), /\/nowhere\/m\.yaml: the mapping can not be read/)
})
