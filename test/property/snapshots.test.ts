/** Full snapshots and deltas of tables that learn, evict and expire, followed by a reader that misses some of them. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type PartState, ROW_ENCODINGS, type RowEncoding, type SnapshotKind } from '../../src/domain/state.js'
import type { SlotTables } from '../../src/features/table/slot-tables.js'
import { SnapshotPublisher } from '../../src/pipeline/publisher.js'
import type { KeyedSnapshot, SnapshotRecord } from '../../src/sink/output-records.js'
import { createKeptPart } from '../../src/snapshot/kept-parts.js'
import { encodePublished } from '../../src/snapshot/publication.js'
import { SnapshotReader } from '../../src/snapshot/reader.js'
import { fixture, stored } from '../unit/features/table/fixture.js'

const PLACES = 4
const made = fixture({
  slots: [{ table: 'item', bias: true }, { table: 'item', places: 2 }, { wide: true }],
  tasks: 2,
  admitAfter: 2,
  expireAfter: 15_000,
  maxRows: 24,
})

// Few values, short lives and a low limit: rows are made, go, and come back between two publications.
const examples = fc.array(fc.array(fc.nat(40), { minLength: PLACES, maxLength: PLACES }), { maxLength: 8 })
const command = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('learn'),
      examples,
      gradient: fc.integer({ min: -8, max: 8 }),
      passed: fc.nat(4_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom('full', 'delta', 'delta', 'delta') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart') }) },
)
const encodings = fc.constantFrom(...ROW_ENCODINGS)
const restartOtherwise = fc.record({ kind: fc.constant('restart'), encoding: encodings })
const RUNS = { numRuns: 60 }
type Command = Partial<{ kind: string; examples: number[][]; gradient: number; passed: number; encoding: RowEncoding }>

/** Key → words, of every table: what a version is, in no order. */
function contentOf(tables: SlotTables, encoding: RowEncoding): Map<string, string> {
  const copy = made.create(true, encoding)
  copy.loadState(stored(tables.saveState()))
  const content = new Map<string, string>()
  for (const [name, { state }] of copy.publish('full')) {
    const { keys, rows } = state.arrays as { keys: Uint32Array; rows: Float32Array }
    const width = (state.meta as { words: number }).words
    const words = new Uint32Array(rows.buffer, rows.byteOffset, rows.length)
    for (let row = 0; row < keys.length / 2; row++) {
      const key = `${name} ${keys[row * 2]} ${keys[row * 2 + 1]}`
      content.set(key, words.subarray(row * width, (row + 1) * width).join())
    }
  }
  return content
}

/** Runs the commands; the records that were published, and what the tables were at each version, in the encoding of then. */
function publishAll(commands: Command[], encoding: RowEncoding, maxMessageBytes?: number) {
  let tables = made.create(true, encoding)
  let now = 0
  let version = 0
  const records: KeyedSnapshot[] = []
  const versions = new Map<number, { encoding: RowEncoding; content: Map<string, string> }>()
  const create = () =>
    new SnapshotPublisher({
      learner: {
        async snapshot(due) {
          kind = due
          return assert.fail('answered at once')
        },
      },
      outputs: { snapshots: { append: (record: KeyedSnapshot) => records.push(record) } as never },
      configHash: () => 'hash',
      everySteps: 0,
      deltaEveryMs: 1,
      rowEncoding: encoding,
      maxMessageBytes,
      parts: () => [],
      answeredParts: () => [],
      head: () => ({ eventTimeMs: now, offsets: [] }),
      send: (answer, then) => {
        answer.catch(() => undefined)
        then(snapshot() as never)
      },
    })
  let publisher = create()
  let kind: SnapshotKind = 'full'
  const snapshot = () => {
    const parts = tables.publish(kind).map(([name, one]) => encodePublished(`table.${name}`, one))
    return { parts, metrics: {} }
  }
  for (const { kind: what, examples = [], gradient = 0, passed = 0, encoding: other } of commands) {
    if (what === 'learn') {
      now += passed
      const embedded = Array.from({ length: examples.length * 6 }, (_, at) => (gradient + (at % 3)) / 4)
      const offset = Array.from({ length: examples.length * 2 }, (_, at) => (gradient - (at % 5)) / 4)
      made.learn(tables, examples, { embedded, offset }, now)
      tables.maintain(now)
      version++
    } else if (what === 'restart') {
      encoding = other ?? encoding
      const restored = made.create(true, encoding)
      restored.loadState(stored(tables.saveState()))
      tables = restored
      const state = publisher.saveState()
      publisher = create()
      publisher.loadState(JSON.parse(JSON.stringify(state)))
    } else if (publisher.version !== version) {
      if (what === 'full') publisher.publish('full', version)
      else publisher.publishNext(version)
      versions.set(version, { encoding, content: contentOf(tables, encoding) })
    }
  }
  return { records, versions, tables }
}

