import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createPseudonyms, pseudonymsName } from '../../../src/std/pseudonyms.js'

const KEY = '6a1f2c9d84e07b35'

test('the pseudonym of a user is what others compute from the id and the key', () => {
  // printf %s ID | openssl dgst -sha256 -hmac KEY -binary | head -c 16 | base64 | tr +/ -_ | tr -d =
  const nameOf = createPseudonyms(KEY)
  assert.equal(nameOf('u17'), '~eooY7Vp6U5FIuEwFRXhRSQ')
  assert.equal(nameOf('žena 9007199254740993'), '~IK-mIkqxwyexRZ6KMWwJHw')
})

test('a pseudonym is its own, whoever has made it; without a key an id stays as it is', () => {
  const nameOf = createPseudonyms(KEY)
  const other = createPseudonyms('another key of 22 bytes')('u17')
  assert.notEqual(other, nameOf('u17'))
  assert.equal(nameOf(nameOf('u17')), nameOf('u17'))
  assert.equal(nameOf(other), other)
  assert.equal(createPseudonyms(undefined)('u17'), 'u17')
})

test('more users than are kept have the same pseudonyms when they come again', () => {
  const nameOf = createPseudonyms(KEY)
  const first = nameOf('first')
  for (let user = 0; user < 70_000; user++) nameOf(`u${user}`)
  assert.equal(nameOf('first'), first)
})

test('keys have names that differ, and are not the keys', () => {
  assert.notEqual(pseudonymsName(KEY), pseudonymsName(`${KEY}0`))
  assert.match(pseudonymsName(KEY), /^[0-9a-f]{32}$/)
})
