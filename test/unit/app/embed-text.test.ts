import assert from 'node:assert/strict'
import { test } from 'node:test'
import { textOf } from '../../../src/app/embed-log.js'

const item = {
  eventId: 'e',
  eventTime: 0,
  id: 'i',
  title: ' Alien ',
  brand: '',
  attributes: { genres: ['Horror', 'Sci-Fi'] },
}

test("an item's text is the fields that it has, in the order asked for, lists with commas", () => {
  assert.equal(textOf(item, ['title', 'text', 'genres']), 'Alien. Horror, Sci-Fi')
  assert.equal(textOf(item, ['genres', 'brand', 'title']), 'Horror, Sci-Fi. Alien')
  assert.equal(textOf(item, ['price', 'text']), '')
})
