import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import type { Impression, Positive, TimedEvent } from '../../src/domain/event.js'
import { FeatureExtractor, type FeatureSubject } from '../../src/features/extract.js'
import { Hasher } from '../../src/std/hash.js'
import { featuresOf, HOUR, impression, MONDAY, parseFeatures, positive, profile, reload } from '../helpers/features.js'
import { referenceOf } from '../helpers/features-reference.js'

const slots = [
  { name: 'user', from: 'user' },
  { name: 'item', from: 'item' },
  { name: 'category', from: 'item.category', max: 1 },
  { name: 'tags', from: 'item.category', max: 3 },
  { name: 'country', from: 'user.country', max: 1 },
  { name: 'device', from: 'context.device' },
  { name: 'position', from: 'position' },
  { name: 'clicked', recent: 'click' as const, table: 'item', max: 3 },
  { name: 'lastClick', recent: 'click' as const, table: 'item', max: 1 },
  { name: 'shown', recent: 'impression' as const, max: 2 },
  { name: 'popular', bucket: 'clicks' },
  { name: 'gap', bucket: 'gap' },
  { name: 'taste', cross: ['country', 'category', 'device'] },
]
const numeric = [
  { name: 'price', from: 'item.price', transform: 'log1p' as const },
  { name: 'place', from: 'position' },
  { name: 'clicks', count: 'click' as const, by: 'item' },
  { name: 'fresh', count: 'click' as const, by: 'item', halfLife: '6h', standardise: false },
  { name: 'met', count: 'impression' as const, by: ['user', 'item'], transform: 'log1p' as const },
  { name: 'tasteClicks', count: 'click' as const, by: ['user', 'item.category'], standardise: false },
  { name: 'ctr', rate: 'click' as const, by: 'item', halfLife: '1d', prior: 2 },
  { name: 'buyRate', rate: 'buy' as const, by: 'user.country', standardise: false },
  { name: 'liked', mean: 'rating' as const, by: 'item', prior: 1, standardise: false },
  { name: 'kind', mean: 'rating' as const, by: 'user', halfLife: '12h' },
  { name: 'gap', since: 'click' as const, by: 'user', transform: 'log1p' as const },
  { name: 'gone', since: 'impression' as const, by: ['user.country', 'item.category'], standardise: false },
]
const config = { slots, numeric, coldBelow: 3 }

// A small world, so that entities meet again; time steps of whole hours, some of them back.
const user = fc.constantFrom('ann', 'bob', 'cy')
const item = fc.constantFrom('tea', 'cup', 'mug', 'pot')
const category = fc.subarray(['kitchen', 'drink', 'gift', 'bio'])
const context = fc.constantFrom(null, { device: 'phone' }, { device: 'desk' })
const position = fc.constantFrom(null, 1, 2, 300)
const step = fc.oneof({ weight: 4, arbitrary: fc.integer({ min: 0, max: 9 }) }, fc.integer({ min: -20, max: -1 }))
const meeting = fc.oneof(
  { weight: 4, arbitrary: fc.record({ user, item, context, position }).map(of => impression(of)) },
  { weight: 3, arbitrary: fc.record({ user, item, context }).map(of => positive('click', of)) },
  fc.record({ user, item, context }).map(of => positive('buy', of)),
  fc.record({ user, item, value: fc.integer({ min: 1, max: 5 }) }).map(of => positive('rating', of)),
)
const described = fc.oneof(
  fc
    .record({ item, category, price: fc.option(fc.integer({ min: 0, max: 99 })) })
    .map(of => profile('item', of.item, { attributes: { category: of.category }, numbers: numbersOf(of.price) })),
  fc
    .record({ user, country: fc.constantFrom('no', 'pt') })
    .map(of => profile('user', of.user, { attributes: { country: [of.country] } })),
)
const events = (maxLength: number) =>
  fc
    .array(fc.tuple(fc.oneof({ weight: 4, arbitrary: meeting }, described), step), { maxLength, size: 'max' })
    .map(steps => {
      let eventTimeMs = MONDAY
      return steps.map(([event, hours]): TimedEvent => {
        eventTimeMs += hours * HOUR
        return { ...event, eventTimeMs }
      })
    })

