/** Keyed features and top-N as they are published: full or as a chain of deltas, through evictions and restarts, a follower has the same. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { recommend as schema } from '../../src/config/recommend-schema.js'
import type { Impression, Positive, Profile, TimedEvent } from '../../src/domain/event.js'
import type { LoadedState, PublishedState, SnapshotKind } from '../../src/domain/state.js'
import { FeatureExtractor } from '../../src/features/extract.js'
import { Recommender } from '../../src/recommend/recommender.js'
import { Hasher } from '../../src/std/hash.js'
import { runThrough } from '../../src/std/slices.js'
import { parseFeatures } from '../helpers/features.js'
import { readBack } from '../helpers/read-back.js'

const HOUR_MS = 3_600_000
// Few rows: entities go and come back between two publications.
const FEATURES = parseFeatures({
  slots: [
    { name: 'user', from: 'user' },
    { name: 'category', from: 'item.category', max: 2 },
    { name: 'recent', recent: 'click', max: 2 },
  ],
  numeric: [
    { name: 'price', from: 'item.price' },
    { name: 'ctr', rate: 'click', by: 'item', halfLife: '1d' },
    { name: 'taste', count: 'click', by: ['user', 'item.category'], halfLife: '7d' },
  ],
  embeddings: [
    { name: 'text', from: 'item', size: 3 },
    { name: 'picture', from: 'item', key: 'picture', size: 2 },
  ],
  maxEntities: 16,
})
const RECOMMEND = schema.parse({ tick: '2h', maxItems: 16, maxPairs: 24, dim: 4, neighbours: 4, sampleUsers: 3 })

const command = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({ kind: fc.constant('event'), user: fc.nat(30), item: fc.nat(30), what: fc.nat(3) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('full', 'delta', 'delta', 'delta') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('erase'), user: fc.nat(30) }) },
)
type Command = Partial<{ kind: string; user: number; item: number; what: number }>

function eventOf({ user = 0, item = 0, what = 0 }: Command, nowMs: number): TimedEvent {
  const stamp = { eventId: '', eventTimeMs: nowMs }
  const pair = { ...stamp, user: `u${user}`, item: `i${item}`, requestId: null, context: null }
  if (what === 0) return { ...pair, kind: 'impression', position: null } satisfies Impression
  if (what < 3) return { ...pair, kind: 'click', value: 1 } satisfies Positive
  const attributes = { category: [`c${user % 3}`, `c${item % 2}`] }
  return {
    ...stamp,
    kind: 'item',
    id: `i${item}`,
    attributes,
    numbers: { price: user },
    embedding: what === 3 && user % 3 === 0 ? null : [user / 3, item, 0.1],
    ...(user % 2 === 0 && { embeddings: { picture: [item, user] } }),
  } satisfies Profile
}

const loaded = ({ state }: PublishedState): LoadedState => readBack(state)

/** All rows by key, in no order. */
function contentOf(features: FeatureExtractor): string[] {
  return features.publish('full').flatMap(([name, { state }]) => {
    const { keys, rows } = state.arrays as { keys?: Uint32Array; rows?: Uint32Array }
    if (keys === undefined || rows === undefined) return [`${name} ${Object.values(state.arrays).join()}`]
    const { words } = state.meta as { words: number }
    return Array.from({ length: keys.length / 2 }, (_, row) => {
      return `${name} ${keys[row * 2]} ${keys[row * 2 + 1]} ${rows.subarray(row * words, (row + 1) * words)}`
    }).sort()
  })
}

const createFeatures = () => new FeatureExtractor(FEATURES, new Hasher(), false, true)

test('keyed state that is followed by deltas has the learner’s cells, whatever was evicted or restored in between', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 120, size: 'max' }), commands => {
      let learner = createFeatures()
      const follower = createFeatures()
      let published = 0
      for (const [nth, command] of commands.entries()) {
        if (command.kind === 'event') learner.observe(eventOf(command, nth * HOUR_MS))
        else if (command.kind === 'erase') learner.erase(`u${command.user}`)
        else if (command.kind === 'restart') {
          const restored = createFeatures()
          restored.loadState(readBack(learner.saveState()))
          learner = restored
        } else {
          const kind = (published++ === 0 ? 'full' : command.kind) as SnapshotKind
          for (const [name, part] of learner.publish(kind)) {
            const digest = runThrough(follower.apply(name, kind, loaded(part)))
            assert.equal(digest, part.digest, `${kind} ${name}`)
          }
          const copy = createFeatures()
          copy.loadState(readBack(learner.saveState()))
          assert.deepEqual(contentOf(follower), contentOf(copy))
        }
      }
    }),
    { numRuns: 60 },
  )
})

test('of a user who is erased the keyed state has as much as of one who never came', () => {
  const roomy = { ...FEATURES, maxEntities: 1000 }
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), commands => {
      const [learner, other] = [roomy, roomy].map(config => new FeatureExtractor(config, new Hasher(), false, true))
      assert.ok(learner && other)
      for (const [nth, command] of commands.entries()) {
        if (command.kind !== 'event') continue
        const event = eventOf(command, nth * HOUR_MS)
        learner.observe(event)
        if (!('user' in event) || event.user !== 'u1') other.observe(event)
      }
      learner.publish('full')
      learner.erase('u1')
      const ofUsers = (features: FeatureExtractor) => contentOf(features).filter(line => /^\S*user/.test(line))
      assert.deepEqual(ofUsers(learner), ofUsers(other))
      assert.deepEqual(learner.erase('u1'), {})
    }),
    { numRuns: 100 },
  )
})

test('top-N that repeats the positives of deltas is the learner’s to the byte, and asking it changes nothing', () => {
  const create = (tracks: boolean) => new Recommender(RECOMMEND, new Hasher(), 1, undefined, tracks)
  fc.assert(
    fc.property(fc.array(command, { maxLength: 150, size: 'max' }), commands => {
      let learner = create(true)
      let follower = create(false)
      let published = 0
      let digest = ''
      for (const [nth, command] of commands.entries()) {
        const nowMs = nth * HOUR_MS
        if (command.kind === 'event') learner.observe(eventOf(command, nowMs))
        else if (command.kind === 'erase') learner.erase(`u${command.user}`)
        else if (command.kind === 'restart') {
          const restored = create(true)
          restored.loadState(readBack(learner.saveState()))
          learner = restored
        } else {
          const kind = (published++ === 0 ? 'full' : command.kind) as SnapshotKind
          const part = learner.publish(kind)
          assert.ok(kind === 'full' || part.changed > 0 || part.digest === digest)
          digest = part.digest ?? ''
          if (kind === 'full') {
            follower = create(false)
            follower.loadState(loaded(part))
          } else runThrough(follower.follow(loaded(part)))
          const now = create(false)
          now.loadState(readBack(learner.saveState()))
          assert.deepEqual(readBack(follower.saveState()), readBack(now.saveState()))
          assert.deepEqual(follower.users(3), learner.users(3))
        }
        follower.top('u1', nowMs, { count: 5 })
        follower.similar('i1', 5)
      }
    }),
    { numRuns: 60 },
  )
})
