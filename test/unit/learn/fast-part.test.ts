import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { loadChecked } from '../../../src/app/load-checked.js'
import { MASK_COUNTED, MASK_REACHED } from '../../../src/domain/example.js'
import { createSlabBuffer, SLAB_ROWS, viewSlab } from '../../../src/features/columns.js'
import { layoutFeatures } from '../../../src/features/layout.js'
import { columnsOf } from '../../../src/learn/columns-of.js'
import { FastPart } from '../../../src/learn/fast-part.kernel.js'
import { packageRoot } from '../../../src/std/package-root.js'
import { Random } from '../../../src/std/random.js'

const VALUES_A_PLACE = 50
const ROWS = 300
const LEARNED = MASK_COUNTED | MASK_REACHED

test('a row that is predicted and learned at once is learned as one whose label comes by itself', () => {
  const { config } = loadChecked(join(packageRoot(), 'examples/tmall.yaml'), {})
  const layout = layoutFeatures(config.features, true)
  const columns = columnsOf(config, layout)
  const tasks = config.tasks.length
  const create = () => ({
    part: new FastPart(config, layout, columns, true),
    slab: viewSlab(createSlabBuffer(columns), columns),
  })
  const [once, twice] = [create(), create()]
  const random = new Random(1)
  for (let at = 0; at < SLAB_ROWS * columns.keyPlaces; at++) {
    // Values are new, seen and forgotten, and some places are empty.
    const isEmpty = random.uniform() < 0.1
    const key = isEmpty ? [0, 0] : [at % columns.keyPlaces, 1 + random.integer(VALUES_A_PLACE)]
    for (const { slab } of [once, twice]) slab.keys.set(key, at * 2)
  }
  for (let at = 0; at < once.slab.dense.length; at++) {
    once.slab.dense[at] = random.normal()
    twice.slab.dense[at] = once.slab.dense[at]!
  }
  const run = ({ part, slab }: typeof once, row: number, fresh: number, label: number, mask: number) => {
    const operations = {
      fresh: Uint8Array.of(fresh),
      labels: new Float32Array(tasks).fill(label),
      mask: new Uint8Array(tasks).fill(mask),
    }
    part.run(
      [slab],
      { rows: Int32Array.of(row), operations, eventTimeMs: row * 1000 },
      new Float32Array(tasks).fill(0.1),
    )
  }
  for (let row = 0; row < ROWS; row++) {
    const label = random.uniform() < 0.3 ? 1 : 0
    run(once, row, 1, label, LEARNED)
    run(twice, row, 1, 0, 0)
    run(twice, row, 0, label, LEARNED)
    if (row % 100 === 50) for (const { part } of [once, twice]) part.forget(0)
  }
  assert.deepEqual(once.slab.scores, twice.slab.scores)
  assert.deepEqual(once.slab.notes, twice.slab.notes)
  assert.deepEqual(once.part.saveState(), twice.part.saveState())
  assert.ok(new Set(once.slab.scores.slice(0, ROWS * tasks)).size > ROWS)
})