function readerWith(tables: SlotTables): SnapshotReader {
  return new SnapshotReader(({ name }) => ({
    apply: (kind, state, { encoding }) => tables.apply(name.slice('table.'.length), kind, state, encoding),
  }))
}

const written = (records: KeyedSnapshot[]): SnapshotRecord[] =>
  records.flatMap(({ record }) => (record === null ? [] : [record]))

test('a chain of deltas leads to the learner’s rows, bit for bit, also when the learner restarts in between and publishes them otherwise', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof({ weight: 10, arbitrary: command }, { weight: 1, arbitrary: restartOtherwise }), {
        maxLength: 60,
      }),
      encodings,
      (commands, encoding) => {
        const { records, versions } = publishAll(commands, encoding)
        const followed = made.create(true)
        const reader = readerWith(followed)
        for (const record of written(records)) {
          const step = reader.take(record)
          assert.notEqual(step.kind, 'gap')
          if (step.kind !== 'taken') continue
          const { encoding, content } = versions.get(step.held.version) ?? assert.fail()
          assert.deepEqual(contentOf(followed, encoding), content)
        }
        assert.equal(reader.held?.version, [...versions.keys()].at(-1))
      },
    ),
    RUNS,
  )
})

test('what a restarted learner publishes is byte for byte what one that never stopped publishes', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 60 }), encodings, (commands, encoding) => {
      const { records } = publishAll(commands, encoding, 20_000)
      const without = publishAll(
        commands.filter(({ kind }) => kind !== 'restart'),
        encoding,
        20_000,
      )
      assert.deepEqual(records, without.records)
    }),
    RUNS,
  )
})

test('a reader that misses records, or gets some twice, holds nothing but versions that the learner had', () => {
  const fate = fc.constantFrom('once', 'once', 'once', 'twice', 'never')
  fc.assert(
    fc.property(
      fc.array(command, { maxLength: 60 }),
      fc.infiniteStream(fate),
      fc.nat(20),
      encodings,
      (commands, fates, first, encoding) => {
        const { records, versions } = publishAll(commands, encoding)
        const followed = made.create(true)
        const reader = readerWith(followed)
        const kept = new SnapshotReader(createKeptPart)
        for (const record of written(records).slice(first)) {
          const [what] = fates.take(1)
          for (let times = what === 'never' ? 0 : what === 'twice' ? 2 : 1; times > 0; times--) {
            const step = reader.take(record)
            const other = kept.take(record)
            assert.deepEqual(other, step, 'rows that are only kept come to the same')
            assert.equal(step.kind === 'gap' && /checksum$/.test(step.reason), false)
            if (step.kind === 'taken')
              assert.deepEqual(contentOf(followed, encoding), versions.get(step.held.version)?.content)
          }
        }
      },
    ),
    RUNS,
  )
})

test('a compacted topic keeps what a late reader needs, and never more than two chains', () => {
  fc.assert(
    fc.property(fc.array(command, { minLength: 10, maxLength: 80 }), commands => {
      const { records, versions } = publishAll(commands, 'float32', 20_000)
      const topic = new Map<string, PartState | unknown>()
      for (const { key, record } of records) {
        topic.delete(key)
        if (record !== null) topic.set(key, record)
      }
      const reader = new SnapshotReader(createKeptPart)
      for (const record of topic.values()) reader.take(record as SnapshotRecord)
      assert.equal(reader.held?.version, [...versions.keys()].at(-1))
      const manifests = [...topic.values()].filter(record => (record as SnapshotRecord).manifest !== null)
      assert.equal(manifests.length, reader.held === undefined ? 0 : reader.held.deltas + 1)
    }),
    RUNS,
  )
})
