import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '../../../src/config/load.js'
import type { Event } from '../../../src/domain/event.js'
import { createLabelCheck } from '../../../src/join/label-range.js'

const { config } = parseConfig(
  `
tasks:
  - { name: click, head: binary, label: { event: click, window: 30m } }
  - { name: stars, head: regression, label: { event: rating }, range: [1, 5] }
  - { name: seconds, head: regression, label: { event: click, from: context.seconds }, range: [0, 60] }
  - { name: price, head: regression, label: { event: buy, from: item.price }, range: [0, 10] }
  - { name: levels, head: ordinal, label: { event: rating, window: 1d }, range: [0, 4] }
features: { slots: [{ name: user, from: user }] }
`,
  'test.yaml',
)
const fault = createLabelCheck(config.tasks)
const event = (
  kind: 'click' | 'buy' | 'rating',
  value: number,
  context: Record<string, string> | null = null,
): Event => ({
  kind,
  eventId: 'e',
  eventTimeMs: 0,
  user: 'u',
  item: 'i',
  requestId: null,
  context,
  value,
})

test('a rating has to be within the range of every task on ratings, the bounds included', () => {
  for (const value of [1, 2.5, 4]) assert.equal(fault(event('rating', value)), undefined)
  assert.equal(fault(event('rating', 5)), '5 is not within [0, 4], the range of the task levels')
  assert.equal(fault(event('rating', 0)), '0 is not within [1, 5], the range of the task stars')
  assert.equal(fault(event('rating', 40)), '40 is not within [1, 5], the range of the task stars')
})

test('values of what no ranged task learns are nobody’s business', () => {
  assert.equal(fault(event('buy', 1000)), undefined)
  assert.equal(fault(event('click', 1)), undefined)
})

test('a field of the context has to be within the range where it is a number; what profiles say is not the event’s fault', () => {
  for (const seconds of ['0', '60', 'many', '']) assert.equal(fault(event('click', 1, { seconds })), undefined)
  assert.match(fault(event('click', 1, { seconds: '61' })) ?? '', /61 is not within \[0, 60\]/)
  assert.equal(fault(event('buy', 1000)), undefined)
})
