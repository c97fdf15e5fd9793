import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineCounter, parseDocument } from 'yaml'
import { offsetOf } from '../../../src/config/place.js'

const TEXT = `name: shop
batch:
  tick: 5m
tasks:
  - name: click
    label: { event: click }
  - { name: buy, range: [1, five] }
empty:
`
const lineCounter = new LineCounter()
const document = parseDocument(TEXT, { lineCounter })

function place(path: readonly PropertyKey[], of?: 'key'): string {
  const { line, col } = lineCounter.linePos(offsetOf(document, path, of))
  return `${line}:${col}`
}

test('a value is where it begins, a section where its key is, an entry of a list where it begins', () => {
  assert.equal(place(['name']), '1:7')
  assert.equal(place(['batch']), '2:1')
  assert.equal(place(['batch', 'tick']), '3:9')
  assert.equal(place(['tasks', 0]), '5:5')
  assert.equal(place(['tasks', 1]), '7:5')
  assert.equal(place(['tasks', 0, 'label', 'event']), '6:21')
  assert.equal(place(['tasks', 1, 'range', 1]), '7:29')
})

test('a key is where it stands, whatever its value is', () => {
  assert.equal(place(['name'], 'key'), '1:1')
  assert.equal(place(['batch', 'tick'], 'key'), '3:3')
  assert.equal(place(['tasks', 1, 'range'], 'key'), '7:18')
})

test('what is not there is the section that lacks it', () => {
  assert.equal(place([]), '1:1')
  assert.equal(place(['nothing']), '1:1')
  assert.equal(place(['batch', 'linger']), '2:1')
  assert.equal(place(['tasks', 0, 'head']), '5:5')
  assert.equal(place(['tasks', 7, 'head']), '5:3')
  assert.equal(place(['empty', 'below']), '8:7')
})
