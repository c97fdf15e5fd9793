/** What the worker's rows keep of a user: the user's own and those of crosses, in the network and in the fast part. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ExampleColumns, SLAB_ROWS } from '../../../../src/features/columns.js'
import { FeatureExtractor } from '../../../../src/features/extract.js'
import { FastRows } from '../../../../src/features/table/fast-rows.kernel.js'
import { SlotTables } from '../../../../src/features/table/slot-tables.js'
import { Hasher } from '../../../../src/std/hash.js'
import { parseFeatures, subject } from '../../../helpers/features.js'
import { OPTIMIZER, stored } from './fixture.js'

const FEATURES = parseFeatures({
  slots: [
    { name: 'item', from: 'item' },
    { name: 'who', from: 'user', table: 'people' },
    { name: 'bias', from: 'user', embed: false, bias: true },
    { name: 'pair', cross: ['who', 'item'], max: 1, wide: true },
    { name: 'place', from: 'context.place' },
    { name: 'deep', cross: ['place', 'pair'], max: 1, table: 'place' },
    { name: 'plain', cross: ['place', 'item'], max: 1 },
  ],
})
const USERS = ['ann', 'bob', 'cid']
const ITEMS = ['tea', 'jam']

/** Every user meets every item at two places; what comes of it per user and meeting. */
function examples() {
  const extractor = new FeatureExtractor(FEATURES, new Hasher(), true)
  const { layout } = extractor
  const columnLayout = { keyPlaces: layout.keyPlaces, dense: layout.dense.length, tasks: 1, notes: 0 }
  const columns = new ExampleColumns(columnLayout, () => {})
  const rows = USERS.flatMap(user =>
    ITEMS.flatMap(item =>
      ['home', 'shop'].map(place => {
        const row = columns.allocate()
        extractor.extract(subject({ user, item, context: { place } }), columns, row, false)
        return row
      }),
    ),
  )
  return { layout, columns, columnLayout, rows: Int32Array.from(rows) }
}

/** Of a user: its own in each table, each pair with an item, each of those at each place. */
const OWN = { tables: 2 + ITEMS.length + ITEMS.length * 2, fast: 2 + ITEMS.length + ITEMS.length * 2 }

function tablesOf({ layout, columns, columnLayout, rows }: ReturnType<typeof examples>, admitAfter = 1) {
  const limits = { admitAfter, maxRows: 1_000_000 }
  const create = () => new SlotTables(layout, 1, { dim: 2, rowStart: 0.5, seed: 7 }, OPTIMIZER, limits, true)
  const out = {
    embedded: new Float32Array(rows.length * layout.embeddedSlots * 2),
    dense: new Float32Array(0),
    offset: new Float32Array(rows.length),
  }
  const learn = (tables: SlotTables, some = rows) => {
    tables.gather(columns.slabs, columnLayout, some, 'learn', 0, out)
    tables.update(out.embedded.fill(0.1), out.offset.fill(0.1))
  }
  return { create, learn }
}

test('the rows of a user go, in all tables, and nobody else’s', () => {
  const all = examples()
  const { create, learn } = tablesOf(all)
  let tables = create()
  learn(tables)
  const { rows } = tables.stats()
  const restored = create()
  restored.loadState(stored(tables.saveState()))
  tables = restored
  tables.publish('full')
  assert.equal(tables.erase('bob'), OWN.tables)
  assert.equal(tables.erase('bob'), 0)
  assert.equal(tables.erase('nobody'), 0)
  assert.equal(tables.stats().rows, rows - OWN.tables)
  assert.equal(
    tables.publish('delta').reduce((sum, [, { removed }]) => sum + removed, 0),
    OWN.tables,
  )

  // Equal to tables that have never seen bob but for where rows lie.
  const others = create()
  learn(
    others,
    all.rows.filter((_, nth) => Math.floor(nth / 4) !== 1),
  )
  const keysOf = (of: SlotTables) =>
    of.publish('full').map(([name, { state }]) => {
      const { keys } = state.arrays as { keys: Uint32Array }
      return [name, Array.from({ length: keys.length / 2 }, (_, n) => `${keys[n * 2]} ${keys[n * 2 + 1]}`).sort()]
    })
  assert.deepEqual(keysOf(tables), keysOf(others))
})

test('who comes back is admitted anew; only crosses are counted on, of which no more than a few bits are kept', () => {
  const all = examples()
  const { create, learn } = tablesOf(all, 10)
  const tables = create()
  const ofBob = all.rows.slice(4, 8)
  learn(tables, ofBob)
  learn(tables, ofBob)
  assert.equal(tables.erase('bob'), 0)
  learn(tables, ofBob)
  assert.equal(tables.erase('bob'), 0, 'the eight occurrences before are forgotten')
  learn(tables, ofBob)
  learn(tables, ofBob)
  assert.equal(tables.erase('bob'), ITEMS.length, 'pairs with ten occurrences in all')
})

test('the fast part’s records of a user go, and nobody else’s', () => {
  const { layout, columns, columnLayout, rows } = examples()
  const create = () =>
    new FastRows(
      layout,
      columnLayout,
      4,
      { start: () => {}, forget: () => {}, tasks: 1 },
      { dim: 1, scale: 0.1, seed: 1 },
      { maxRows: 1_000_000 },
      { numbers: [3, 4].map(place => ({ place, what: 'bias' as const })), encoding: 'float32', tracksChanges: true },
    )
  const first = create()
  for (const row of rows) first.use(columns.slab(row), row % SLAB_ROWS, false)
  const records = create()
  records.loadState(stored(first.saveState()))
  records.publish('full')
  const { size } = records
  assert.equal(records.erase('bob'), OWN.fast)
  assert.equal(records.erase('bob'), 0)
  assert.equal(records.size, size - OWN.fast)
  assert.equal(records.publish('delta').removed, OWN.fast)
  for (const user of ['ann', 'cid']) assert.equal(records.erase(user), OWN.fast)
})