function numbersOf(price: number | null): Record<string, number> {
  return price === null ? {} : { price }
}

function subjectOf(event: Impression | Positive): FeatureSubject {
  const { user, item, eventTimeMs, requestId, context } = event
  return { user, item, eventTimeMs, requestId, context, position: event.kind === 'impression' ? event.position : null }
}

const meets = (event: TimedEvent): event is Impression | Positive => 'item' in event

/** Extracts at each meeting, then observes; the rows in order. */
async function rowsOf(log: readonly TimedEvent[], of: Parameters<typeof featuresOf>[0] = config) {
  const features = await featuresOf(of)
  const rows: number[] = []
  for (const event of log) {
    if (meets(event)) {
      const row = features.columns.allocate()
      features.extractor.extract(subjectOf(event), features.columns, row, event.kind === 'impression')
      rows.push(row)
    }
    features.extractor.observe(event)
  }
  return { ...features, rows }
}

test('features of an event do not depend on any later event', async () => {
  await fc.assert(
    fc.asyncProperty(events(40), events(20), events(20), async (before, one, other) => {
      const meetings = before.filter(meets).length
      const [first, second] = [await rowsOf([...before, ...one]), await rowsOf([...before, ...other])]
      for (const row of first.rows.slice(0, meetings)) assert.deepEqual(first.read(row), second.read(row))
    }),
    { numRuns: 60 },
  )
})

test('features are what a slow reference computes from all earlier events', async () => {
  const hasher = new Hasher()
  await fc.assert(
    fc.asyncProperty(events(60), async log => {
      const { rows, read } = await rowsOf(log)
      const reference = referenceOf(parseFeatures(config), hasher)
      let nth = 0
      log.forEach((event, index) => {
        if (!meets(event)) return
        const expected = reference(log.slice(0, index), subjectOf(event), event.kind === 'impression')
        const actual = read(rows[nth++]!)
        assert.deepEqual(actual.keys, expected.keys)
        assert.deepEqual(actual.cold, expected.cold)
        for (const [name, value] of Object.entries(expected.dense)) {
          const difference = Math.abs(actual.dense[name]! - value)
          assert.ok(difference < 1e-4, `${name} of event ${index}: ${actual.dense[name]} instead of ${value}`)
        }
        assert.deepEqual(Object.keys(actual.dense), Object.keys(expected.dense))
      })
    }),
    { numRuns: 100 },
  )
})

// More entities than rows, so that evictions happen before and after the save.
const crowd = events(120).map(log =>
  log.map((event, index): TimedEvent => (meets(event) ? { ...event, user: `${event.user}${index % 11}` } : event)),
)
const crowded = { ...config, maxEntities: 16 }

test('an extractor that was saved and loaded goes on like one that was not, to the same bytes', async () => {
  const hasher = new Hasher()
  await fc.assert(
    fc.asyncProperty(crowd, fc.double({ min: 0, max: 1, noNaN: true }), fc.boolean(), async (log, share, between) => {
      const cut = Math.floor(share * log.length)
      const whole = await rowsOf(log, crowded)
      const features = await featuresOf(crowded)
      let extractor = features.extractor
      const reopen = () => {
        const saved = reload(extractor.saveState())
        extractor = new FeatureExtractor(parseFeatures(crowded), hasher)
        extractor.loadState(saved)
        assert.deepEqual(reload(extractor.saveState()), saved)
      }
      let nth = 0
      log.forEach((event, index) => {
        if (index === cut && !between) reopen()
        if (meets(event)) {
          const row = features.columns.allocate()
          extractor.extract(subjectOf(event), features.columns, row, event.kind === 'impression')
          assert.deepEqual(features.read(row), whole.read(whole.rows[nth++]!))
        }
        if (index === cut && between) reopen()
        extractor.observe(event)
      })
      assert.deepEqual(reload(extractor.saveState()), reload(whole.extractor.saveState()))
    }),
    { numRuns: 100 },
  )
})

test('no table exceeds its bound', async () => {
  await fc.assert(
    fc.asyncProperty(crowd, async log => {
      const { extractor } = await rowsOf(log, crowded)
      for (const { entities } of extractor.stats().tables) assert.ok(entities <= 16)
    }),
    { numRuns: 30 },
  )
})
